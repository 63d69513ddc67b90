import { describe, expect, test } from 'vitest';
import { changes } from '../../bench/suite/compare.ts';
import { blocks, document } from '../../bench/suite/document.ts';
import { type Row, ratioOf, ratios, spread, targets } from '../../bench/suite/figures.ts';
import { type BenchRecord, compared, figures, paragraphs, plain, reached, table } from '../../bench/suite/report.ts';
import { faultOf } from '../../bench/suite/run.ts';
import type { Contender, Workload } from '../../bench/suite/workload.ts';

const more = { unit: 'messages/s', better: 'more' } as const;
const less = { unit: 'B', better: 'less', steady: true } as const;
const contender: Contender = { run: () => Promise.reject(new Error('not here')) };
const workload: Workload = {
  name: 'tell',
  about: 'Messages are told.',
  measures: { rate: more, size: less },
  cases: [''],
  contenders: { nexa: contender, peer: contender },
  reach: [
    { measure: 'rate', beside: 'peer', ratio: 6 },
    { measure: 'size', limit: 900 },
    { measure: 'size', beside: 'peer', ratio: 1 },
  ],
  words: 'One process.',
};
const row = (name: string, values: Row['values'], at = ''): Row => ({ workload: 'tell', at, contender: name, values });
const rows = [row('nexa', { rate: [600, 700, 800], size: [850, 850, 850] }), row('peer', { rate: [100, 100, 100], size: [425, 425, 425] })];
const record = (seen: readonly Row[]): BenchRecord => ({
  version: 1,
  at: '2026-01-02T03:04:05.678Z',
  rounds: 3,
  scale: 1,
  machine: { cpu: 'one', cores: 2, memoryGiB: 4, os: 'linux 6', versions: { node: '20.1.2' } },
  rows: seen,
});

describe('figures', () => {
  test('a median is that of the middle, or between the two of the middle', () => {
    expect(spread([3, 1, 2])).toEqual({ median: 2, least: 1, most: 3 });
    expect(spread([10, 1, 2, 3])).toEqual({ median: 2.5, least: 1, most: 10 });
    expect(spread([]).median).toBeNaN();
  });
  test('a ratio above one is the better one, round by round', () => {
    expect(ratioOf(more, 6, 2)).toBe(3);
    expect(ratioOf(less, 6, 2)).toBe(1 / 3);
    expect([ratioOf(less, 0, 0), ratioOf(less, 1, 0)]).toEqual([1, 0]);
    expect(ratios(more, [2, 9, 8], [1, 3])).toEqual([2, 3]);
  });
  test('three figures count', () => {
    expect([0.123456, 1.5, 12.34, 999.4, 1_234_567, Number.NaN, Number.POSITIVE_INFINITY].map(plain)).toEqual([
      '0.123',
      '1.5',
      '12.3',
      '999',
      '1,230,000',
      '–',
      '–',
    ]);
  });
});

describe('targets', () => {
  const met = (seen: readonly Row[], of: Workload = workload) => targets(of, seen).map((target) => target.met);
  test('a ratio and a limit are reached by the median', () => expect(met(rows)).toEqual([true, true, false]));
  test('at most is at most, and at least is at least', () => {
    const limit = (measure: string, limit: number): Workload => ({ ...workload, reach: [{ measure, limit }] });
    expect([849, 850].map((size) => met(rows, limit('size', size))[0])).toEqual([false, true]);
    expect([700, 701].map((rate) => met(rows, limit('rate', rate))[0])).toEqual([true, false]);
  });
  test('what was not measured is not reached, and not forgotten', () => {
    expect(met([rows[0] as Row])).toEqual([undefined, true, undefined]);
    expect(reached([workload], [rows[0] as Row])).toMatch(/tell: rate of nexa +\| 6 × peer +\| – +\| +\| not measured \|/);
  });
  test('each case has its own', () => {
    const cases: Workload = { ...workload, cases: ['1', '64'], reach: [{ measure: 'rate', at: '64', beside: 'peer', ratio: 2 }] };
    expect(met([row('nexa', { rate: [2] }, '64'), row('peer', { rate: [1] }, '64')], cases)).toEqual([true]);
  });
});

describe('a run counts', () => {
  const seen = { values: { rate: 1 }, expected: 3, seen: 3 };
  test.each([
    [seen, undefined],
    [{ ...seen, seen: 2 }, '2 of 3 were accounted for'],
    [{ ...seen, seen: 4 }, '4 of 3 were accounted for'],
    [{ ...seen, expected: 0, seen: 0 }, 'nothing was expected: 0'],
    [{ ...seen, values: {} }, 'it measured nothing'],
    [{ ...seen, values: { rate: Number.POSITIVE_INFINITY } }, 'rate is Infinity'],
    [{ ...seen, values: { pace: 1 } }, 'nobody knows the measure pace'],
  ])('%j: %s', (each, fault) => expect(faultOf(each, workload.measures)).toBe(fault));
});

