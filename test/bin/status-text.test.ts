import { expect, test } from 'vitest';
import type { Style } from '../../bin/output.ts';
import { summaries } from '../../bin/status-text.ts';

const bare = new Proxy({}, { get: () => (text: string) => text }) as unknown as Style;
const check = { name: 'loop-lag', level: 'ok', value: 1, unit: 'ms', warn: 100, critical: 1_000, sinceMs: 1 };

test('health is one word, and names what is not well', () => {
  expect(summaries.health?.({ level: 'ok', checkedAtMs: 1, checks: [check] }, bare)).toBe('ok');
  const slow = { ...check, level: 'warn', value: 250 };
  expect(summaries.health?.({ level: 'warn', checkedAtMs: 1, checks: [slow, { ...check, name: 'heap' }] }, bare)).toBe(
    'warn; loop-lag warn at 250 ms',
  );
  expect(summaries.health?.(null, bare)).toBe('unknown');
});
