import { assertKey, assertKeyPrefix } from '../ports/safe-name.ts';
import type { Kv, Written } from '../ports/stores.ts';
import type { Endpoint } from './endpoint.ts';
import type { Log } from './log.ts';
import type { Broker } from './network.ts';
import { assertFits, presentLog, type StoreAccess, UNKNOWN } from './store-access.ts';
import { watchLog } from './watcher.ts';

const NOTHING = new Uint8Array(0);

/** The {@link Kv} of one endpoint of a memory network. */
export function memoryKv(broker: Broker, endpoint: Endpoint, access: StoreAccess, store: string): Kv {
  const nowMs = (): number => broker.clock.monotonicMs();

  const write = async (key: string, value: Uint8Array, timeoutMs: number, apply: (log: Log) => Written): Promise<Written> => {
    assertKey(key);
    assertFits(broker, store, value);
    return access.write(timeoutMs, () => {
      const log = broker.records.get(store);
      return log === undefined ? UNKNOWN : apply(log);
    });
  };

  return {
    create: (key, value, { timeoutMs }) => {
      const copy = value.slice();
      return write(key, copy, timeoutMs, (log) => {
        const last = log.last(key);
        return log.append(key, copy, { expected: last?.deleted ? last.sequence : 0, nowMs: nowMs() });
      });
    },
    update: (key, value, revision, { timeoutMs }) => {
      const copy = value.slice();
      return write(key, copy, timeoutMs, (log) => log.append(key, copy, { expected: revision, nowMs: nowMs() }));
    },
    delete: (key, revision, { timeoutMs }) =>
      write(key, NOTHING, timeoutMs, (log) => log.append(key, NOTHING, { expected: revision, deleted: true, nowMs: nowMs() })),
    get: async (key, { timeoutMs }) => {
      assertKey(key);
      return access.read(timeoutMs, (stale) => {
        const log = presentLog(broker, store);
        const record = stale === 0 ? log.last(key) : log.former(key, stale);
        return record === undefined || record.deleted ? undefined : { value: record.value, revision: record.sequence };
      });
    },
    removed: async (key, revision, { timeoutMs }) => {
      assertKey(key);
      return access.read(timeoutMs, (stale) => {
        const log = presentLog(broker, store);
        const last = log.last(key);
        return stale === 0 && (last === undefined ? log.lastSequence >= revision : last.deleted && last.sequence > revision);
      });
    },
    keys: async (prefix, { timeoutMs }) => {
      assertKeyPrefix(prefix);
      return access.read(timeoutMs, () => [...presentLog(broker, store).counts('>').keys()].filter((key) => key.startsWith(prefix)));
    },
    watch: (prefix, listener) => {
      assertKeyPrefix(prefix);
      return watchLog(broker, endpoint, {
        store,
        wanted: (key) => key.startsWith(prefix),
        fromSequence: () => 0,
        onReset: () => listener({ kind: 'reset' }),
        onLive: () => listener({ kind: 'live' }),
        onRecord: ({ subject, value, sequence, deleted }) =>
          listener({ kind: deleted ? 'delete' : 'put', key: subject, value, revision: sequence }),
      });
    },
  };
}
