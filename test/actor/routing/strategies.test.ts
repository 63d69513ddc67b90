import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { consistentHash, consistentHashSpec, hashOf } from '../../../src/actor/routing/consistent-hash.ts';
import { type Latency, latencyAware, latencyAwareSpec } from '../../../src/actor/routing/latency-aware.ts';
import { leastLoadedSpec } from '../../../src/actor/routing/least-loaded.ts';
import { randomSpec } from '../../../src/actor/routing/random.ts';
import { roundRobinSpec } from '../../../src/actor/routing/round-robin.ts';
import { type Candidate, type RoutingSpec, routing } from '../../../src/actor/routing/routing.ts';
import { seededRandom } from '../../../src/memory/random.ts';

const candidate = (key: string, more: Partial<Candidate<Latency>> = {}): Candidate<never> =>
  ({ key, outstanding: 0, waiting: 0, learned: undefined, ...more }) as Candidate<never>;
const named = (count: number) => Array.from({ length: count }, (_, index) => candidate(`r${index}`));

/** Where so many messages went. */
function spread<M, S>(spec: RoutingSpec<M, S, never>, candidates: readonly Candidate<never>[], messages: readonly M[], seed = 1): number[] {
  const counts = candidates.map(() => 0);
  const random = seededRandom(seed);
  let state = spec.start;
  for (const message of messages) {
    const [index, next] = spec.choose(state, candidates, message, random, 0);
    state = next;
    counts[index] = (counts[index] ?? 0) + 1;
  }
  return counts;
}
const skew = (counts: readonly number[]): number => Math.max(...counts) - Math.min(...counts);

describe('skew is bounded', () => {
  test('round robin: by one message, for any number of routees and messages', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 0, max: 500 }), (routees, messages) => {
        expect(skew(spread(roundRobinSpec, named(routees), Array(messages).fill(0)))).toBeLessThanOrEqual(1);
      }),
    );
  });

  test('least loaded: by one request, whatever is answered meanwhile', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 20 }), fc.array(fc.nat(), { maxLength: 200 }), fc.integer(), (count, done, seed) => {
        const random = seededRandom(seed);
        const routees = named(count).map((each) => ({ ...each, outstanding: 0 }));
        for (const each of done) {
          const [index] = leastLoadedSpec.choose(undefined, routees, 0, random, 0);
          const chosen = routees[index] as { outstanding: number };
          expect(chosen.outstanding).toBe(Math.min(...routees.map(({ outstanding }) => outstanding)));
          chosen.outstanding++;
          const ends = routees[each % count] as { outstanding: number };
          if (each % 3 === 0 && ends.outstanding > 0) ends.outstanding--;
        }
      }),
    );
  });

  test('random and consistent hashing: within a third of the mean over ten routees', () => {
    const messages = Array.from({ length: 20_000 }, (_, index) => `key-${index}`);
    for (const spec of [randomSpec, consistentHashSpec<unknown>(String, { virtualNodes: 200 })]) {
      for (const count of spread(spec as RoutingSpec<unknown, undefined, never>, named(10), messages)) {
        expect(count, spec.name).toBeGreaterThan(2_000 * (2 / 3));
        expect(count, spec.name).toBeLessThan(2_000 * (4 / 3));
      }
    }
  });
});

describe('least loaded', () => {
  test('counts what waits in a mailbox as much as what it sent itself', () => {
    const routees = [candidate('a', { waiting: 5 }), candidate('b', { outstanding: 3, waiting: 2 }), candidate('c', { outstanding: 4 })];
    for (let seed = 0; seed < 20; seed++) expect(leastLoadedSpec.choose(undefined, routees, 0, seededRandom(seed), 0)[0]).toBe(1);
  });
});

