import type { RegisterOp, RegisterResult } from '../../chaos/checkers/models.ts';
import type { Operation } from '../../chaos/history.ts';
import { NexaError } from '../../src/errors.ts';
import type { Clock } from '../../src/ports/clock.ts';
import type { Random } from '../../src/ports/random.ts';

/** mulberry32 */
export function seeded(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return { next, id: () => Math.floor(next() * 2 ** 32).toString(16) + Math.floor(next() * 2 ** 32).toString(16) };
}

/** A clock that moves only in `run`, which fires timers in order and lets promises settle between them. */
export function manualClock(): Clock & { run(forMs: number): Promise<void> } {
  let nowMs = 0;
  let timers: { readonly atMs: number; readonly run: () => void }[] = [];
  return {
    monotonicMs: () => nowMs,
    wallMs: () => nowMs,
    bootMs: () => nowMs,
    after: (delayMs, run) => {
      const timer = { atMs: nowMs + delayMs, run };
      timers.push(timer);
      return () => {
        timers = timers.filter((each) => each !== timer);
      };
    },
    run: async (forMs) => {
      const endMs = nowMs + forMs;
      for (;;) {
        const due = timers.filter((each) => each.atMs <= endMs).sort((a, b) => a.atMs - b.atMs)[0];
        nowMs = due?.atMs ?? endMs;
        if (due === undefined) return;
        timers = timers.filter((each) => each !== due);
        due.run();
        for (let turn = 0; turn < 20; turn++) await Promise.resolve();
      }
    },
  };
}

export const definite = new NexaError('unavailable', 'suspended');
export const indefinite = new NexaError('ask-timeout', 'no answer');

type Times = readonly [beginMs: number, endMs: number];
export const ok = <Op, Result>(
  [invokedAtMs, endedAtMs]: Times,
  op: Op,
  result: Result,
  more: { key?: number; requestId?: string } = {},
): Operation<Op, Result> => ({
  key: 0,
  ...more,
  op,
  invokedAtMs,
  outcome: 'ok',
  endedAtMs,
  result,
});
export const failed = <Op>(
  [invokedAtMs, endedAtMs]: Times,
  op: Op,
  outcome: 'fail' | 'info',
  more: { key?: number; requestId?: string } = {},
): Operation<Op, never> => ({
  key: 0,
  ...more,
  op,
  invokedAtMs,
  outcome,
  endedAtMs,
  error: outcome === 'fail' ? definite : indefinite,
});

/** What clients see of a correct register: each call takes effect at one instant somewhere inside its interval. */
export function registerHistory(
  random: Random,
  length: number,
  options: { readonly spreadMs: number; readonly info: number; readonly key?: number },
): Operation<RegisterOp, RegisterResult>[] {
  let state: unknown = null;
  return Array.from({ length }, (_, index) => {
    const atMs = index * 50;
    const times: Times = [atMs - random.next() * options.spreadMs, atMs + random.next() * options.spreadMs];
    const key = options.key ?? 0;
    const roll = random.next();
    const op: RegisterOp =
      roll < 0.4
        ? { type: 'read' }
        : roll < 0.7
          ? { type: 'write', value: index }
          : { type: 'cas', from: random.next() < 0.6 ? state : Math.floor(random.next() * index), to: index };
    const fate = random.next();
    if (fate < options.info / 4) return failed(times, op, 'fail', { key });
    const swaps = op.type !== 'cas' || op.from === state;
    const happens = fate > options.info || random.next() < 0.5;
    if (happens && swaps && op.type !== 'read') state = op.type === 'write' ? op.value : op.to;
    if (fate < options.info) return failed(times, op, 'info', { key });
    return ok(times, op, swaps ? { value: state } : { mismatch: state }, { key });
  });
}
