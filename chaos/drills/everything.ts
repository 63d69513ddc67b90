import type { SeededRandom } from '../../src/memory/random.ts';
import type { Fault } from '../fault.ts';
import { type DrillKind, pick, rounds, waitOf } from './drill-kind.ts';
import { takenOver } from './purposes.ts';

type Maker = (random: SeededRandom) => Fault;
const some =
  (leastMs: number, mostMs: number, make: (forMs: number, random: SeededRandom) => Fault): Maker =>
  (random) =>
    make(random.between(leastMs, mostMs), random);

/** What goes on for a while, so that it may go on together with something else. */
const LASTING: readonly Maker[] = [
  some(3_000, 12_000, (forMs) => ({ fault: 'kill', target: 'node', forMs })),
  some(6_000, 14_000, (forMs) => ({ fault: 'kill', target: 'node', silent: true, forMs })),
  some(5_000, 12_000, (forMs) => ({ fault: 'kill', target: 'store-leader', forMs })),
  some(5_000, 12_000, (forMs) => ({ fault: 'kill', target: 'server', forMs })),
  some(1_000, 14_000, (forMs) => ({ fault: 'pause', target: 'node', forMs })),
  some(1_000, 9_000, (forMs) => ({ fault: 'pause', target: 'store-leader', forMs })),
  some(4_000, 15_000, (forMs, random) => ({
    fault: 'partition',
    shape: pick(random, 'halves', 'minority', 'isolate', 'one-way', 'partial', 'ring', 'bridge', 'servers', 'stranded'),
    forMs,
  })),
  some(4_000, 12_000, (forMs, random) => ({ fault: 'loss', percent: pick(random, 1, 10, 30), forMs })),
  some(4_000, 12_000, (forMs, random) => ({ fault: 'delay', delayMs: pick(random, 20, 200, 600), jitterMs: 100, forMs })),
  some(4_000, 10_000, (forMs) => ({ fault: 'slice', bytes: 7, forMs })),
  some(4_000, 9_000, (forMs) => ({ fault: 'half-open', target: 'node', forMs })),
  some(3_000, 12_000, (forMs) => ({ fault: 'link-down', target: 'node', forMs })),
  some(4_000, 10_000, (forMs) => ({ fault: 'slow-consumer', forMs })),
  some(4_000, 10_000, (forMs, random) => ({ fault: 'clock-rate', rate: pick(random, 0.5, 2), forMs })),
  some(3_000, 8_000, (forMs) => ({ fault: 'disk-full', target: 'server', forMs })),
  some(3_000, 8_000, (forMs) => ({ fault: 'no-descriptors', forMs })),
  some(500, 9_000, (forMs) => ({ fault: 'block-loop', forMs })),
  some(4_000, 9_000, (forMs) => ({ fault: 'starve', percent: 10, forMs })),
  some(4_000, 10_000, (forMs) => ({ fault: 'duplicates', forMs })),
  some(4_000, 10_000, (forMs) => ({ fault: 'lost-answers', forMs })),
  some(4_000, 9_000, (forMs) => ({ fault: 'revoke', forMs })),
];
const ONCE: readonly Maker[] = [
  () => ({ fault: 'restart', target: 'node', forMs: 500 }),
  () => ({ fault: 'restart', target: 'server', forMs: 500 }),
  () => ({ fault: 'reset', target: 'node' }),
  (random) => ({ fault: 'clock-jump', byMs: pick(random, -600_000, -5_000, 5_000, 600_000) }),
  (random) => ({ fault: 'garbage', count: random.between(50, 500) }),
  (random) => ({ fault: 'flap', target: 'node', times: random.between(2, 4), everyMs: random.between(500, 3_000) }),
  () => ({ fault: 'join-storm', count: 1, forMs: 5_000 }),
];

const WORKS = ['register', 'counter', 'list', 'journal', 'letters', 'bank', 'lock', 'churn', 'echo', 'topics'] as const;
const SHARE = 0.6;

/** Swarm testing: each seed has some workloads and some kinds of faults at all and never the others, some faults two at a time. */
export const everything: DrillKind = {
  name: 'everything',
  about:
    'Some workloads and some kinds of faults, by the seed, one after the other and two at a time; what the world cannot do is left out.',
  promises: ['C1', 'C2', 'C3', 'C5', 'C6', 'C10', 'M3'],
  nodes: 5,
  servers: 3,
  minutes: 3,
  workloads: WORKS,
  worksOf: (random) => {
    const some = WORKS.filter(() => random.next() < SHARE);
    return some.length === 0 ? [pick(random, ...WORKS)] : some;
  },
  faults: (random, durationMs) => {
    const lasting = LASTING.filter(() => random.next() < 0.4);
    const once = ONCE.filter(() => random.next() < 0.4);
    const long = lasting.length === 0 ? LASTING : lasting;
    const one = (makers: readonly Maker[]): Fault => (makers[random.between(0, makers.length - 1)] as Maker)(random);
    return rounds(durationMs, (index) => {
      // Whatever else the seed has: somebody has to take over.
      if (index === 0) return [{ fault: 'kill', target: 'node', forMs: 5_000 }, waitOf(random, 1_000, 5_000)];
      const next: Fault =
        random.next() < 0.3
          ? { fault: 'together', faults: [one(long), one(long)] }
          : one(once.length > 0 && random.next() < 0.3 ? once : long);
      return [next, waitOf(random, 500, 9_000)];
    });
  },
  purposes: [takenOver],
  swarm: true,
};
