import fc from 'fast-check';
import type { FaultSettings } from '../../src/memory/network.ts';
import { seededRandom } from '../../src/memory/random.ts';
import type { SimWorld } from '../../supervisors/testkit/world.ts';
import { LOAD_NAMES, type LoadName } from './loads/index.ts';

/** Most of them have the fewest nodes that keep a quorum apart from a minority: what is found, is found there. */
const SIZES = [3, 3, 3, 3, 3, 3, 4, 5, 6, 7] as const;

/** One thing that goes wrong, as data: so that a failing list of them shrinks. */
export interface Fault {
  readonly fault: keyof typeof FAULTS;
  readonly node: string;
  readonly other: string;
  /** After the one before it began. */
  readonly afterMs: number;
  /** 0 … 12,000; each fault reads its own strength from it. */
  readonly forMs: number;
}
/** How bad the network and the store are all the time; shares in per mille. */
export interface BadWeather {
  readonly linkMs: number;
  readonly storeMs: number;
  readonly watchMs: number;
  readonly drop: number;
  readonly duplicate: number;
  readonly watchReset: number;
  readonly unknownApplied: number;
  readonly unknownLost: number;
  readonly late: number;
  readonly staleRead: number;
}
export interface Plan {
  /** n1 … n7. */
  readonly nodes: number;
  readonly loads: readonly LoadName[];
  readonly weather: BadWeather;
  readonly faults: readonly Fault[];
}
export const nodesOf = ({ nodes }: Pick<Plan, 'nodes'>): readonly string[] => [...Array(nodes).keys()].map((index) => `n${index + 1}`);

export const CALM: BadWeather = {
  ...{ linkMs: 2, storeMs: 1, watchMs: 5, drop: 0, duplicate: 0 },
  ...{ watchReset: 0, unknownApplied: 0, unknownLost: 0, late: 0, staleRead: 0 },
};

export const settingsOf = (weather: BadWeather): FaultSettings => ({
  link: { delayMs: [0, weather.linkMs], drop: weather.drop / 1_000, duplicate: weather.duplicate / 1_000 },
  store: {
    delayMs: [0, weather.storeMs],
    watchDelayMs: [0, weather.watchMs],
    watchReset: weather.watchReset / 1_000,
    unknownApplied: weather.unknownApplied / 1_000,
    unknownLost: weather.unknownLost / 1_000,
    late: weather.late / 1_000,
    lateMs: [0, 4_000],
    staleRead: weather.staleRead / 1_000,
  },
});

/** How each fault is done to a world. Whatever it breaks, it heals by itself after a while. */
export const FAULTS = {
  'crash with proof': (world, { node, forMs }) => {
    world.crash(node, 1 + (forMs % 50));
    world.relaunch(node, 300 + forMs / 4);
  },
  crash: (world, { node, forMs }) => {
    world.crash(node);
    world.relaunch(node, 300 + forMs);
  },
  /** All of them at once, as when the power fails. */
  'cold restart': (world, { forMs }) => {
    for (const [index, name] of [...world.nodes.keys()].entries()) {
      world.crash(name);
      world.relaunch(name, 300 + (forMs / 12) * (index + 1));
    }
  },
  /** Half of the time it is only drained, and comes back to work. */
  leave: (world, { node, forMs }) => {
    const cluster = world.nodes.get(node)?.member?.cluster;
    if (forMs % 2 === 1 && cluster !== undefined) {
      world.note(`${node} is drained`);
      cluster.drain({ timeoutMs: 3_000 + forMs }).catch(() => undefined);
      world.clock.after(500 + forMs, () => void cluster.cordon(false, { timeoutMs: 5_000 }).catch(() => undefined));
      return;
    }
    void world.leave(node).then(() => world.relaunch(node, 300 + forMs / 2));
  },
  pause: (world, { node, forMs }) => {
    world.pause(node);
    world.clock.after(200 + forMs * 0.75, () => world.resume(node));
  },
  /** The machine: its monotonic clock stands still too. */
  sleep: (world, { node, forMs }) => {
    world.pause(node, true);
    world.clock.after(200 + forMs * 0.75, () => world.resume(node));
  },
  /** Pauses just under the lease, or just over it, in quick succession. */
  flap: (world, { node, forMs }) => {
    const pauseMs = forMs < 6_000 ? 4_000 + forMs / 12 : 4_500 + forMs / 8;
    for (let time = 0; time < 3; time++) {
      world.clock.after(time * (pauseMs + 400), () => world.pause(node));
      world.clock.after(time * (pauseMs + 400) + pauseMs, () => world.resume(node));
    }
  },
  isolate: (world, { node, forMs }) => {
    world.note(`${node} isolated`);
    world.network.faults.isolate(node);
    healLater(world, node, forMs);
  },
  'store cut': (world, { node, forMs }) => {
    world.note(`${node} cut from the store`);
    world.network.faults.cutStore(node);
    healLater(world, node, forMs);
  },
  stranded: (world, { node, forMs }) => {
    world.note(`${node} at a server that is cut off`);
    world.network.faults.strand(node);
    healLater(world, node, forMs);
  },
  'one way': (world, { node, other, forMs }) => {
    world.note(`nothing from ${node} reaches ${other}`);
    world.network.faults.cut(node, other);
    healLater(world, node, forMs);
  },
  election: (world, { forMs }) => world.election(3_000 + forMs / 2),
  /** Two minutes back … two minutes on. */
  'wall jump': (world, { node, forMs }) => {
    const ms = (forMs - 6_000) * 20;
    world.note(`the wall clock of ${node} jumps by ${ms} ms`);
    world.nodes.get(node)?.clock.jumpWall(ms);
  },
  'clock rate': (world, { node, forMs }) => {
    const rate = 0.96 + (forMs / 12_000) * 0.08;
    world.note(`the clocks of ${node} run at ${rate.toFixed(3)}`);
    world.nodes.get(node)?.clock.setRate(rate);
  },
} as const satisfies Readonly<Record<string, (world: SimWorld, fault: FaultData) => void>>;
type FaultData = Pick<Fault, 'node' | 'other' | 'forMs'>;
export type FaultName = keyof typeof FAULTS;

