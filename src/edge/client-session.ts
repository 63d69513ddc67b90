import type { Cancel } from '../actor/ref.ts';
import type { Subjects } from '../cluster/subject.ts';
import { NexaError, toNexaError } from '../errors.ts';
import type { Clock } from '../ports/clock.ts';
import type { Random } from '../ports/random.ts';
import type { Transport } from '../ports/transport.ts';
import type { Caller } from './caller.ts';
import { CLIENT_VERSIONS } from './client-handlers.ts';

/** Between two attempts: from, and at most. */
const PAUSE_MS = [100, 2_000] as const;
/** One attempt, and the last word. */
const ATTEMPT_MS = 2_000;
const CLOSE_MS = 1_000;
/** Repeating it may help. */
const PASSING: readonly string[] = ['unavailable', 'ask-timeout', 'overloaded', 'disconnected'];

export interface ListedAs {
  /** Shown by `nexa clients`: 1 … 64 of letters, digits, `_` and `-`. */
  readonly name?: string;
  /** How often it says that it is there, 1,000 … 60,000; missing three it is taken off. Default 5,000. */
  readonly heartbeatMs?: number;
}
/** A program's place in the list of clients, kept until it is closed. */
export interface ClientSession {
  readonly client: string;
  /** Takes it off the list, as far as somebody listens; otherwise it is taken off once it is missed. */
  close(): Promise<void>;
}

/**
 * Has the cluster list this program; resolves once that is stored. From then on it says that it is there, and comes back by itself
 * when it was taken for lost: after an outage of NATS, or of the nodes.
 * @throws NexaError `unknown-version`, `bad-id`, `quota-exceeded`; `unavailable` or what came last, after `timeoutMs`.
 */
export async function openSession(options: {
  readonly caller: Caller;
  readonly transport: Transport;
  readonly subjects: Subjects;
  readonly clock: Clock;
  readonly random: Random;
  readonly as: ListedAs;
  readonly timeoutMs: number;
}): Promise<ClientSession> {
  const { caller, subjects, clock, random, as } = options;
  // Ours from the first attempt on: one that is repeated is the same client.
  const client = random.id();
  let heartbeatMs = 0;
  let pauseMs: number = PAUSE_MS[0];
  let closed = false;
  let cancelNext: Cancel = () => {};

  const backOff = (): number => {
    const waitMs = pauseMs * (0.5 + random.next());
    pauseMs = Math.min(pauseMs * 2, PAUSE_MS[1]);
    return waitMs;
  };
  const say = (body: object, timeoutMs: number) => caller.request(subjects.connect, body, { timeoutMs });
  const enter = async (timeoutMs: number): Promise<void> => {
    const { name, heartbeatMs: wanted } = as;
    const body = { type: 'connect', version: CLIENT_VERSIONS[0], client, ...(name === undefined ? {} : { name }) };
    const { reply } = await say({ ...body, ...(wanted === undefined ? {} : { wants: { heartbeatMs: wanted } }) }, timeoutMs);
    const given = (reply ?? {}) as { readonly client?: unknown; readonly heartbeatMs?: unknown };
    if (given.client !== client || typeof given.heartbeatMs !== 'number' || !(given.heartbeatMs > 0))
      throw new NexaError('invalid-message', 'the answer accepts no client', { definite: false });
    heartbeatMs = given.heartbeatMs;
    pauseMs = PAUSE_MS[0];
  };
  const wait = (ms: number): Promise<void> => new Promise((resolve) => void clock.after(ms, resolve));

  /** An answer that got lost may have been a good one. */
  const forget = (): void => {
    try {
      caller.send(subjects.connect, { type: 'close', client });
    } catch {
      // It is taken off once it is missed.
    }
  };

  const untilMs = clock.monotonicMs() + options.timeoutMs;
  for (;;) {
    const leftMs = untilMs - clock.monotonicMs();
    try {
      await enter(Math.max(1, Math.min(leftMs, ATTEMPT_MS)));
      break;
    } catch (thrown) {
      const error = toNexaError(thrown, 'internal');
      const waitMs = backOff();
      if (PASSING.includes(error.code) && clock.monotonicMs() + waitMs < untilMs) {
        await wait(waitMs);
        continue;
      }
      forget();
      throw PASSING.includes(error.code) ? nobodyAccepts(error, subjects.cluster) : error;
    }
  }

  const next = (afterMs: number): void => {
    cancelNext();
    if (!closed) cancelNext = clock.after(afterMs, () => void beat());
  };
  const beat = async (): Promise<void> => {
    try {
      await say({ type: 'beat', client }, heartbeatMs).catch((thrown) => {
        if (thrown instanceof NexaError && thrown.code === 'no-such-actor') return enter(ATTEMPT_MS);
        throw thrown;
      });
      pauseMs = PAUSE_MS[0];
      // Many that were started at once do not speak at once.
      next(heartbeatMs * (0.75 + random.next() / 4));
    } catch {
      next(backOff());
    }
  };
  const stopListening = options.transport.onStatus((status) => {
    if (status === 'up') next(backOff());
  });
  next(heartbeatMs * random.next());

  return {
    client,
    async close() {
      closed = true;
      cancelNext();
      stopListening();
      await say({ type: 'close', client }, CLOSE_MS).catch(() => undefined);
    },
  };
}

const nobodyAccepts = (cause: NexaError, cluster: string): NexaError =>
  new NexaError(cause.code, `no node of the cluster ${cluster} accepts clients: ${cause.message}`, {
    ...{ cause, retryable: cause.retryable, definite: cause.definite, where: { ...cause.where, cluster } },
    fix: 'Check the name of the cluster, that a node runs and is not cordoned (`nexa nodes`), or connect with listed: false.',
  });
