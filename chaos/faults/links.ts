import { type Act, type Place, STORE } from '../act.ts';
import type { Fault, Target } from '../fault.ts';
import type { FaultScene, Held } from './scene.ts';
import { drawnNodes, drawnServers, isServer } from './targets.ts';

type Of<Name extends Fault['fault']> = Extract<Fault, { readonly fault: Name }>;
type Way = readonly [from: Place, to: Place];

/** F9. */
export async function loss({ percent, target, forMs }: Of<'loss'>, scene: FaultScene): Promise<void> {
  await overWays(target, forMs, scene, ([from, to], on) => ({ act: 'loss', from, to, percent: on ? percent : 0 }));
}
/** F10. */
export async function delay({ delayMs, jitterMs = 0, target, forMs }: Of<'delay'>, scene: FaultScene): Promise<void> {
  await overWays(target, forMs, scene, ([from, to], on) =>
    on ? { act: 'delay', from, to, ms: delayMs, jitterMs } : { act: 'delay', from, to, ms: 0, jitterMs: 0 },
  );
}
export async function slice({ bytes, target, forMs }: Of<'slice'>, scene: FaultScene): Promise<void> {
  await overWays(target, forMs, scene, ([from, to], on) => ({ act: 'slice', from, to, bytes: on ? bytes : 0 }));
}
/** F11. */
export async function halfOpen({ target, forMs }: Of<'half-open'>, scene: FaultScene): Promise<void> {
  await overWays(target, forMs, scene, ([from, to], on) => ({ act: 'half-open', from, to, on }));
}
export async function reset({ target }: Of<'reset'>, scene: FaultScene): Promise<void> {
  for (const [from, to] of await waysOf(target, scene)) await scene.act({ act: 'reset', from, to });
}
export async function linkDown({ target, forMs }: Of<'link-down'>, scene: FaultScene): Promise<void> {
  const places = isServer(target) ? await drawnServers(target, 'one', scene) : drawnNodes(target, 'one', scene);
  scene.meets(places);
  await scene.hold(
    places.map((place) => ({ on: { act: 'link-down', place }, off: { act: 'link-up', place } })),
    forMs,
  );
}
/** F22. */
export async function lostAnswers({ target = 'node', forMs }: Of<'lost-answers'>, scene: FaultScene): Promise<void> {
  const { world } = scene;
  const met = drawnNodes(target, 'one', scene);
  scene.meets(met);
  const ways = met.flatMap((node) =>
    // What others say comes through the servers too.
    (world.kind === 'processes' ? world.servers : [STORE, 'client', ...scene.nodes.filter((each) => each !== node)]).map(
      (from): Held => ({ on: { act: 'cut', from, to: node }, off: { act: 'mend', from, to: node } }),
    ),
  );
  await scene.hold(ways, forMs);
}

async function overWays(target: Target | undefined, forMs: number, scene: FaultScene, act: (way: Way, on: boolean) => Act): Promise<void> {
  const ways = await waysOf(target, scene);
  await scene.hold(
    ways.map((way) => ({ on: act(way, true), off: act(way, false) })),
    forMs,
  );
}

/** Both directions between nodes and servers, all or those of the target; in a simulation between the nodes themselves. */
async function waysOf(target: Target | undefined, scene: FaultScene): Promise<readonly Way[]> {
  const { world, nodes } = scene;
  const simulated = world.kind === 'simulation';
  const all = simulated
    ? nodes.flatMap((from) => nodes.flatMap((to): Way[] => (from === to ? [] : [[from, to]])))
    : nodes.flatMap((node) =>
        world.servers.flatMap((server): Way[] => [
          [node, server],
          [server, node],
        ]),
      );
  if (target === undefined) {
    scene.meets(nodes);
    return all;
  }
  const places =
    isServer(target) && !simulated
      ? await drawnServers(target, 'one', scene)
      : drawnNodes(simulated && isServer(target) ? 'node' : target, 'one', scene);
  scene.meets(places);
  return all.filter(([from, to]) => places.includes(from) || places.includes(to));
}
