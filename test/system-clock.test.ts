import { afterEach, expect, test, vi } from 'vitest';

const asked = vi.hoisted(() => ({ times: 0, seconds: 1_000 }));
vi.mock('node:os', () => ({
  uptime: () => {
    asked.times++;
    return asked.seconds;
  },
}));
const { systemClock } = await import('../src/system-clock.ts');

afterEach(() => void vi.restoreAllMocks());

/** The two clocks that are cheap to read stand still, but for what the test moves them by. */
function still() {
  const [monotonicMs, wallMs] = [performance.now() + 1_000_000, Date.now()];
  const monotonic = vi.spyOn(performance, 'now').mockReturnValue(monotonicMs);
  const wall = vi.spyOn(Date, 'now').mockReturnValue(wallMs);
  return (by: { readonly monotonicMs: number; readonly wallMs: number }) => {
    monotonic.mockReturnValue(monotonicMs + by.monotonicMs);
    wall.mockReturnValue(wallMs + by.wallMs);
  };
}

test('the system is asked for the time since boot once in ten milliseconds', () => {
  const move = still();
  asked.seconds = 1_000;
  expect(systemClock.bootMs()).toBe(1_000_000);
  const { times } = asked;
  move({ monotonicMs: 9, wallMs: 9 });
  for (let call = 0; call < 100; call++) systemClock.bootMs();
  expect(asked.times).toBe(times);
  asked.seconds = 1_000.01;
  move({ monotonicMs: 10, wallMs: 10 });
  expect(systemClock.bootMs()).toBe(1_000_010);
});

test.each([30_000, -30_000])('a suspension shows at once: the monotonic clock stood still, the wall clock went by %i ms', (wallMs) => {
  const move = still();
  asked.seconds = 2_000;
  systemClock.bootMs();
  asked.seconds = 2_030;
  move({ monotonicMs: 0.1, wallMs });
  expect(systemClock.bootMs()).toBe(2_030_000);
});
