import { NexaError } from '../errors.ts';
import type { Written } from '../ports/stores.ts';
import type { Endpoint } from './endpoint.ts';
import type { Log } from './log.ts';
import type { Broker } from './network.ts';

/** How one endpoint's requests reach the stores, and what can become of them on the way: the only place where a fault makes a write `unknown`. */
export interface StoreAccess {
  /** Settles within the deadline; rejects only with what `apply` throws. */
  write(timeoutMs: number, apply: () => Written): Promise<Written>;
  /** `stale`: 0, or how many states back to look. @throws NexaError `unavailable` within the deadline. */
  read<T>(timeoutMs: number, look: (stale: number) => T): Promise<T>;
}

type Outcome<T> = { readonly value: T } | { readonly error: unknown };

export const UNKNOWN: Written = { written: 'unknown' };
const LOST_WRITE: Outcome<Written> = { value: UNKNOWN };
/** How far a stale read looks back; beyond the oldest remembered state there is absence. */
const OLDEST = 5;

const attempt = <T>(run: () => T): Outcome<T> => {
  try {
    return { value: run() };
  } catch (error) {
    return { error };
  }
};

export function storeAccess(broker: Broker, endpoint: Endpoint): StoreAccess {
  const { clock, weather } = broker;
  const { store } = weather;
  const nowMs = (): number => clock.monotonicMs();

  /** There and back. What `arrive` does not answer, the deadline settles as `lost`. */
  const exchange = <T>(timeoutMs: number, lost: () => Outcome<T>, arrive: (answer: (outcome: Outcome<T>) => void) => void): Promise<T> =>
    new Promise((resolve, reject) => {
      const settle = (outcome: Outcome<T>): void => {
        cancelTimer();
        forget();
        if ('value' in outcome) resolve(outcome.value);
        else reject(outcome.error);
      };
      const giveUp = (): void => settle(lost());
      const cancelTimer = clock.after(timeoutMs, () => endpoint.take(giveUp, 0));
      const forget = endpoint.waiting(giveUp);
      if (!endpoint.up) return broker.soon(() => endpoint.take(giveUp, 0));
      endpoint.link('requests').push(broker.delay(store.delayMs), () => {
        const answer = (outcome: Outcome<T>): void =>
          endpoint.link('answers').push(broker.delay(store.delayMs), () => {
            if (endpoint.up && weather.hearsStore(endpoint.name)) endpoint.take(() => settle(outcome), 0);
          });
        if (!endpoint.up || !weather.reachesStore(endpoint.name)) return;
        if (!weather.electing(nowMs())) arrive(answer);
        // A store without a leader refuses at once, or says nothing at all.
        else if (broker.happens(0.5)) answer(lost());
      });
    });

  return {
    write: (timeoutMs, apply) => {
      const deadlineMs = nowMs() + timeoutMs;
      return exchange(
        timeoutMs,
        () => LOST_WRITE,
        (answer) => {
          if (broker.happens(store.late)) {
            clock.after(Math.max(0, deadlineMs - nowMs()) + broker.delay(store.lateMs), () => {
              if (!weather.electing(nowMs())) attempt(apply);
            });
          } else if (broker.happens(store.unknownLost)) {
            if (broker.happens(0.5)) answer(LOST_WRITE);
          } else if (broker.happens(store.unknownApplied)) {
            attempt(apply);
            if (broker.happens(0.5)) answer(LOST_WRITE);
          } else answer(attempt(apply));
        },
      );
    },
    read: (timeoutMs, look) =>
      exchange(
        timeoutMs,
        () => ({ error: new NexaError('unavailable', 'the store does not answer') }),
        (answer) => {
          const stale = broker.happens(store.staleRead) ? 1 + Math.floor(broker.random.next() * OLDEST) : 0;
          answer(attempt(() => look(stale)));
        },
      ),
  };
}

/** @throws NexaError `unavailable` when nobody made it yet. */
export function presentLog(broker: Broker, store: string): Log {
  const log = broker.records.get(store);
  if (log === undefined) throw new NexaError('unavailable', `the store ${store} does not exist`, { where: { store } });
  return log;
}

/** @throws NexaError `payload-too-large` */
export function assertFits(broker: Broker, store: string, value: Uint8Array): void {
  if (value.length > broker.maxPayloadBytes)
    throw new NexaError('payload-too-large', `${value.length} bytes exceed the limit of ${broker.maxPayloadBytes}`, { where: { store } });
}
