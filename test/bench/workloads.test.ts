import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { changes } from '../../bench/suite/compare.ts';
import { blocks, CHART, charted, document } from '../../bench/suite/document.ts';
import type { BenchRecord } from '../../bench/suite/report.ts';
import { highlights } from '../../bench/workloads/highlights.ts';
import { sections, workloads } from '../../bench/workloads/index.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const text = (path: string): string => readFileSync(root + path, 'utf8');
const pages = () => Object.fromEntries(['README.md', 'docs/benchmarks.md'].map((page) => [page, text(page)]));
const empty: BenchRecord = {
  version: 1,
  at: '2026-01-01T00:00:00.000Z',
  rounds: 1,
  scale: 1,
  machine: { cpu: '', cores: 1, memoryGiB: 1, os: '', versions: {} },
  rows: [],
};

test('each has a name of its own, which is no section’s', () => {
  const names = [...workloads.map(({ name }) => name), ...Object.keys(sections)];
  expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
});

test.each(workloads)('$name asks only for what it measures', ({ measures, cases, contenders, reach }) => {
  expect(cases.length).toBeGreaterThan(0);
  for (const { measure, at, of, ...beside } of reach) {
    expect(Object.keys(measures)).toContain(measure);
    if (at !== undefined) expect(cases).toContain(at);
    if (of !== undefined) expect(Object.keys(contenders)).toContain(of);
    if ('beside' in beside) expect(Object.keys(contenders)).toContain(beside.beside);
  }
});

test('each figure has another contender or a limit beside it', () => {
  const bare = workloads.flatMap(({ name, contenders, measures, reach }) =>
    Object.keys(contenders).length > 1
      ? []
      : Object.keys(measures)
          .filter((measure) => !reach.some((each) => each.measure === measure && 'limit' in each))
          .map((measure) => `${name}: ${measure}`),
  );
  expect(bare).toEqual([]);
});

test.each(Object.entries(sections))('a worse half of %s is found beside an earlier record', (_, section) => {
  const seen = (worse: boolean): BenchRecord => ({
    ...empty,
    rows: section.flatMap(({ name, cases, contenders, measures }) =>
      cases.flatMap((at) =>
        Object.keys(contenders).map((contender, index) => {
          const value = (better: string): number => (worse && index === 0 ? (better === 'more' ? 0.5 : 2) : 1);
          const values = Object.fromEntries(Object.entries(measures).map(([measure, { better }]) => [measure, [value(better)]]));
          return { workload: name, at, contender, values };
        }),
      ),
    ),
  });
  const found = changes(section, seen(false), seen(true)).flatMap((change) => (change.worse ? [change.workload] : []));
  const judged = section.filter(
    ({ contenders, measures }) => Object.keys(contenders).length > 1 || Object.values(measures).some(({ steady }) => steady),
  );
  expect(judged.length).toBeGreaterThan(0);
  expect([...new Set(found)]).toEqual(judged.map(({ name }) => name));
});

test('the pages have a place for each section, and none for anything else', () => {
  document(pages(), blocks(sections, highlights, empty));
});

test('the pages say what the record says', () => {
  if (!existsSync(`${root}bench/baseline.json`)) return;
  const record = JSON.parse(text('bench/baseline.json')) as BenchRecord;
  expect(document(pages(), blocks(sections, highlights, record))).toEqual(pages());
  expect(text(CHART)).toBe(charted(sections, highlights, record));
});
