import { expect, test } from 'vitest';
import { chart } from '../../../chaos/report/chart.ts';
import { htmlOf } from '../../../chaos/report/html.ts';
import { rates, thinned } from '../../../chaos/report/points.ts';
import { reportOf } from '../../../chaos/report/report.ts';
import { failed, ok } from '../support.ts';
import { good, named, sampleRun } from './sample.ts';

const hostile = `"><script>alert(1)</script><img src=x onerror='a'>&amp;\u202e\u001b[2J`;

test('the page needs nothing from elsewhere, runs nothing, and draws every fault that happened', () => {
  const run = sampleRun();
  const page = htmlOf(reportOf(run, good, 'npx nexa chaos run kill-node --seed 7'), run);
  expect(page).not.toMatch(/<script|<link|<img|@import|url\(|src=/);
  expect(page.replaceAll('http://www.w3.org/2000/svg', '')).not.toMatch(/https?:/);
  expect(page).toContain(`content="default-src 'none'; style-src 'unsafe-inline'"`);
  expect(page.match(/class="band/g)).toHaveLength(3);
  expect(page.match(/class="silent/g)).toHaveLength(2);
  expect(page.match(/class="exit"/g)).toHaveLength(2);
  expect(page).toContain('recovered 16.26 s');
});

test('whatever ids and messages hold is text', () => {
  const sample = sampleRun();
  const [work] = sample.works;
  const run = sampleRun({
    plan: { ...sample.plan, drill: hostile },
    versions: { [hostile]: hostile },
    events: [{ atMs: 1, event: { event: 'dead-letter', node: 'n1', incarnation: 1, n: 1, atMs: 1, agent: named(1), reason: hostile } }],
    exits: [{ place: hostile, atMs: 1, code: null, signal: hostile }],
    faults: sample.faults.map((each) => ({ ...each, met: [hostile], skipped: hostile })),
    leaks: [hostile],
    incomplete: [hostile],
    works: [{ ...(work as NonNullable<typeof work>), workload: hostile, agents: { 2: hostile, 3: hostile } }],
  });
  const bad = { promise: hostile, by: hostile, verdict: { verdict: 'bad', violations: [hostile, `${hostile}\n${hostile}`] } } as const;
  const doubt = { promise: 'M1', by: hostile, verdict: { verdict: 'unknown', reason: hostile } } as const;
  const page = htmlOf(reportOf(run, [...good, bad, doubt], hostile), run);
  for (const markup of ['<script', '<img', '\u202e', '\u001b']) expect(page).not.toContain(markup);
  expect(page).toContain('&lt;script&gt;');
});

test('a run of nothing is drawn too', () => {
  const run = sampleRun({ works: [], faults: [], events: [], exits: [], endedAtMs: 0, healedAtMs: 0 });
  expect(chart(reportOf(run, [], ''), run)).not.toMatch(/NaN|Infinity|undefined/);
});

test('points are thinned to a bound that keeps the slowest of each time, and what never ended is as long as the run', () => {
  const operations = Array.from({ length: 10_000 }, (_, index) => ok([index, index + (index === 5_000 ? 900 : 5)], {}, null));
  const points = thinned(operations, 10_000, 400);
  expect(points.length).toBeLessThanOrEqual(400);
  expect(points).toContainEqual({ atMs: 5_000, tookMs: 900 });
  const open = failed([400, Number.POSITIVE_INFINITY], {}, 'info');
  expect(thinned([open], 1_000, 10)).toEqual([{ atMs: 400, tookMs: 600 }]);
  expect(rates([...operations, open], 10_000, 10).ok.reduce((sum, each) => sum + each, 0)).toBe(10_000);
});

test('a long run makes a page of a bounded size', () => {
  const run = sampleRun({ endedAtMs: 3_600_000 });
  const operations = Array.from({ length: 100_000 }, (_, index) =>
    index % 3 === 0
      ? failed([index * 36, index * 36 + 700], {}, 'fail', { key: index % 50 })
      : ok([index * 36, index * 36 + 9], {}, null, { key: index % 50 }),
  );
  const works = run.works.map((work) => ({ ...work, operations }));
  const faults = Array.from(
    { length: 900 },
    (_, index) => ({ fault: { fault: 'poison' }, fromMs: index * 4_000, untilMs: index * 4_000 + 10, met: [] }) as const,
  );
  expect(htmlOf(reportOf({ ...run, works, faults }, good, ''), { ...run, works, faults }).length).toBeLessThan(1_500_000);
});
