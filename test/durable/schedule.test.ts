import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cronTimes } from '../../src/durable/cron.ts';
import { type FixedSchedule, firstDueAtMs, fixed, following, runUntil } from '../../src/durable/schedule.ts';
import { NexaError } from '../../src/errors.ts';

const NOW = Date.UTC(2026, 0, 1, 12);
const at = (text: string): number => Date.parse(text);
const times = (schedule: FixedSchedule, fromMs: number, count: number): readonly string[] => {
  const all: string[] = [];
  let due: number | undefined = firstDueAtMs(schedule, fromMs);
  while (all.length < count && due !== undefined) {
    all.push(new Date(due).toISOString());
    due = following(schedule, due);
  }
  return all;
};
const codeOf = (run: () => unknown): unknown => {
  try {
    return run();
  } catch (error) {
    return (error as NexaError).code;
  }
};

describe('what is a schedule', () => {
  test('a time from now is fixed when it is said', () => {
    expect(fixed({ inMs: 5_000 }, NOW + 0.7)).toEqual({ atMs: NOW + 5_000 });
    expect(fixed({ atMs: 7 }, NOW)).toEqual({ atMs: 7 });
    expect(fixed({ everyMs: 1_000 }, NOW)).toEqual({ everyMs: 1_000 });
    expect(fixed({ cron: '0 12 * * *' }, NOW)).toEqual({ cron: '0 12 * * *', timeZone: 'UTC' });
    expect(fixed({ cron: '@daily', timeZone: 'Europe/Berlin' }, NOW)).toEqual({ cron: '@daily', timeZone: 'Europe/Berlin' });
  });

  test.each([
    [undefined],
    [null],
    [[]],
    ['0 12 * * *'],
    [{}],
    [{ everyMs: 999 }],
    [{ everyMs: 1_000.5 }],
    [{ everyMs: Number.POSITIVE_INFINITY }],
    [{ inMs: -1 }],
    [{ inMs: Number.NaN }],
    [{ inMs: 1e300 }],
    [{ inMs: '5' }],
    [{ atMs: 8.64e15 + 1 }],
    [{ inMs: 1, atMs: 1 }],
    [{ everyMs: 5_000, timeZone: 'UTC' }],
    [{ timeZone: 'UTC' }],
    [{ cron: 5 }],
    [{ cron: '' }],
    [{ cron: '* * * *' }],
    [{ cron: '60 * * * *' }],
    [{ cron: '? ? * * *' }],
    [{ cron: '2026-01-01T00:00:00' }],
    [{ cron: '* * * * * * 2026' }],
    [{ cron: '0 0 30 2 *' }],
    [{ cron: '@reboot' }],
    [{ cron: `${'1,'.repeat(100)}1 * * * *` }],
    [{ cron: '0 12 * * *', timeZone: 'Mars/Base' }],
    [{ cron: '0 12 * * *', timeZone: 5 }],
    [{ weekly: true }],
  ])('%j is none', (schedule) => {
    expect(codeOf(() => fixed(schedule, NOW))).toBe('invalid-definition');
  });

  test('anything at all is a schedule or a typed error', () => {
    fc.assert(
      fc.property(fc.anything(), (schedule) => {
        try {
          const read = fixed(schedule, NOW);
          expect(Object.keys(read).length).toBeGreaterThan(0);
        } catch (error) {
          expect(error).toBeInstanceOf(NexaError);
        }
      }),
    );
  });
});

