import type { SeededRandom } from '../../src/memory/random.ts';
import { type Place, STORE } from '../act.ts';
import type { Fault } from '../fault.ts';
import type { World } from '../world.ts';
import type { FaultScene, Held } from './scene.ts';
import { shuffled } from './targets.ts';

type Partition = Extract<Fault, { readonly fault: 'partition' }>;
type Way = readonly [from: Place, to: Place];

interface Cuts {
  readonly ways: readonly Way[];
  /** Those without their quorum: what happens to the others is no consequence. */
  readonly meets: readonly Place[];
}

/** F5 … F8. */
export async function partition({ shape, forMs }: Partition, scene: FaultScene): Promise<void> {
  const { world, nodes, random } = scene;
  if (world.kind === 'simulation' && (shape === 'isolate' || shape === 'servers')) {
    const [node] = shuffled(nodes, random) as [Place];
    scene.meets([node]);
    // Whoever reaches no server at all notices it; at a server that is cut off nothing is noticed but the silence of the store.
    const held: Held =
      shape === 'isolate'
        ? { on: { act: 'link-down', place: node }, off: { act: 'link-up', place: node } }
        : { on: { act: 'strand', node }, off: { act: 'unstrand', node } };
    return scene.hold([held], forMs);
  }
  const { ways, meets } = SHAPES[shape]({ nodes, servers: world.servers }, random);
  scene.meets(meets);
  await scene.hold(
    ways.map(([from, to]) => ({ on: { act: 'cut', from, to }, off: { act: 'mend', from, to } })),
    forMs,
  );
}

export const partitionNeeds = ({ shape }: Partition, { kind }: Pick<World, 'kind'>) =>
  kind === 'processes' || (shape !== 'isolate' && shape !== 'servers')
    ? (['cut', 'mend'] as const)
    : shape === 'isolate'
      ? (['link-down', 'link-up'] as const)
      : (['strand', 'unstrand'] as const);

/** Between which it is cut. */
type Places = Pick<World, 'nodes' | 'servers'>;

/** The places of the records. */
const storesOf = (world: Places): readonly Place[] => (world.servers.length === 0 ? [STORE] : world.servers);

const apart = (one: readonly Place[], other: readonly Place[]): Way[] =>
  one.flatMap((from) =>
    other.flatMap((to): Way[] => [
      [from, to],
      [to, from],
    ]),
  );

const without = <T>(all: readonly T[], some: readonly T[]): T[] => all.filter((each) => !some.includes(each));

/** Some nodes and at most one server of three, from all the rest and the clients. */
function split(world: Places, nodes: readonly Place[], random: SeededRandom): Cuts {
  const stores = storesOf(world);
  const side = [...nodes, ...(stores.length < 3 ? [] : shuffled(stores, random).slice(0, 1))];
  return { ways: apart(side, [...without([...world.nodes, ...stores], side), 'client']), meets: side };
}

const SHAPES: Readonly<Record<Partition['shape'], (world: Places, random: SeededRandom) => Cuts>> = {
  halves: (world, random) => {
    // Where the records can be written may be the larger half or the smaller one.
    const smaller = Math.max(1, Math.floor(world.nodes.length / 2));
    const count = random.next() < 0.5 ? smaller : Math.max(1, world.nodes.length - smaller);
    return split(world, shuffled(world.nodes, random).slice(0, count), random);
  },
  minority: (world, random) =>
    split(world, shuffled(world.nodes, random).slice(0, Math.max(1, Math.floor((world.nodes.length - 1) / 2))), random),
  stranded: (world, random) => split(world, shuffled(world.nodes, random).slice(0, 1), random),
  isolate: (world, random) => {
    const side = shuffled(world.nodes, random).slice(0, 1);
    return { ways: apart(side, [...without([...world.nodes, ...storesOf(world)], side), 'client']), meets: side };
  },
  'one-way': (world, random) => {
    const [node] = shuffled(world.nodes, random) as [Place];
    const others = without([...world.nodes, ...storesOf(world), 'client'], [node]);
    return { ways: others.map((to): Way => [node, to]), meets: [node] };
  },
  partial: (world, random) => {
    const [a, b] = shuffled(world.nodes, random) as [Place, Place | undefined];
    if (b === undefined) return { ways: [], meets: [] };
    return { ways: bridged(world, [a], [b], random), meets: [a, b] };
  },
  bridge: (world, random) => {
    const order = shuffled(world.nodes, random);
    const half = Math.floor((order.length - 1) / 2);
    const [one, other] = [order.slice(1, 1 + half), order.slice(1 + half)];
    return { ways: bridged(world, one, other, random), meets: [...one, ...other] };
  },
  ring: (world, random) => {
    const order = shuffled(world.nodes, random);
    const stores = storesOf(world);
    const next = (index: number): Place => order[(index + order.length) % order.length] as Place;
    const far = order.flatMap((node, index) => without(order, [node, next(index + 1), next(index - 1)]).map((to): Way => [node, to]));
    // Nodes speak through servers: each reaches the two that are next to it.
    const servers = stores.length < 3 ? [] : order.flatMap((node, index) => apart([node], [stores[index % stores.length] as Place]));
    return { ways: [...far, ...servers], meets: order };
  },
  servers: (world, random) => {
    const [server] = shuffled(world.servers, random) as [Place];
    return { ways: apart([server], without(world.servers, [server])), meets: [server] };
  },
};

/** Two sides that do not reach each other, and both reach the rest: each side is at a server of its own, and the third joins them. */
function bridged(world: Places, one: readonly Place[], other: readonly Place[], random: SeededRandom): Way[] {
  const stores = storesOf(world);
  if (stores.length < 3) return apart(one, other);
  const [first, second] = shuffled(stores, random) as [Place, Place];
  return [...apart([...one, first], [...other, second]), ...apart([...one, ...other], without(stores, [first, second]))];
}