describe('compared with another record', () => {
  const scaled = (by: number, kind: 'rate' | 'size'): readonly Row[] =>
    rows.map(({ values, ...each }) =>
      each.contender === 'nexa'
        ? { ...each, values: { ...values, [kind]: (values[kind] ?? []).map((value) => value * by) } }
        : { ...each, values },
    );
  const steadily = [row('nexa', { rate: [600, 600], size: [850, 850] }), row('peer', { rate: [100, 100] })];
  const now = (rate: number): readonly Row[] => [row('nexa', { rate: [rate, rate] }), row('peer', { rate: [100, 100] })];
  const worse = (then: readonly Row[], seen: readonly Row[]) =>
    changes([workload], record(then), record(seen)).flatMap((change) => (change.worse ? [`${change.measure} ${change.beside}`] : []));
  test('a ratio that fell by 26 % is a regression, by 24 % is none', () => {
    expect(worse(steadily, now(600 * 0.74))).toEqual(['rate peer']);
    expect(worse(steadily, now(600 * 0.76))).toEqual([]);
  });
  test('bytes are compared by their limit too, times are not', () => {
    expect(worse(rows, scaled(1.4, 'size'))).toEqual(['size peer', 'size its limit']);
    const times: Workload = { ...workload, measures: { ...workload.measures, size: { unit: 'ms', better: 'less' } } };
    expect(changes([times], record(rows), record(rows)).map(({ beside }) => beside)).toEqual(['peer', 'peer']);
  });
  test('a count that was to be none is compared as well', () => {
    const none: Workload = { ...workload, reach: [{ measure: 'size', limit: 0 }] };
    const counted = (size: number): readonly Row[] => [row('nexa', { size: [size] })];
    const judged = (size: number) => changes([none], record(counted(0)), record(counted(size))).map(({ worse }) => worse);
    expect([judged(0), judged(1)]).toEqual([[false], [true]]);
  });
  test('only what both have', () => {
    expect(changes([workload], record(rows), record([]))).toEqual([]);
    expect(compared([])).toBe('Nothing that the other record has was measured.');
    expect(compared(changes([workload], record(rows), record(rows)))).toContain('No ratio fell');
  });
});

describe('report', () => {
  test('a table is as wide as its widest cells', () => {
    expect(table(['a', 'bcd'], [['ef', 'g']])).toBe('| a  | bcd |\n|----|-----|\n| ef | g   |');
  });
  test('every figure has its peer or its limit beside it', () => {
    expect(figures(workload, rows).replaceAll(/ +/g, ' ').split('\n').slice(2)).toEqual([
      '| rate, messages/s | nexa | 700 | 600–800 | |',
      '| rate, messages/s | peer | 100 | 100–100 | 7 (6–8) |',
      '| size, B | nexa | 850 | 850–850 | |',
      '| size, B | peer | 425 | 425–425 | 0.5 (0.5–0.5) |',
      '| size, B | limit | at most 900 | | 1.06 (1.06–1.06) |',
    ]);
    expect(figures(workload, [])).toBe('Not measured.');
  });
  test('the words stand with the figures', () => {
    expect(paragraphs(workload, rows)).toMatch(/^Messages are told\.\n\n\| measure[\s\S]+\|\n\nOne process\.$/);
    expect(paragraphs({ ...workload, rounds: 2 }, rows)).toMatch(/\|\n\nAt most 2 rounds: one takes long\.\n\nOne process\.$/);
  });
});

describe('pages', () => {
  const shown = blocks({ local: [workload] }, [], record(rows));
  const block = (name: string, content = ''): string => `<!-- bench:${name} -->${content}<!-- end -->`;
  const page = `# Title\n\n${block('fast')}\n\n${block('machine')}\n\n${block('reached', '\nof yesterday\n')}\n\n${block('local')}\n\nwords`;
  test('blocks are written anew, the words around them stay', () => {
    const written = document({ page }, shown).page;
    expect(written).toContain('2026-01-02, 3 rounds. 2 × one, 4 GiB, linux 6; node 20.1.2.');
    expect(written).toContain('### tell\n\nMessages are told.');
    expect(written).not.toContain('yesterday');
    expect(written).toMatch(/^# Title[\s\S]+words$/);
    expect(document({ page: written }, shown).page).toBe(written);
  });
  test('a block that nobody knows and one without a place are refused', () => {
    expect(() => document({ page: page + block('tall') }, shown)).toThrow('no measurement tall');
    expect(() => document({ page: page.replace(block('local'), '') }, shown)).toThrow('no place for local');
    expect(document({ page: page.replace(block('local'), ''), other: block('local') }, shown).other).toContain('### tell');
  });
});
