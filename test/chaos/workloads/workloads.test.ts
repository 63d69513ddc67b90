import { describe, expect, test } from 'vitest';
import { exactlyOnceCounter } from '../../../chaos/checkers/exactly-once-counter.ts';
import { linearizable } from '../../../chaos/checkers/linearizable.ts';
import {
  type CounterOp,
  type CounterResult,
  counterModel,
  type RegisterOp,
  type RegisterResult,
  registerModel,
} from '../../../chaos/checkers/models.ts';
import { oneOutcome } from '../../../chaos/checkers/one-outcome.ts';
import { requestsOf } from '../../../chaos/checkers/requests.ts';
import { recordHistory } from '../../../chaos/history.ts';
import { counterWorkload } from '../../../chaos/workloads/counter.ts';
import type { Ask, WorkloadOptions } from '../../../chaos/workloads/drive.ts';
import { registerWorkload } from '../../../chaos/workloads/register.ts';
import { Refused } from '../../../src/errors.ts';
import type { Clock } from '../../../src/ports/clock.ts';
import { definite, indefinite, manualClock, seeded } from '../support.ts';

/** Agents that answer after a while; now and then a message is refused, or its request or its answer gets lost. */
function world<Op, Result>(clock: Clock, handle: (key: number, op: Op, requestId: string) => Result): Ask<Op, Result> {
  const random = seeded(99);
  return (key, op, { timeoutMs, requestId }) =>
    new Promise((resolve, reject) => {
      const roll = random.next();
      if (roll < 0.05) return reject(definite);
      if (roll < 0.15) clock.after(timeoutMs, () => reject(indefinite));
      if (roll < 0.1) return;
      clock.after(random.next() * 40, () => {
        try {
          const result = handle(key, op, requestId);
          if (roll >= 0.15) clock.after(random.next() * 40, () => resolve(result));
        } catch (thrown) {
          reject(thrown);
        }
      });
    });
}

async function run<Op, Result>(
  workload: (options: WorkloadOptions<Op, Result>) => Promise<void>,
  handle: (key: number, op: Op, requestId: string) => Result,
  more: Partial<WorkloadOptions<Op, Result>> = {},
) {
  const clock = manualClock();
  const history = recordHistory<Op, Result>({ clock });
  let over = false;
  const done = workload({ clock, history, random: (key) => seeded(key), ask: world(clock, handle), keys: 3, timeoutMs: 200, ...more }).then(
    () => {
      over = true;
    },
  );
  for (let second = 0; second < 120 && !over; second++) await clock.run(1_000);
  await done;
  return { history, operations: history.operations(), untilMs: clock.monotonicMs() };
}

describe('the register workload', () => {
  const register = (broken = 0) => {
    const values = new Map<number, unknown>();
    let handled = 0;
    return (key: number, op: RegisterOp): RegisterResult => {
      const value = values.get(key) ?? null;
      if (op.type === 'read') return { value };
      if (op.type === 'cas' && op.from !== value) throw new Refused('mismatch', { value });
      const next = op.type === 'write' ? op.value : op.to;
      if (++handled !== broken) values.set(key, next);
      return { value: next };
    };
  };

  test('finds nothing wrong with a register that is right, and meets every kind of answer', async () => {
    const { history, operations, untilMs } = await run(registerWorkload, register());
    expect(operations).toHaveLength(900);
    const kinds = new Set(operations.map((each) => (each.outcome === 'ok' ? `${each.op.type} ${Object.keys(each.result)}` : each.outcome)));
    expect([...kinds].sort()).toEqual(['cas mismatch', 'cas value', 'fail', 'info', 'read value', 'write value']);
    expect(linearizable(registerModel, operations)).toEqual({ verdict: 'ok' });
    expect(oneOutcome(history.asked(), { toleranceMs: 5, untilMs })).toEqual({ verdict: 'ok' });
  });

  test('convicts a register that loses one acknowledged write', async () => {
    const { operations } = await run(registerWorkload, register(200));
    expect(linearizable(registerModel, operations).verdict).toBe('bad');
  });

  test('calls a key at most twenty times a second', async () => {
    const { operations } = await run(registerWorkload, register(), { keys: 1 });
    const begun = operations.map((each) => each.invokedAtMs);
    const densest = Math.max(...begun.map((atMs) => begun.filter((other) => other >= atMs && other < atMs + 1_000).length));
    expect(densest).toBeLessThanOrEqual(20);
  });

  test('asks the same of a key under the same seed', async () => {
    const asked = async () => (await run(registerWorkload, register(), { keys: 1, perKey: 50 })).operations.map((each) => each.op);
    expect(await asked()).toEqual(await asked());
  });
});

describe('the counter workload', () => {
  const counter = (remembers: boolean) => {
    const values = new Map<number, number>();
    const replies = new Map<string, CounterResult>();
    return {
      values,
      handle: (key: number, op: CounterOp, requestId: string): CounterResult => {
        const stored = remembers ? replies.get(requestId) : undefined;
        if (stored !== undefined) return stored;
        const value = (values.get(key) ?? 0) + (op.type === 'add' ? op.by : 0);
        values.set(key, value);
        replies.set(requestId, { value });
        return { value };
      },
    };
  };

  test('finds nothing wrong with a counter that remembers its requests, and repeats what timed out', async () => {
    const { handle, values } = counter(true);
    const { operations } = await run(counterWorkload, handle);
    expect(new Set(operations.map((each) => each.requestId)).size).toBe(900);
    expect(operations.length).toBeGreaterThan(930);
    expect(exactlyOnceCounter(operations, values)).toEqual({ verdict: 'ok' });
  });

  test('convicts a counter that forgets its requests', async () => {
    const { handle, values } = counter(false);
    const { operations } = await run(counterWorkload, handle);
    expect(exactlyOnceCounter(operations, values).verdict).toBe('bad');
  });

  test('is linearizable when the repeats of a request are taken as one', async () => {
    const { operations } = await run(counterWorkload, counter(true).handle);
    const requests = requestsOf(operations).map((each) => each.operation);
    expect(linearizable(counterModel, requests)).toEqual({ verdict: 'ok' });
  });
});

describe('every workload', () => {
  test('refuses options out of range', async () => {
    await expect(run(registerWorkload, () => ({ value: null }), { perKey: 301 })).rejects.toMatchObject({
      code: 'invalid-definition',
      where: { field: 'perKey' },
    });
    await expect(run(registerWorkload, () => ({ value: null }), { perSecond: 21 })).rejects.toMatchObject({
      where: { field: 'perSecond' },
    });
  });

  test('ends early when it is told to', async () => {
    const { operations } = await run(counterWorkload, () => ({ value: 0 }), { signal: AbortSignal.abort() });
    expect(operations).toEqual([]);
  });

  test('does not wait for ever for an ask that never ends', async () => {
    const { operations } = await run(counterWorkload, () => ({ value: 0 }), {
      keys: 1,
      perKey: 5,
      ask: () => new Promise(() => undefined),
    });
    expect(operations.map((each) => each.outcome)).toEqual(Array.from({ length: 5 }, () => 'info'));
  });
});
