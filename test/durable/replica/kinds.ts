import fc from 'fast-check';
import { replicatedMap, replicatedRecord } from '../../../src/durable/replica/composed.ts';
import { type LwwRegister, lwwRegister } from '../../../src/durable/replica/lww-register.ts';
import { orSet } from '../../../src/durable/replica/or-set.ts';
import { pnCounter } from '../../../src/durable/replica/pn-counter.ts';
import type { Replicated } from '../../../src/durable/replica/replicated.ts';

/** A kind with the changes that a test may draw: each makes the delta of one replica's value. */
export interface Kind<Value = unknown> {
  readonly name: string;
  readonly kind: Replicated<Value>;
  readonly change: fc.Arbitrary<(value: Value, replica: string, nowMs: number) => Value>;
}

export const sets = orSet<string>();
export const counters = pnCounter();
export const registers = lwwRegister<number>();
export const counterMaps = replicatedMap(counters);
export const records = replicatedRecord({ tags: sets, votes: counters, title: registers });

const element = fc.constantFrom('a', 'b', 'c', 'd');
type Change<Value> = (value: Value, replica: string, nowMs: number) => Value;
type Changes<Value> = fc.Arbitrary<Change<Value>>;
type Tags = typeof sets.empty;
const setChanges: Changes<Tags> = fc.oneof(
  {
    weight: 5,
    arbitrary: element.map(
      (each): Change<Tags> =>
        (value, replica) =>
          sets.add(value, each, replica),
    ),
  },
  {
    weight: 3,
    arbitrary: element.map(
      (each): Change<Tags> =>
        (value) =>
          sets.remove(value, each),
    ),
  },
  { weight: 1, arbitrary: fc.constant<Change<Tags>>((value) => sets.clear(value)) },
);
const counterChanges: Changes<typeof counters.empty> = fc
  .integer({ min: -5, max: 5 })
  .map((by) => (value, replica) => counters.add(value, by, replica));
const registerChanges: Changes<LwwRegister<number>> = fc
  .record({ to: fc.integer({ min: 0, max: 3 }), skewMs: fc.integer({ min: -1_000, max: 1_000 }) })
  .map(
    ({ to, skewMs }) =>
      (value, replica, nowMs) =>
        registers.set(value, to, { replica, nowMs: nowMs + skewMs }),
  );

export const kinds: readonly Kind[] = [
  { name: 'OR-set', kind: sets, change: setChanges },
  { name: 'PN-counter', kind: counters, change: counterChanges },
  { name: 'LWW register', kind: registers, change: registerChanges },
  {
    name: 'map of PN-counters',
    kind: counterMaps,
    change: fc.tuple(element, counterChanges).map(
      ([key, change]) =>
        (value, replica, nowMs) =>
          counterMaps.at(value, key, (inner) => change(inner, replica, nowMs)),
    ),
  } satisfies Kind<typeof counterMaps.empty>,
  {
    name: 'record of all three',
    kind: records,
    change: fc.oneof(
      setChanges.map(
        (change) => (value: typeof records.empty, replica: string, nowMs: number) =>
          records.delta({ tags: change(value.tags, replica, nowMs) }),
      ),
      counterChanges.map(
        (change) => (value: typeof records.empty, replica: string, nowMs: number) =>
          records.delta({ votes: change(value.votes, replica, nowMs) }),
      ),
      registerChanges.map(
        (change) => (value: typeof records.empty, replica: string, nowMs: number) =>
          records.delta({ title: change(value.title, replica, nowMs) }),
      ),
    ),
  } satisfies Kind<typeof records.empty>,
] as unknown as readonly Kind[];

export const REPLICAS = ['r0', 'r1', 'r2', 'r3'] as const;

/** What happened to four replicas: changes, and deltas and whole values that went from one to another, or did not. */
export type Happening =
  | { readonly what: 'change'; readonly at: number; readonly change: (value: unknown, replica: string, nowMs: number) => unknown }
  /** Some delta that was ever made arrives there, now, perhaps again. */
  | { readonly what: 'delta'; readonly at: number; readonly pick: number }
  | { readonly what: 'value'; readonly from: number; readonly at: number };
const replica = fc.nat({ max: REPLICAS.length - 1 });
export const happenings = (kind: Kind): fc.Arbitrary<readonly Happening[]> =>
  fc.array(
    fc.oneof(
      {
        weight: 4,
        arbitrary: fc.record({ what: fc.constant('change' as const), at: replica, change: kind.change as fc.Arbitrary<never> }),
      },
      { weight: 3, arbitrary: fc.record({ what: fc.constant('delta' as const), at: replica, pick: fc.nat({ max: 1_000 }) }) },
      { weight: 1, arbitrary: fc.record({ what: fc.constant('value' as const), from: replica, at: replica }) },
    ),
    { maxLength: 30 },
  );

/** What the replicas came to know, and every delta that was made. */
export function happen({ kind }: Kind, all: readonly Happening[]) {
  const values: unknown[] = REPLICAS.map(() => kind.empty);
  const deltas: unknown[] = [];
  const seen: unknown[][] = REPLICAS.map(() => [kind.empty]);
  const take = (at: number, delta: unknown): void => {
    values[at] = kind.merge(values[at], delta);
    seen[at]?.push(values[at]);
  };
  for (const [index, each] of all.entries()) {
    if (each.what === 'change') {
      const delta = each.change(values[each.at], REPLICAS[each.at] ?? '', 10_000 + 10 * index);
      deltas.push(delta);
      take(each.at, delta);
    } else if (each.what === 'value') take(each.at, values[each.from]);
    else if (deltas.length > 0) take(each.at, deltas[each.pick % deltas.length]);
  }
  return { values, deltas, seen };
}
