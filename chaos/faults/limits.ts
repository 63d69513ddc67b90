import type { Place } from '../act.ts';
import type { Fault, Target } from '../fault.ts';
import type { FaultScene, Held } from './scene.ts';
import { drawnNodes, drawnServers } from './targets.ts';

type Of<Name extends Fault['fault']> = Extract<Fault, { readonly fault: Name }>;

/** Less than a node has open: every further one is refused. */
const MOST_DESCRIPTORS = 16;
/** Less than a node needs under load. */
const MOST_BYTES = 128 * 1_024 * 1_024;
/** So long a server's store grows between the copy and its return. */
const OLDER_MS = 3_000;

/** F13. */
export async function clockJump({ target, byMs }: Of<'clock-jump'>, scene: FaultScene): Promise<void> {
  for (const node of met(target, scene)) await scene.act({ act: 'wall-jump', node, byMs });
}
export async function clockRate({ target, rate, forMs }: Of<'clock-rate'>, scene: FaultScene): Promise<void> {
  await overNodes(target, forMs, scene, (node) => ({
    on: { act: 'clock-rate', node, rate },
    off: { act: 'clock-rate', node, rate: 1 },
  }));
}
/** F15. */
export async function diskFull({ target, many = 'one', forMs }: Of<'disk-full'>, scene: FaultScene): Promise<void> {
  const servers = await drawnServers(target, many, scene);
  scene.meets(servers);
  await scene.hold(
    servers.map((server) => ({ on: { act: 'fill-disk', server }, off: { act: 'free-disk', server } })),
    forMs,
  );
}
/** F16. */
export async function noDescriptors({ target, forMs }: Of<'no-descriptors'>, scene: FaultScene): Promise<void> {
  await overNodes(target, forMs, scene, (node) => ({
    on: { act: 'descriptors', node, most: MOST_DESCRIPTORS },
    off: { act: 'descriptors', node, most: null },
  }));
}
/** F17. What a loop that is blocked does not do, a process that stands still does not do either. */
export async function blockLoop({ target, forMs }: Of<'block-loop'>, scene: FaultScene): Promise<void> {
  await overNodes(target, forMs, scene, (node) => ({
    on: { act: 'pause-node', node, launcher: false },
    off: { act: 'resume-node', node },
  }));
}
/** F18. */
export async function outOfMemory({ target, forMs }: Of<'out-of-memory'>, scene: FaultScene): Promise<void> {
  await overNodes(target, forMs, scene, (node) => ({
    on: { act: 'memory', node, mostBytes: MOST_BYTES },
    off: { act: 'memory', node, mostBytes: null },
  }));
}
/** F19. */
export async function starve({ percent, target, forMs }: Of<'starve'>, scene: FaultScene): Promise<void> {
  await overNodes(target, forMs, scene, (node) => ({
    on: { act: 'cpu', node, percent },
    off: { act: 'cpu', node, percent: null },
  }));
}
/** F26. */
export async function rollBack({ target }: Of<'roll-back'>, scene: FaultScene): Promise<void> {
  const servers = await drawnServers(target, 'one', scene);
  scene.meets(servers);
  for (const server of servers) await scene.act({ act: 'copy-store', server });
  await scene.wait(OLDER_MS);
  for (const server of servers) await scene.act({ act: 'roll-back', server });
}
/** F29. */
export async function revoke({ target, forMs }: Of<'revoke'>, scene: FaultScene): Promise<void> {
  await overNodes(target, forMs, scene, (node) => ({ on: { act: 'revoke', node }, off: { act: 'grant', node } }));
}

function met(target: Target | undefined, scene: FaultScene): readonly Place[] {
  const nodes = drawnNodes(target ?? 'node', 'one', scene);
  scene.meets(nodes);
  return nodes;
}
const overNodes = (target: Target | undefined, forMs: number, scene: FaultScene, held: (node: Place) => Held): Promise<void> =>
  scene.hold(met(target, scene).map(held), forMs);
