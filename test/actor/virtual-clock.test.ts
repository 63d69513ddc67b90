import { expect, test } from 'vitest';
import { virtualClock } from '../../src/memory/virtual-clock.ts';

test('timers fire in order of time, then of being set, also those set meanwhile', () => {
  const clock = virtualClock(1_000);
  const fired: string[] = [];
  clock.after(20, () => fired.push(`c ${clock.monotonicMs()}`));
  clock.after(10, () => {
    fired.push(`a ${clock.monotonicMs()}`);
    clock.after(5, () => fired.push(`b ${clock.monotonicMs()}`));
  });
  clock.after(10, () => fired.push(`a2 ${clock.monotonicMs()}`));
  const cancel = clock.after(12, () => fired.push('never'));
  expect(clock.pending).toBe(4);
  cancel();
  cancel();
  expect(clock.pending).toBe(3);
  expect(clock.nextInMs).toBe(10);
  clock.advance(20);
  expect(fired).toEqual(['a 10', 'a2 10', 'b 15', 'c 20']);
  expect(clock.wallMs()).toBe(1_020);
  clock.jumpWall(-500);
  expect([clock.wallMs(), clock.monotonicMs(), clock.pending, clock.step()]).toEqual([520, 20, 0, false]);
});
