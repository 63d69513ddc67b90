import { NexaError } from '../errors.ts';
import { assertKey } from '../ports/safe-name.ts';
import type { Blobs, Written } from '../ports/stores.ts';
import type { Broker } from './network.ts';
import { presentLog, type StoreAccess } from './store-access.ts';

const NOTHING = new Uint8Array(0);

/** The {@link Blobs} of one endpoint of a memory network. */
export function memoryBlobs(broker: Broker, access: StoreAccess, store: string): Blobs {
  const write = async (name: string, value: Uint8Array, deleted: boolean, timeoutMs: number): Promise<void> => {
    assertKey(name);
    const copy = value.slice();
    const outcome: Written = await access.write(timeoutMs, () => {
      const log = presentLog(broker, store);
      const last = log.last(name);
      const written = log.append(name, copy, { deleted, nowMs: broker.clock.monotonicMs() });
      if (last !== undefined) log.purge(name, last.sequence + 1);
      return written;
    });
    if (outcome.written !== 'yes')
      throw new NexaError('unavailable', `the object ${name} may not be stored`, { definite: false, where: { store, name } });
  };

  return {
    put: (name, value, { timeoutMs }) => write(name, value, false, timeoutMs),
    delete: (name, { timeoutMs }) => write(name, NOTHING, true, timeoutMs),
    get: async (name, { timeoutMs }) => {
      assertKey(name);
      return access.read(timeoutMs, (stale) => {
        const record = stale === 0 ? presentLog(broker, store).last(name) : undefined;
        return record === undefined || record.deleted ? undefined : record.value;
      });
    },
  };
}