describe('consistent hashing', () => {
  const keyed = consistentHashSpec<string>((key) => key);
  const owners = (routees: readonly Candidate<never>[], keys: readonly string[]): string[] => {
    let state = keyed.start;
    return keys.map((key) => {
      const [index, next] = keyed.choose(state, routees, key, seededRandom(1), 0);
      state = next;
      return (routees[index] as Candidate).key;
    });
  };
  const routeeNames = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 12 }), { minLength: 2, maxLength: 12 });
  const keys = fc.array(fc.string({ maxLength: 20 }), { minLength: 1, maxLength: 200 });

  test('equal keys go to one routee, in whatever order the routees are listed', () => {
    fc.assert(
      fc.property(routeeNames, keys, (names, sent) => {
        const routees = names.map((name) => candidate(name));
        expect(owners([...routees].reverse(), sent)).toEqual(owners(routees, sent));
      }),
      { numRuns: 40 },
    );
  });

  test('when a routee leaves only its own keys move, and they come back with it', () => {
    fc.assert(
      fc.property(routeeNames, keys, fc.nat(), (names, sent, nth) => {
        const routees = names.map((name) => candidate(name));
        const lost = names[nth % names.length] as string;
        const before = owners(routees, sent);
        const after = owners(
          routees.filter(({ key }) => key !== lost),
          sent,
        );
        for (const [index, owner] of before.entries()) {
          if (owner === lost) expect(after[index]).not.toBe(lost);
          else expect(after[index]).toBe(owner);
        }
        expect(owners([...routees], sent)).toEqual(before);
      }),
      { numRuns: 40 },
    );
  });

  test('the ring is made once for one list of routees', () => {
    const routees = named(5);
    const [, first] = keyed.choose(undefined, routees, 'a', seededRandom(1), 0);
    expect(keyed.choose(first, routees, 'b', seededRandom(1), 0)[1]).toBe(first);
    expect(keyed.choose(first, [...routees], 'b', seededRandom(1), 0)[1]).not.toBe(first);
  });

  test('a hash is that of the text and of nothing else, with its bits spread', () => {
    expect([hashOf(''), hashOf('a'), hashOf('ä')]).toEqual([hashOf(''), hashOf('a'), hashOf('ä')]);
    const near = new Set(Array.from({ length: 1_000 }, (_, index) => hashOf(`nexa://n1.1/a#${index}`) >>> 22));
    expect(near.size).toBeGreaterThan(500);
  });

  test('a key that cannot be told, or is no text, is the fault of the message', () => {
    for (const keyOf of [
      () => {
        throw new Error('planted');
      },
      () => 7 as unknown as string,
    ]) {
      expect(() => consistentHashSpec(keyOf).choose(undefined, named(2), 0, seededRandom(1), 0)).toThrow(
        expect.objectContaining({ code: 'invalid-message', definite: true }),
      );
    }
    for (const virtualNodes of [0, 1.5, 1_001, Number.NaN])
      expect(() => consistentHash(String, { virtualNodes })).toThrow(expect.objectContaining({ code: 'invalid-definition' }));
  });
});

describe('latency aware', () => {
  const spec = latencyAwareSpec({ decayMs: 1_000 });
  const learn = spec.learn as NonNullable<typeof spec.learn>;
  const choices = (routees: readonly Candidate<never>[], nowMs: number): number[] => {
    const counts = routees.map(() => 0);
    const random = seededRandom(3);
    for (let each = 0; each < 3_000; each++) {
      const [index] = spec.choose(undefined, routees, 0, random, nowMs);
      counts[index] = (counts[index] ?? 0) + 1;
    }
    return counts;
  };

  test('a slow answer counts at once, a fast one over time', () => {
    const fast = learn(undefined, 10, 0);
    const slow = learn(fast, 500, 1_000);
    expect([fast.costMs, slow.costMs]).toEqual([10, 500]);
    const better = learn(slow, 10, 2_000);
    expect(better.costMs).toBeGreaterThan(10);
    expect(better.costMs).toBeLessThan(250);
  });

  test('of three the slowest is chosen only against itself, that is never, and the others alike', () => {
    const [a, b, slow] = choices(
      [
        candidate('a', { learned: { costMs: 10, atMs: 0 } }),
        candidate('b', { learned: { costMs: 10, atMs: 0 } }),
        candidate('slow', { learned: { costMs: 1_000, atMs: 0 } }),
      ],
      0,
    ) as [number, number, number];
    expect(slow).toBe(0);
    expect(Math.abs(a - b)).toBeLessThan(300);
  });

  test('one that was slow is tried again when nobody has asked it for long', () => {
    const routees = [candidate('a', { learned: { costMs: 10, atMs: 20_000 } }), candidate('slow', { learned: { costMs: 1_000, atMs: 0 } })];
    expect(choices(routees, 20_000)[1]).toBe(3_000);
  });

  test('one that has not answered yet gets a first request and no second one', () => {
    const known = candidate('a', { learned: { costMs: 400, atMs: 0 }, outstanding: 3 });
    expect(choices([known, candidate('new')], 0)[1]).toBe(3_000);
    expect(choices([known, candidate('new', { outstanding: 1 })], 0)[1]).toBe(0);
  });

  test('what is no time to forget in is refused', () => {
    for (const decayMs of [0, -1, Number.NaN, 3_600_001])
      expect(() => latencyAware({ decayMs })).toThrow(expect.objectContaining({ code: 'invalid-definition' }));
  });
});

test('a strategy of one’s own that chooses nobody is told so', () => {
  const chooser = routing({ name: 'odd', start: 0, choose: () => [7, 0] }).begin(seededRandom(1));
  expect(() => chooser.choose(named(2), 0, 0, false)).toThrow(expect.objectContaining({ code: 'invalid-definition' }));
});
