import type { Place } from '../act.ts';
import type { Fault, Many, Target } from '../fault.ts';
import { electionMs } from './elections.ts';
import type { FaultScene, Held } from './scene.ts';
import { drawnNodes, drawnServers, isServer } from './targets.ts';

type Of<Name extends Fault['fault']> = Extract<Fault, { readonly fault: Name }>;

/** F1, F2. */
export async function kill({ target, many = 'one', silent = false, forMs }: Of<'kill'>, scene: FaultScene): Promise<void> {
  if (isServer(target)) return overServers({ target, many, forMs }, scene, { on: 'kill-server', off: 'start-server' });
  const nodes = drawnNodes(target, many, scene);
  scene.meets(nodes);
  await Promise.all(nodes.map((node) => scene.act({ act: 'kill-node', node, silent })));
  if (forMs === undefined) return;
  await scene.wait(forMs);
  await Promise.all(nodes.map((node) => scene.act({ act: 'start-node', node })));
}

/** F3, F4. Whether the launcher stops too is the seed's. */
export async function pause({ target, many = 'one', forMs }: Of<'pause'>, scene: FaultScene): Promise<void> {
  if (isServer(target)) return overServers({ target, many, forMs }, scene, { on: 'pause-server', off: 'resume-server' });
  const nodes = drawnNodes(target, many, scene);
  const launcher = scene.random.next() < 0.5;
  scene.meets(nodes);
  await scene.hold(
    nodes.map((node) => ({ on: { act: 'pause-node', node, launcher }, off: { act: 'resume-node', node } })),
    forMs,
  );
}

/** F23. */
export async function restart({ target, many, rolling = false, forMs = 0 }: Of<'restart'>, scene: FaultScene): Promise<void> {
  const all = many ?? (rolling ? 'all' : 'one');
  if (isServer(target) && scene.world.kind === 'simulation') {
    // A leader that is told to go hands its part over first.
    await scene.act({ act: 'election', ms: scene.random.between(300, 3_000) });
    return scene.wait(forMs);
  }
  const places = isServer(target) ? await drawnServers(target, all, scene) : drawnNodes(target, all, scene);
  scene.meets(places);
  for (const group of rolling ? places.map((place) => [place]) : [places]) {
    await Promise.all(group.map((place) => scene.act(stopped(place))));
    await scene.wait(forMs);
    await Promise.all(group.map((place) => scene.act(started(place))));
    await scene.settled();
  }
}

/** F24. */
export async function flap({ target = 'node', times, everyMs }: Of<'flap'>, scene: FaultScene): Promise<void> {
  const nodes = drawnNodes(target, 'one', scene);
  scene.meets(nodes);
  for (let time = 0; time < times; time++) {
    await Promise.all(nodes.map((node) => scene.act({ act: 'kill-node', node, silent: false })));
    await scene.wait(everyMs);
    // A launcher gives up on a node that dies too often: then the operator starts both.
    await Promise.all(nodes.map((node) => scene.act({ act: 'start-node', node })));
  }
}

/** F24. The new ones have names that nobody has. */
export async function joinStorm({ count, forMs }: Of<'join-storm'>, scene: FaultScene): Promise<void> {
  const last = Math.max(...scene.world.nodes.map((name) => Number(name.slice(1))));
  const nodes = Array.from({ length: count }, (_, index) => `n${last + 1 + index}`);
  scene.meets(nodes);
  await Promise.all(nodes.map((node) => scene.act({ act: 'start-node', node })));
  await scene.wait(forMs);
  await Promise.all(nodes.map((node) => scene.act({ act: 'stop-node', node })));
}

const isServerPlace = (place: Place): boolean => place.startsWith('s');
const stopped = (place: Place) =>
  isServerPlace(place) ? ({ act: 'stop-server', server: place } as const) : ({ act: 'stop-node', node: place } as const);
const started = (place: Place) =>
  isServerPlace(place) ? ({ act: 'start-server', server: place } as const) : ({ act: 'start-node', node: place } as const);

/** Where there are no servers, the store is without a leader as long as it would be. */
async function overServers(
  { target, many, forMs }: { readonly target: Target; readonly many: Many; readonly forMs: number | undefined },
  scene: FaultScene,
  { on, off }: { readonly on: 'kill-server' | 'pause-server'; readonly off: 'start-server' | 'resume-server' },
): Promise<void> {
  if (scene.world.kind === 'simulation') {
    const ms = electionMs({ target, many, forMs, stops: on === 'pause-server' }, scene.random);
    if (ms > 0) await scene.act({ act: 'election', ms });
    return scene.wait(forMs ?? 0);
  }
  const servers = await drawnServers(target, many, scene);
  scene.meets(servers);
  const held = servers.map((server): Held => ({ on: { act: on, server }, off: { act: off, server } }));
  await scene.hold(held, forMs);
}
