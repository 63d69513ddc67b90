import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createCodec } from '../../../src/cluster/codec.ts';
import { happen, happenings, kinds, REPLICAS } from './kinds.ts';

const RUNS = { numRuns: 2_000 };
const codec = createCodec();

describe.each(kinds)('$name', (each) => {
  const { kind } = each;
  const world = happenings(each).map((all) => happen(each, all));
  /** Anything that merging can be given: values and deltas, of histories that knew each other or not. */
  const some = fc.tuple(world, fc.nat(), fc.boolean()).map(([{ values, deltas }, pick, small]) => {
    const from = small && deltas.length > 0 ? deltas : values;
    return from[pick % from.length];
  });
  /** Three of one history. */
  const three = fc.tuple(world, fc.array(fc.nat(), { minLength: 3, maxLength: 3 })).map(([{ values, deltas }, picks]) => {
    const all = [...values, ...deltas];
    return picks.map((pick) => all[pick % all.length]);
  });

  test.each([
    ['one history', three],
    ['strangers that use the same names', fc.array(some, { minLength: 3, maxLength: 3 })],
  ])('merging is commutative, associative and idempotent: %s', (_, drawn) => {
    fc.assert(
      fc.property(drawn, ([a, b, c]) => {
        expect(kind.merge(a, b)).toEqual(kind.merge(b, a));
        expect(kind.merge(kind.merge(a, b), c)).toEqual(kind.merge(a, kind.merge(b, c)));
        expect(kind.merge(a, a)).toEqual(a);
        expect(kind.merge(a, kind.empty)).toEqual(a);
      }),
      RUNS,
    );
  });

  test('it is monotone: what was merged stays merged', () => {
    fc.assert(
      fc.property(world, ({ seen }) => {
        for (const path of seen)
          for (const [index, before] of path.entries())
            for (const after of path.slice(index)) expect(kind.merge(after, before)).toEqual(after);
      }),
      { numRuns: 500 },
    );
  });

  test('a delta does what the whole value does', () => {
    fc.assert(
      fc.property(world, each.change, ({ values }, change) => {
        const [mine, other] = values;
        const delta = change(mine, 'r0', 20_000);
        const whole = kind.merge(mine, delta);
        expect(kind.merge(kind.merge(other, mine), delta)).toEqual(kind.merge(other, whole));
      }),
      RUNS,
    );
  });

  test('all replicas are equal once each has every delta, in any order, whatever was lost or doubled before', () => {
    fc.assert(
      fc.property(world, fc.infiniteStream(fc.nat()), ({ values, deltas }, draws) => {
        const all = values.map((value) => {
          const order = deltas.map((delta) => ({ delta, at: draws.next().value as number })).sort((a, b) => a.at - b.at);
          return order.reduce((merged: unknown, { delta }) => kind.merge(merged, delta), value);
        });
        for (const value of all) expect(value).toEqual(all[0]);
      }),
      RUNS,
    );
  });

  test('a digest brings what is missing and nothing else', () => {
    fc.assert(
      fc.property(world, ({ values }) => {
        const [mine, theirs] = values;
        const delta = kind.deltaSince(mine, kind.digest(theirs));
        const merged = kind.merge(theirs, mine);
        if (delta === undefined) expect(merged).toEqual(theirs);
        else {
          expect(kind.merge(theirs, delta)).toEqual(merged);
          expect(merged).not.toEqual(theirs);
          // Nothing of it was known, and a second one is empty.
          expect(kind.deltaSince(delta, kind.digest(theirs))).toEqual(delta);
          expect(kind.deltaSince(delta, kind.digest(merged))).toBeUndefined();
        }
        expect(kind.deltaSince(mine, kind.digest(mine))).toBeUndefined();
        expect(kind.deltaSince(merged, kind.digest(kind.empty)) ?? kind.empty).toEqual(merged);
      }),
      RUNS,
    );
  });

  test('what is sent arrives as it was, in both encodings', () => {
    fc.assert(
      fc.property(world, ({ values, deltas }) => {
        for (const value of [...values, ...deltas]) {
          for (const there of [codec.decode(codec.encode(value)), JSON.parse(JSON.stringify(value))])
            expect(kind.parse(there)).toEqual(value);
          const digest = kind.digest(value);
          for (const there of [codec.decode(codec.encode(digest)), JSON.parse(JSON.stringify(digest))])
            expect(kind.parseDigest(there)).toEqual(digest);
        }
      }),
      { numRuns: 300 },
    );
  });

  test('hostile data is refused as invalid-message, or merges like any other', () => {
    const hostile = fc.oneof(
      fc.anything({ maxDepth: 4 }),
      fc.tuple(world, fc.nat(), fc.anything()).map(([{ values }, at, poison]) => poisoned(values[at % REPLICAS.length], at, poison)),
    );
    fc.assert(
      fc.property(hostile, some, (data, value) => {
        for (const parse of [kind.parse, kind.parseDigest]) {
          let there: unknown;
          try {
            there = parse(data);
          } catch (error) {
            expect(error).toMatchObject({ name: 'NexaError' });
            expect(['invalid-message', 'not-encodable', 'payload-too-large']).toContain((error as { code: string }).code);
            continue;
          }
          if (parse === kind.parse) expect(kind.merge(value, there)).toEqual(kind.merge(there, value));
          else kind.deltaSince(value, there);
        }
      }),
      RUNS,
    );
  });
});

/** A value with one leaf or branch of it replaced. */
function poisoned(value: unknown, at: number, poison: unknown): unknown {
  if (typeof value !== 'object' || value === null || Object.keys(value).length === 0) return poison;
  const keys = Object.keys(value);
  const key = keys[at % keys.length] as string;
  const copy = (Array.isArray(value) ? [...value] : { ...value }) as Record<string, unknown>;
  copy[key] = at % 3 === 0 ? poison : poisoned(copy[key], Math.floor(at / 3), poison);
  return copy;
}