function healLater(world: SimWorld, node: string, forMs: number): void {
  world.clock.after(500 + forMs, () => {
    world.network.faults.heal(node);
    world.note(`${node} healed`);
  });
}

const share = (most: number) =>
  fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, { weight: 2, arbitrary: fc.integer({ min: 1, max: most }) });
const weather: fc.Arbitrary<BadWeather> = fc.record({
  linkMs: fc.constantFrom(2, 20),
  storeMs: fc.constantFrom(1, 15),
  watchMs: fc.constantFrom(5, 800),
  drop: share(50),
  duplicate: share(50),
  watchReset: share(10),
  unknownApplied: share(50),
  unknownLost: share(50),
  late: share(30),
  staleRead: share(200),
});

export interface PlanChoice {
  /** Most faults in a plan. */
  readonly most?: number;
  readonly nodes?: number;
  /** Default: all. */
  readonly loads?: readonly LoadName[];
}
/** Plans of these faults alone. */
export const plansOf = (kinds: readonly FaultName[], { most = 10, nodes = 3, loads = LOAD_NAMES }: PlanChoice = {}): fc.Arbitrary<Plan> => {
  const names = nodesOf({ nodes });
  return fc.record({
    nodes: fc.constant(nodes),
    loads: fc.constant(loads),
    weather,
    faults: fc.array(
      fc.record({
        fault: fc.constantFrom(...kinds),
        node: fc.constantFrom(...names),
        other: fc.constantFrom(...names),
        afterMs: fc.integer({ min: 100, max: 7_000 }),
        forMs: fc.integer({ min: 0, max: 12_000 }),
      }),
      { minLength: kinds.length === 0 ? 0 : 1, maxLength: kinds.length === 0 ? 0 : most, size: 'max' },
    ),
  });
};

/** Swarm testing: each seed has some kinds of faults and of work at all, and the others never, and nodes of its own number. */
export function swarmOf(seed: number, nodes?: number): fc.Arbitrary<Plan> {
  const random = seededRandom(seed).fork('swarm');
  const kinds = (Object.keys(FAULTS) as FaultName[]).filter(() => random.next() < 0.4);
  const loads = LOAD_NAMES.filter(() => random.next() < 0.45);
  const size = SIZES[random.between(0, SIZES.length - 1)] as number;
  return plansOf(kinds.length === 0 ? ['election'] : kinds, {
    nodes: nodes ?? size,
    loads: loads.length < 2 ? LOAD_NAMES : loads,
  });
}
/** Every kind of fault and of work, at three times the pace. */
export function stormOf(seed: number, nodes = 3): Plan {
  const plan = planOf(seed, plansOf(Object.keys(FAULTS) as FaultName[], { most: 40, nodes }));
  return { ...plan, faults: plan.faults.map((fault) => ({ ...fault, afterMs: Math.ceil(fault.afterMs / 3) })) };
}
export function planOf(seed: number, arbitrary = swarmOf(seed)): Plan {
  const [plan] = fc.sample(arbitrary, { seed, numRuns: 1 });
  if (plan === undefined) throw new Error('fast-check gave no plan');
  return plan;
}
