import { NexaError, toNexaError } from '../src/errors.ts';
import type { Clock } from '../src/ports/clock.ts';

/** What one client saw of one call. `fail`: it certainly did not happen. `info`: nobody knows. */
export type Operation<Op, Result> = {
  readonly key: number;
  readonly op: Op;
  readonly invokedAtMs: number;
  /** The sequential process that made the call; it is retired after an `info`. */
  readonly client?: number;
  /** Calls under one request id are attempts of one request. */
  readonly requestId?: string;
} & (
  | { readonly outcome: 'ok'; readonly endedAtMs: number; readonly result: Result }
  | { readonly outcome: 'fail' | 'info'; readonly endedAtMs: number; readonly error: NexaError }
);

/** One call as the asker sees it: when it began, what it was allowed, and every answer that came. */
export interface Asked {
  readonly name: string;
  readonly invokedAtMs: number;
  readonly timeoutMs: number;
  readonly settledAtMs: readonly number[];
}

export interface Call<Op> {
  readonly key: number;
  readonly op: Op;
  /** The deadline the call was made with. */
  readonly timeoutMs: number;
  readonly requestId?: string;
}

/** An open call. The first settlement is the outcome; any further one is kept for the one-outcome checker. */
export interface OpenCall<Result> {
  ok(result: Result): void;
  /** A definite error is recorded as `fail`, any other as `info`. */
  failed(error: unknown): void;
}

/** One sequential process of the workload: at most one call at a time, and a new identity after each indefinite outcome. */
export interface Client<Op, Result> {
  readonly id: number;
  readonly busy: boolean;
  /** @throws NexaError `context-misused` while its previous call is open; `overloaded` when the history is full. */
  invoke(call: Call<Op>): OpenCall<Result>;
  /** Invokes, waits, records; never rejects for what `act` did. */
  run(call: Call<Op>, act: () => Promise<Result>): Promise<Operation<Op, Result>>;
}

export interface History<Op, Result> {
  client(): Client<Op, Result>;
  /** In order of invocation. Calls that are still open appear as `info`: they may happen at any later time. */
  operations(): readonly Operation<Op, Result>[];
  /** Every call with all its settlements, for the one-outcome checker. */
  asked(): readonly Asked[];
}

/** Two events are never recorded at one instant: a tie of the clock is broken by a microsecond, in the order they were seen. */
const tieMs = 0.001;

interface Entry<Op, Result> {
  readonly call: Call<Op>;
  readonly client: number;
  readonly invokedAtMs: number;
  readonly settledAtMs: number[];
  operation?: Operation<Op, Result>;
}

const shared = <Op>({ call, client, invokedAtMs }: Pick<Entry<Op, never>, 'call' | 'client' | 'invokedAtMs'>) => ({
  key: call.key,
  op: call.op,
  client,
  invokedAtMs,
  ...(call.requestId === undefined ? {} : { requestId: call.requestId }),
});

/**
 * Records what clients did and saw, on one monotonic clock. `limit` bounds the number of calls (default 100,000); `onEnded` is
 * told each outcome as it is recorded, so that a live drill can write it down at once.
 */
export function recordHistory<Op, Result>(options: {
  readonly clock: Pick<Clock, 'monotonicMs'>;
  readonly limit?: number;
  readonly onEnded?: (operation: Operation<Op, Result>) => void;
}): History<Op, Result> {
  const limit = options.limit ?? 100_000;
  const entries: Entry<Op, Result>[] = [];
  let lastMs = Number.NEGATIVE_INFINITY;
  let clients = 0;
  const instant = (): number => {
    lastMs = Math.max(options.clock.monotonicMs(), lastMs + tieMs);
    return lastMs;
  };

  const newClient = (): Client<Op, Result> => {
    let id = clients++;
    let busy = false;
    const invoke = (call: Call<Op>): OpenCall<Result> => {
      if (busy) throw new NexaError('context-misused', 'a client makes one call at a time', { where: { client: String(id) } });
      if (entries.length >= limit) throw new NexaError('overloaded', `the history holds ${limit} operations`);
      busy = true;
      const entry: Entry<Op, Result> = { call, client: id, invokedAtMs: instant(), settledAtMs: [] };
      entries.push(entry);
      const settle = (make: (endedAtMs: number) => Operation<Op, Result>): void => {
        const endedAtMs = instant();
        entry.settledAtMs.push(endedAtMs);
        if (entry.operation !== undefined) return;
        entry.operation = make(endedAtMs);
        busy = false;
        if (entry.operation.outcome === 'info') id = clients++;
        options.onEnded?.(entry.operation);
      };
      return {
        ok: (result) => settle((endedAtMs) => ({ ...shared(entry), outcome: 'ok', endedAtMs, result })),
        failed: (thrown) => {
          const error = toNexaError(thrown);
          settle((endedAtMs) => ({ ...shared(entry), outcome: error.definite ? 'fail' : 'info', endedAtMs, error }));
        },
      };
    };
    return {
      get id() {
        return id;
      },
      get busy() {
        return busy;
      },
      invoke,
      run: async (call, act) => {
        const at = entries.length;
        const open = invoke(call);
        await (async () => act())().then(open.ok, open.failed);
        return ended(entries[at] as Entry<Op, Result>);
      },
    };
  };

  const ended = (entry: Entry<Op, Result>): Operation<Op, Result> =>
    entry.operation ?? {
      ...shared(entry),
      outcome: 'info',
      endedAtMs: Number.POSITIVE_INFINITY,
      error: new NexaError('cancelled', 'still open when the history was read'),
    };

  return {
    client: newClient,
    operations: () => entries.map(ended),
    asked: () =>
      entries.map((entry, index) => ({
        name: `#${index} ${JSON.stringify(entry.call.op)} on key ${entry.call.key}`,
        invokedAtMs: entry.invokedAtMs,
        timeoutMs: entry.call.timeoutMs,
        settledAtMs: [...entry.settledAtMs],
      })),
  };
}
