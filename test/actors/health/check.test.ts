import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  CHECKS,
  consider,
  type HealthCheck,
  type Level,
  type Turn,
  UNSEEN,
  type Watched,
  withThresholds,
} from '../../../actors/health/check.ts';

const check: HealthCheck = { name: 'c', unit: 'ms', value: () => 0, warn: 100, critical: 1_000 };
/** What is told of these values, a second apart, and where it ends. */
function run(values: readonly (number | undefined)[]): { readonly turns: readonly Turn[]; readonly end: Watched } {
  const turns: Turn[] = [];
  let end = UNSEEN;
  for (const [at, value] of values.entries()) {
    const [now, turn] = consider(end, check, value, at * 1_000);
    end = now;
    if (turn !== undefined) turns.push(turn);
  }
  return { turns, end };
}

describe('an alert', () => {
  test('is raised by the second look in a row and resolved by the third below nine tenths of the threshold', () => {
    expect(run([5, 150]).turns).toEqual([]);
    expect(run([5, 150, 160]).turns).toEqual([{ level: 'warn', before: 'ok', value: 160, threshold: 100 }]);
    const { turns, end } = run([150, 160, 95, 95, 95, 95, 80, 80, 70]);
    expect(turns.map(({ level, threshold }) => [level, threshold])).toEqual([
      ['warn', 100],
      ['ok', 100],
    ]);
    expect(end).toMatchObject({ level: 'ok', value: 70, sinceMs: 8_000 });
  });

  test('is not raised by one bad look, nor resolved by one good one', () => {
    expect(run([5, 5_000, 5, 5_000, 5]).turns).toEqual([]);
    expect(run([150, 150, 5, 5, 150, 5, 5, 150]).turns).toHaveLength(1);
  });

  test('rises to what all looks of the row say, goes up from warn to critical, and comes down by its own threshold', () => {
    expect(run([150, 5_000]).turns.map(({ level }) => level)).toEqual(['warn']);
    const { turns } = run([150, 5_000, 5_000, 5_000, 950, 950, 950, 850, 850, 850, 5, 5, 5]);
    expect(turns.map(({ before, level, threshold }) => [before, level, threshold])).toEqual([
      ['ok', 'warn', 100],
      ['warn', 'critical', 1_000],
      ['critical', 'warn', 1_000],
      ['warn', 'ok', 100],
    ]);
  });

  test('is neither raised nor resolved by what a sample does not tell', () => {
    expect(run([150, undefined, Number.NaN, 160]).turns).toHaveLength(1);
    expect(run([150, 160, undefined, undefined, undefined, undefined]).end.level).toBe('warn');
    expect(run([undefined]).end).toEqual(UNSEEN);
  });

  test('whatever the values: each turn begins where the last one ended, none repeats, and a steady value is told at most once', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.double({ min: 0, max: 3_000, noNaN: true }), fc.constant(undefined)), { maxLength: 60 }),
        (values) => {
          const { turns, end } = run(values);
          let level: Level = 'ok';
          for (const turn of turns) {
            expect(turn.before).toBe(level);
            expect(turn.level).not.toBe(level);
            level = turn.level;
          }
          expect(end.level).toBe(level);
          const steady = values.at(-1) ?? 0;
          expect(run([...values, ...Array<number>(10).fill(steady)]).turns.length - turns.length).toBeLessThanOrEqual(2);
          expect(run([...values, ...Array<number>(10).fill(steady)]).turns).toEqual(
            run([...values, ...Array<number>(20).fill(steady)]).turns,
          );
        },
      ),
    );
  });
});

test('thresholds that make no sense, or are for no check, are refused by name', () => {
  const given = withThresholds(CHECKS, { 'loop-lag': { warn: 50 }, memory: { warn: 0.1, critical: 0.2 } });
  expect(given.find(({ name }) => name === 'loop-lag')).toMatchObject({ warn: 50, critical: 1_000 });
  expect(given.find(({ name }) => name === 'memory')).toMatchObject({ warn: 0.1, critical: 0.2 });
  for (const wrong of [
    { lag: {} },
    { memory: { warn: 2 } },
    { memory: { warn: 0 } },
    { heap: { critical: Number.NaN } },
    { __proto__x: {} },
  ])
    expect(() => withThresholds(CHECKS, wrong)).toThrow(expect.objectContaining({ code: 'invalid-definition' }));
});
