import { expect, test } from 'vitest';
import { clockCheck, clockFinding, type ObservedClock } from '../src/clock-check.ts';
import { manualClock } from './support/manual-clock.ts';

const good: ObservedClock = { monotonicMs: 20, wallMs: 20, timerLateMs: 0.2, aheadMs: 3, uncertainMs: 1 };

test.each<[string, Partial<ObservedClock>, string]>([
  ['all is well', {}, 'ok'],
  ['the monotonic clock stands', { monotonicMs: 0 }, 'failed'],
  ['the wall clock is set meanwhile', { wallMs: -3_600_000 }, 'warning'],
  ['timers are late', { timerLateMs: 200 }, 'warning'],
  ['it is a second ahead of the server', { aheadMs: 1_001 }, 'warning'],
  ['it is a second behind, but the answer took as long', { aheadMs: -1_000, uncertainMs: 900 }, 'ok'],
  ['it is an hour behind', { aheadMs: -3_600_000 }, 'failed'],
])('when %s', (_, change, verdict) => {
  const finding = clockFinding({ ...good, ...change });
  expect(finding.verdict).toBe(verdict);
  expect(finding.fix === undefined).toBe(verdict === 'ok');
});

test('the check compares with the time that a server had in between', async () => {
  const clock = manualClock();
  const server = { wallMs: clock.wallMs() - 90_000, atMs: clock.monotonicMs(), uncertainMs: 1 };
  const running = clockCheck(clock, { other: async () => server }).run();
  await clock.advance(100);
  expect(await running).toMatchObject({ verdict: 'failed', message: "the wall clock is 90000 ms ahead of the NATS server's" });
});
