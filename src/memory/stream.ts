import { anySubject } from '../cluster/subject.ts';
import { assertPublishable, assertRecordId, assertSubscribable } from '../ports/safe-name.ts';
import type { Stream } from '../ports/stores.ts';
import type { Endpoint } from './endpoint.ts';
import type { LogRecord } from './log.ts';
import type { Broker } from './network.ts';
import { assertFits, presentLog, type StoreAccess, UNKNOWN } from './store-access.ts';
import { matchesSubject } from './subject-tree.ts';
import { watchLog } from './watcher.ts';

const found = (record: LogRecord | undefined) => (record === undefined ? undefined : { record: record.value, sequence: record.sequence });

/** The {@link Stream} of one endpoint of a memory network. */
export function memoryStream(broker: Broker, endpoint: Endpoint, access: StoreAccess, store: string): Stream {
  return {
    append: async (subject, record, { expectedSequence, recordId, timeoutMs }) => {
      assertPublishable(subject);
      assertRecordId(recordId);
      assertFits(broker, store, record);
      const copy = record.slice();
      return access.write(timeoutMs, () => {
        const options = {
          ...(expectedSequence === undefined ? {} : { expected: expectedSequence }),
          recordId,
          expectationFirst: broker.weather.keepsHistory && broker.happens(0.5),
          nowMs: broker.clock.monotonicMs(),
        };
        return broker.records.get(store)?.append(subject, copy, options) ?? UNKNOWN;
      });
    },
    last: async (subject, { timeoutMs }) => {
      assertPublishable(subject);
      return access.read(timeoutMs, (stale) => {
        const log = presentLog(broker, store);
        return found(stale === 0 ? log.last(subject) : log.former(subject, stale));
      });
    },
    next: async (subject, { fromSequence, timeoutMs }) => {
      assertSubscribable(subject);
      return access.read(timeoutMs, (stale) => {
        const log = presentLog(broker, store);
        const record = log.next(subject, fromSequence);
        // A replica behind by `stale` records has not heard of the newest ones.
        const horizon = stale === 0 ? undefined : (log.former(subject, stale)?.sequence ?? 0);
        return record !== undefined && horizon !== undefined && record.sequence > horizon ? undefined : found(record);
      });
    },
    read: (subject, { afterSequence, signal }) => {
      assertSubscribable(subject);
      return followLog(broker, endpoint, store, subject, afterSequence, signal);
    },
    purge: async (subject, { belowSequence, timeoutMs }) => {
      assertSubscribable(subject);
      const outcome = await access.write(timeoutMs, () => {
        presentLog(broker, store).purge(subject, belowSequence);
        return { written: 'yes', revision: 0 };
      });
      return outcome.written === 'yes' ? 'yes' : 'unknown';
    },
    remove: async (sequence, { timeoutMs }) => {
      const outcome = await access.write(timeoutMs, () => {
        presentLog(broker, store).remove(sequence);
        return { written: 'yes', revision: 0 };
      });
      return outcome.written === 'yes' ? 'yes' : 'unknown';
    },
    subjects: async (filter, { timeoutMs }) => {
      assertSubscribable(filter);
      return access.read(timeoutMs, () => presentLog(broker, store).counts(filter));
    },
  };
}

async function* followLog(broker: Broker, endpoint: Endpoint, store: string, subject: string, afterSequence: number, signal: AbortSignal) {
  let queue: LogRecord[] = [];
  let wake = (): void => undefined;
  let heard = afterSequence;
  const cancel = watchLog(broker, endpoint, {
    store,
    wanted: (candidate) => matchesSubject(subject, candidate),
    fromSequence: () => heard + 1,
    onReset: () => undefined,
    onLive: () => undefined,
    onRecord: (record) => {
      if (record.sequence <= heard) return;
      heard = record.sequence;
      queue.push(record);
      wake();
    },
  });
  const stop = (): void => wake();
  signal.addEventListener('abort', stop);
  const forget = endpoint.onEnd(stop);
  try {
    while (!signal.aborted && !endpoint.ended) {
      const batch = queue;
      queue = [];
      for (const record of batch) {
        if (signal.aborted) return;
        yield { record: record.value, sequence: record.sequence, subject: anySubject(record.subject) };
      }
      if (queue.length > 0 || signal.aborted || endpoint.ended) continue;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  } finally {
    cancel();
    forget();
    signal.removeEventListener('abort', stop);
  }
}
