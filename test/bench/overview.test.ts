import { describe, expect, test } from 'vitest';
import { chart } from '../../bench/suite/chart.ts';
import { blocks, charted } from '../../bench/suite/document.ts';
import type { Row } from '../../bench/suite/figures.ts';
import { type Highlight, overview, shownOf } from '../../bench/suite/overview.ts';
import type { Contender, Workload } from '../../bench/suite/workload.ts';

const contender: Contender = { run: () => Promise.reject(new Error('not here')) };
const workloads: readonly Workload[] = [
  {
    name: 'tell',
    about: '',
    measures: { rate: { unit: 'messages/s', better: 'more' } },
    cases: ['1', '64'],
    contenders: { nexa: contender, peer: contender, bound: contender },
    reach: [],
  },
  {
    name: 'create',
    about: '',
    measures: { p99: { unit: 'ms until it runs', better: 'less' } },
    cases: [''],
    contenders: { nexa: contender },
    reach: [{ measure: 'p99', limit: 50 }],
  },
];
const row = (workload: string, at: string, name: string, values: Row['values']): Row => ({ workload, at, contender: name, values });
const rows = [
  row('tell', '64', 'nexa', { rate: [400, 800, 400] }),
  row('tell', '64', 'peer', { rate: [100, 200, 50] }),
  row('tell', '64', 'bound', { rate: [800, 1_600, 800] }),
  row('create', '', 'nexa', { p99: [5, 4, 6] }),
];
const highlights: readonly Highlight[] = [
  { what: 'messages <told> & "heard"', workload: 'tell', at: '64', measure: 'rate', beside: ['peer', 'bound'] },
  { what: 'an agent is created', workload: 'create', measure: 'p99', beside: [] },
];
const shown = shownOf(highlights, workloads, rows);

describe('how fast', () => {
  test('each highlight has its ratios, or what was asked of it', () => {
    expect(overview(shown).replaceAll(/ +/g, ' ').split('\n').slice(2)).toEqual([
      '| messages <told> & "heard" | 400 messages/s | 4 × peer, 0.5 × bound |',
      '| an agent is created | 5 ms | asked: at most 50 |',
    ]);
  });
  test('what was not measured is not shown', () => {
    expect(shownOf(highlights, workloads, rows.slice(0, 2))).toMatchObject([{ beside: [{ who: 'peer' }] }]);
    expect(overview([])).toBe('Not measured.');
  });
  test.each<[Partial<Highlight>, string]>([
    [{ workload: 'tall' }, 'nothing measures it'],
    [{ at: '65' }, 'nothing measures it'],
    [{ measure: 'pace' }, 'nothing measures it'],
    [{ beside: ['nobody'] }, 'nobody is not measured beside it'],
  ])('%j is refused', (wrong, why) => {
    const right = { what: 'it', workload: 'tell', at: '64', measure: 'rate', beside: [] };
    expect(() => shownOf([{ ...right, ...wrong }], workloads, rows)).toThrow(why);
  });
});

describe('the chart', () => {
  const svg = chart(shown, 'one & all');
  const bars = (text: string) =>
    [...text.matchAll(/<rect class="(better|worse)" x="([\d.]+)" y="[\d.]+" width="([\d.]+)"/g)].map(([, kind, x, width]) => [
      kind,
      Number(x),
      Number(width),
    ]);
  test('a bar is as long as the logarithm of its ratio, from 1 to the right, or to the left', () => {
    const [better = [], worse = []] = bars(svg) as [string, number, number][];
    expect([better[0], worse[0]]).toEqual(['better', 'worse']);
    expect((better[2] as number) / (worse[2] as number)).toBeCloseTo(2, 1);
    expect((worse[1] as number) + (worse[2] as number)).toBeCloseTo(better[1] as number, 0);
    expect(svg).toContain('>4 ×</text>');
  });
  test('every bar is in it, however large or small', () => {
    const times = (median: number) => ({ who: 'peer', times: { median, least: median, most: median } });
    for (const [, x, width] of bars(chart([{ ...(shown[0] as (typeof shown)[0]), beside: [times(1e-9), times(1), times(1e9)] }], '')))
      expect([Number(x) >= 0, Number(x) + Number(width) <= 860]).toEqual([true, true]);
    expect(chart([], '')).not.toContain('NaN');
  });
  test('is well-formed, whatever the words', () => {
    expect(svg).toContain('messages &lt;told&gt; &amp; &quot;heard&quot;');
    const open: string[] = [];
    for (const [, end, name, alone] of svg.matchAll(/<(\/?)(\w+)[^<>]*?(\/?)>/g))
      if (end) expect(open.pop()).toBe(name);
      else if (!alone) open.push(name as string);
    expect(open).toEqual([]);
  });
  test('is written with the table that stands above it', () => {
    const machine = { cpu: 'one', cores: 2, memoryGiB: 4, os: 'linux 6', versions: {} };
    const record = { version: 1, at: '2026-01-02T03:04:05.678Z', rounds: 3, scale: 1, machine, rows } as const;
    expect(blocks({ local: workloads }, highlights, record).get('fast')).toMatch(/^\| what[\s\S]+\n\n!\[.+\]\(docs\/images\/bench\.svg\)$/);
    expect(charted({ local: workloads }, highlights, record)).toContain('2026-01-02, 3 rounds on 2 × one, linux 6');
  });
});
