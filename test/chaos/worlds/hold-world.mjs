// Run by stage.test.ts in a process of its own: opens a world, tells its mark and its folder, and waits to be killed, or for its stage to be.
import { openProcesses } from '../../../dist/chaos/worlds/processes/open.js';

const world = await openProcesses({ seed: 1, nodes: 2, servers: 3, tier: process.argv[2] });
await world.act({ act: 'pause-node', node: 'n1', launcher: true });
await world.act({ act: 'pause-server', server: 's2' });
process.stdout.write(`${JSON.stringify({ mark: world.mark, folder: world.folder })}\n`);
for (;;) {
  await new Promise((resolve) => setTimeout(resolve, 50));
  const gone = await world.pids('n1').then(
    () => false,
    () => true,
  );
  if (gone) break;
}
process.exitCode = (await world.close()).length === 0 ? 0 : 1;
