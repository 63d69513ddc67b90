import { isDeepStrictEqual } from 'node:util';
import { NexaError } from '../errors.ts';
import { assertStoreName } from '../ports/safe-name.ts';
import type { Ensured, StoreSpec, Stores } from '../ports/stores.ts';
import { memoryBlobs } from './blobs.ts';
import type { Endpoint } from './endpoint.ts';
import { memoryKv } from './kv.ts';
import { Log } from './log.ts';
import type { Broker } from './network.ts';
import { storeAccess } from './store-access.ts';
import { memoryStream } from './stream.ts';

/** The {@link Stores} of one endpoint of a memory network: shared by all of its endpoints, gone with the process. */
export function memoryStores(
  broker: Broker,
  endpoint: Endpoint,
  way: { readonly storeReady: () => void; readonly reconnect: () => void },
): Stores {
  const access = storeAccess(broker, endpoint);
  return {
    ensure: async (spec, { timeoutMs }) => {
      assertStoreName(spec.name);
      if (spec.kind === 'stream' && !spec.subjects?.length)
        throw new NexaError('store-misconfigured', `stream ${spec.name} has no subjects`, { where: { store: spec.name } });
      let answer: Ensured = 'same';
      const outcome = await access.write(timeoutMs, () => {
        const present = broker.records.get(spec.name);
        if (present === undefined) {
          answer = 'created';
          broker.records.set(
            spec.name,
            new Log(spec, {
              createdAtMs: broker.clock.wallMs(),
              limitBytes: broker.storeLimitBytes,
              remembers: broker.weather.keepsHistory,
            }),
          );
          broker.soon(way.storeReady);
        } else {
          const different = differences(present.spec, spec);
          if (different.length > 0) answer = { different };
        }
        return { written: 'yes', revision: 0 };
      });
      return outcome.written === 'yes' ? answer : 'unknown';
    },
    info: async (name, { timeoutMs }) => {
      assertStoreName(name);
      return access.read(timeoutMs, () => {
        const log = broker.records.get(name);
        return log === undefined ? undefined : { spec: log.spec, createdAtMs: log.createdAtMs };
      });
    },
    kv: (name) => memoryKv(broker, endpoint, access, name),
    stream: (name) => memoryStream(broker, endpoint, access, name),
    blobs: (name) => memoryBlobs(broker, access, name),
    reconnect: way.reconnect,
  };
}

function differences(present: StoreSpec, wanted: StoreSpec): string[] {
  const fields: (keyof StoreSpec)[] = ['kind', 'replicas'];
  if (wanted.kind === 'stream') fields.push('subjects', 'mostPerSubject');
  if (wanted.firstSequence !== undefined) fields.push('firstSequence');
  return fields.filter((field) => !isDeepStrictEqual(present[field], wanted[field]));
}
