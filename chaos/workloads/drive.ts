import { NexaError } from '../../src/errors.ts';
import type { Clock } from '../../src/ports/clock.ts';
import type { Random } from '../../src/ports/random.ts';
import type { Client, History, Operation } from '../history.ts';

/** Puts one operation to the agent that stands for `key`; the only thing a workload knows of the world it runs in. */
export type Ask<Op, Result> = (key: number, op: Op, options: { readonly timeoutMs: number; readonly requestId: string }) => Promise<Result>;

export interface WorkloadOptions<Op, Result> {
  readonly clock: Clock;
  /** One seeded source per key: the same seed asks the same of a key, whatever happens to the others. */
  readonly random: (key: number) => Random;
  readonly history: History<Op, Result>;
  readonly ask: Ask<Op, Result>;
  /** 1 … 1,000. */
  readonly keys: number;
  /** The number of the first of them. Default 0. */
  readonly firstKey?: number;
  /** New operations per key, 1 … 300: a longer history of one key makes the search for its order too large. Default 300. */
  readonly perKey?: number;
  /** At most so many calls a second per key, 1 … 20. Default 20. */
  readonly perSecond?: number;
  /** Calls of one key that may be in flight at once, 1 … 20. Default 5. */
  readonly clients?: number;
  readonly timeoutMs: number;
  /** Ends the workload early; what is in flight is waited for. */
  readonly signal?: AbortSignal;
}

interface Attempt<Op> {
  readonly op: Op;
  readonly requestId: string;
  readonly retries: number;
}

const bounded = (name: string, value: number, most: number): number => {
  if (Number.isInteger(value) && value >= 1 && value <= most) return value;
  throw new NexaError('invalid-definition', `${name} is 1 … ${most}, not ${value}`, { where: { field: name } });
};

/**
 * Calls every key at a seeded, uneven pace (mean two thirds of `perSecond`) until each has had its operations; resolves when all
 * calls have ended, or two timeouts after the last one began. A call whose outcome nobody knows is repeated up to `retries` times
 * under its request id; a repeat takes the place of a new call, so that the rate holds.
 *
 * @throws NexaError `invalid-definition` for options out of range.
 */
export async function drive<Op, Result>(
  options: WorkloadOptions<Op, Result> & {
    readonly retries: number;
    readonly next: (random: Random, key: number, seen: Result | undefined) => Op;
  },
): Promise<void> {
  const keys = bounded('keys', options.keys, 1_000);
  const perKey = bounded('perKey', options.perKey ?? 300, 300);
  const periodMs = 1_000 / bounded('perSecond', options.perSecond ?? 20, 20);
  const clients = bounded('clients', options.clients ?? 5, 20);
  const first = options.firstKey ?? 0;
  await Promise.all(Array.from({ length: keys }, (_, index) => driveKey(options, first + index, perKey, periodMs, clients)));
}

function driveKey<Op, Result>(
  options: Parameters<typeof drive<Op, Result>>[0],
  key: number,
  perKey: number,
  periodMs: number,
  clients: number,
): Promise<void> {
  const { clock, history, ask, timeoutMs, signal, next } = options;
  const random = options.random(key);
  const callers = Array.from({ length: clients }, () => history.client());
  const again: Attempt<Op>[] = [];
  let left = perKey;
  let seen: Result | undefined;

  const attempt = async (client: Client<Op, Result>, { op, requestId, retries }: Attempt<Op>): Promise<void> => {
    const call = { key, op, timeoutMs, requestId };
    const operation: Operation<Op, Result> = await client.run(call, () => ask(key, op, { timeoutMs, requestId }));
    if (operation.outcome === 'ok') seen = operation.result;
    else if (operation.outcome === 'info' && retries > 0) again.push({ op, requestId, retries: retries - 1 });
  };

  return new Promise((resolve, reject) => {
    let inFlight = 0;
    let lastBeganMs = clock.monotonicMs();
    const over = (): boolean => signal?.aborted === true || (left === 0 && again.length === 0);
    const step = (): void => {
      if (over() && (inFlight === 0 || clock.monotonicMs() - lastBeganMs > 2 * timeoutMs)) {
        resolve();
        return;
      }
      const client = over() ? undefined : callers.find((each) => !each.busy);
      const repeat = client === undefined ? undefined : again.shift();
      if (client !== undefined && (repeat !== undefined || left > 0)) {
        if (repeat === undefined) left--;
        inFlight++;
        lastBeganMs = clock.monotonicMs();
        attempt(client, repeat ?? { op: next(random, key, seen), requestId: random.id(), retries: options.retries }).then(() => {
          inFlight--;
        }, reject);
      }
      clock.after(periodMs * (1 + random.next()), tick);
    };
    // What `next` throws is nobody's timer's affair.
    const tick = (): void => {
      try {
        step();
      } catch (thrown) {
        reject(thrown);
      }
    };
    clock.after(periodMs * random.next(), tick);
  });
}
