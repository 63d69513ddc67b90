import { expect, test } from 'vitest';
import { timeSinceBoot } from '../src/system-clock.ts';

/** Clocks that stand still, but for what the test moves them by. */
function still() {
  const now = { uptimeMs: 1_000_000, monotonicMs: 5_000, wallMs: 1_800_000_000_000 };
  let asked = 0;
  const bootMs = timeSinceBoot({
    uptimeMs: () => {
      asked++;
      return now.uptimeMs;
    },
    monotonicMs: () => now.monotonicMs,
    wallMs: () => now.wallMs,
  });
  return { now, bootMs, asked: () => asked };
}

test('the system is asked for the time since boot once in ten milliseconds', () => {
  const { now, bootMs, asked } = still();
  expect(bootMs()).toBe(1_000_000);
  Object.assign(now, { uptimeMs: 1_000_010, monotonicMs: 5_009, wallMs: now.wallMs + 9 });
  for (let call = 0; call < 100; call++) expect(bootMs()).toBe(1_000_000);
  expect(asked()).toBe(1);
  now.monotonicMs = 5_010;
  expect(bootMs()).toBe(1_000_010);
});

test.each([30_000, -30_000])('a suspension shows at once: the monotonic clock stood still, the wall clock went by %i ms', (byMs) => {
  const { now, bootMs } = still();
  bootMs();
  Object.assign(now, { uptimeMs: 1_030_000, monotonicMs: 5_000.1, wallMs: now.wallMs + byMs });
  expect(bootMs()).toBe(1_030_000);
});
