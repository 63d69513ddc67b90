import type { Cancel } from '../actor/ref.ts';
import type { Endpoint } from './endpoint.ts';
import { Link } from './link.ts';
import type { Log, LogRecord } from './log.ts';
import type { Broker } from './network.ts';

export interface WatcherOptions {
  readonly store: string;
  readonly wanted: (subject: string) => boolean;
  /** Where a (re)start begins: everything at or after it is delivered again. */
  readonly fromSequence: () => number;
  /** Called for a start after the first, before its first record. */
  readonly onReset: () => void;
  readonly onRecord: (record: LogRecord) => void;
  /** The start is complete: what comes now is new. */
  readonly onLive: () => void;
}

/** What waits for one watcher before it is taken to have missed something. */
const MOST_PENDING = 65_536;
const OVERHEAD_BYTES = 128;
/** How long a gap may stay unnoticed: two missed heartbeats of a real consumer. */
const RESTART_MS = 2_000;

/** Follows one store for one endpoint, in order and late; after a gap of any cause it starts over. Ends with its endpoint. */
export function watchLog(broker: Broker, endpoint: Endpoint, options: WatcherOptions): Cancel {
  const { weather } = broker;
  const link = new Link(broker.clock, broker.soon);
  let log: Log | undefined;
  let stopListening: Cancel | undefined;
  /** What was sent before the last (re)start is not delivered any more. */
  let run = 0;
  let pending = 0;
  let broken = true;
  let first = true;
  let cancelled = false;

  const reaches = (): boolean => endpoint.up && weather.hearsStore(endpoint.name);

  const miss = (): void => {
    broken = true;
    broker.clock.after(RESTART_MS, () => {
      if (broken && !cancelled) ready();
    });
  };

  const send = (deliver: () => void, bytes = 0): void => {
    const mine = run;
    pending++;
    link.push(broker.delay(weather.store.watchDelayMs), () => {
      if (mine !== run) return;
      pending--;
      if (broken) return;
      if (!reaches() || !endpoint.reserve(bytes)) return miss();
      endpoint.take(() => {
        if (mine === run) deliver();
      }, bytes);
    });
  };

  const sendRecord = (record: LogRecord): void => send(() => options.onRecord(record), record.value.length + OVERHEAD_BYTES);

  const start = (): void => {
    if (log === undefined || !reaches() || weather.electing(broker.clock.monotonicMs())) return;
    run++;
    pending = 0;
    broken = false;
    if (!first) send(options.onReset);
    first = false;
    for (const record of log.records(options.wanted, options.fromSequence())) sendRecord(record);
    send(options.onLive);
  };

  const onAppend = (record: LogRecord): void => {
    if (broken || !options.wanted(record.subject)) return;
    if (!reaches() || pending >= MOST_PENDING) miss();
    else if (broker.happens(weather.store.watchReset)) start();
    else sendRecord(record);
  };

  const ready = (): void => {
    if (log === undefined) {
      log = broker.records.get(options.store);
      stopListening = log?.onAppend(onAppend);
    }
    if (broken) start();
  };

  const cancel = (): void => {
    cancelled = true;
    stopStatus();
    run++;
    stopListening?.();
    broker.onStoreReady.delete(ready);
    forget();
  };
  // What was sent while the connection was broken is lost, and nothing says what it was.
  const stopStatus = endpoint.onStatus((status) => {
    if (status === 'down') miss();
  });
  broker.onStoreReady.add(ready);
  const forget = endpoint.onEnd(cancel);
  ready();
  return cancel;
}