describe('cron and the hands of a clock', () => {
  const berlin = (cron: string): FixedSchedule => ({ cron, timeZone: 'Europe/Berlin' });

  test('a time of day that is left out comes after the gap, one that comes twice comes once', () => {
    expect(times(berlin('30 2 * * *'), at('2026-03-27T12:00:00Z'), 3)).toEqual([
      '2026-03-28T01:30:00.000Z',
      '2026-03-29T01:00:00.000Z',
      '2026-03-30T00:30:00.000Z',
    ]);
    expect(times(berlin('30 2 * * *'), at('2026-10-24T12:00:00Z'), 2)).toEqual(['2026-10-25T00:30:00.000Z', '2026-10-26T01:30:00.000Z']);
  });

  test('every half hour is every half hour, through gap and overlap', () => {
    for (const from of ['2026-03-28T23:45:00Z', '2026-10-24T22:45:00Z']) {
      const due = times(berlin('*/30 * * * *'), at(from), 10).map(at);
      for (let i = 1; i < due.length; i++) expect((due[i] as number) - (due[i - 1] as number)).toBe(1_800_000);
    }
  });

  test('seconds, weekdays and the end of February', () => {
    expect(times({ cron: '*/20 * * * * *', timeZone: 'UTC' }, NOW, 2)).toEqual(['2026-01-01T12:00:20.000Z', '2026-01-01T12:00:40.000Z']);
    expect(times({ cron: '0 9 * * 1', timeZone: 'UTC' }, NOW, 1)).toEqual(['2026-01-05T09:00:00.000Z']);
    expect(times({ cron: '0 0 29 2 *', timeZone: 'UTC' }, at('2097-01-01T00:00:00Z'), 1)).toEqual(['2104-02-29T00:00:00.000Z']);
  });

  test('an expression ends with the calendar', () => {
    expect(cronTimes('0 0 * * *', 'UTC', NOW).after(8.64e15)).toBeUndefined();
  });
});

describe('missed due times are taken together', () => {
  test('once is once', () => {
    expect(runUntil({ atMs: NOW }, NOW, NOW + 1e9)).toEqual({ dueAtMs: NOW, missed: 0, nextAtMs: undefined });
  });

  test('an interval keeps its beat', () => {
    const every = { everyMs: 1_000 } as const;
    expect(firstDueAtMs(every, NOW)).toBe(NOW + 1_000);
    expect(runUntil(every, NOW, NOW)).toEqual({ dueAtMs: NOW, missed: 0, nextAtMs: NOW + 1_000 });
    expect(runUntil(every, NOW, NOW + 2_999)).toEqual({ dueAtMs: NOW + 2_000, missed: 2, nextAtMs: NOW + 3_000 });
  });

  test('of a cron expression a thousand are counted, and the last one is found however many there were', () => {
    const minutely = { cron: '* * * * *', timeZone: 'UTC' } as const;
    expect(runUntil(minutely, NOW, NOW + 180 * 60_000 + 5)).toEqual({
      dueAtMs: NOW + 180 * 60_000,
      missed: 180,
      nextAtMs: NOW + 181 * 60_000,
    });
    expect(runUntil(minutely, NOW, NOW + 100_000 * 60_000 + 59_999)).toEqual({
      dueAtMs: NOW + 100_000 * 60_000,
      missed: 1_000,
      nextAtMs: NOW + 100_001 * 60_000,
    });
    const secondly = { cron: '* * * * * *', timeZone: 'UTC' } as const;
    expect(runUntil(secondly, NOW, NOW + 86_400_000 * 400 + 700).dueAtMs).toBe(NOW + 86_400_000 * 400);
  });

  test('a run ends at the latest due time that is not later than now, and the next one is later', () => {
    const crons = ['* * * * *', '*/7 3-9 * * 1-5', '30 2 * * *', '0 0 1 * *', '15 10 29 2 *'];
    const zones = ['UTC', 'Europe/Berlin', 'America/St_Johns', 'Pacific/Apia'];
    fc.assert(
      fc.property(
        fc.oneof(
          fc.record({ everyMs: fc.integer({ min: 1_000, max: 100_000_000 }) }),
          fc.record({ cron: fc.constantFrom(...crons), timeZone: fc.constantFrom(...zones) }),
        ),
        fc.integer({ min: 0, max: 40_000_000_000 }),
        fc.integer({ min: 0, max: 3_000_000_000 }),
        (schedule, offsetMs, lateMs) => {
          const due = firstDueAtMs(schedule, NOW + offsetMs);
          const now = due + lateMs;
          const run = runUntil(schedule, due, now);
          expect(run.dueAtMs).toBeGreaterThanOrEqual(due);
          expect(run.dueAtMs).toBeLessThanOrEqual(now);
          expect(run.nextAtMs).toBeGreaterThan(now);
          // What was taken together and what comes next are the same due times as one by one.
          expect(runUntil(schedule, run.dueAtMs, now)).toEqual({ ...run, missed: 0 });
        },
      ),
      { numRuns: 200 },
    );
  });
});
