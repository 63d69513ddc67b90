// One of the two processes of test/live/wire.test.ts: a node with a slow actor, which takes commands from whoever forked it.
import { receive, startNode } from '../../dist/index.js';

const [nats, cluster, name] = process.argv.slice(2);
const node = await startNode({ nats, cluster, name });
const letters = {};
node.system.events.subscribe((event) => {
  if (event.event === 'dead-letter') letters[event.reason] = (letters[event.reason] ?? 0) + 1;
});
let handled = 0;
const slow = node.system.spawn({
  behavior: () =>
    receive(async () => {
      await new Promise((resolve) => setTimeout(resolve, 5));
      handled++;
    }),
});

const bytes = () => {
  globalThis.gc();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
};
const turn = () => new Promise((resolve) => setImmediate(resolve));
const commands = {
  status: () => ({ bytes: bytes(), handled, letters }),
  counts: () => ({ handled, letters }),
  /** As fast as it goes, whatever tell answers. */
  async flood({ to, count, bytes: size }) {
    const ref = node.system.unsafeRef(to);
    let told = 0;
    let most = 0;
    for (let sent = 1; sent <= count; sent++) {
      if (ref.tell({ type: 'x', sent, filling: `${sent}`.padEnd(size) })) told++;
      if (sent % 50 === 0) await turn();
      if (sent % 2_000 === 0) most = Math.max(most, bytes());
    }
    return { told, most };
  },
  async stop() {
    await node.stop();
    process.disconnect();
  },
};
process.on('message', async ({ id, command, ...given }) => {
  const answer = await commands[command](given);
  if (process.connected) process.send({ id, answer });
});
process.send({ ready: slow.toJSON() });
