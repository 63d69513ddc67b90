import { type Address, formatAddress, parseAddress } from '../actor/address.ts';
import { fieldsOf } from '../durable/record-fields.ts';
import { NexaError } from '../errors.ts';
import type { Codec } from '../ports/codec.ts';
import type { MessageCodec } from './codec.ts';
import { serviceEntryKey } from './subject.ts';

/** One entry of SERVICES. Its home is in its address: the node incarnation of an actor, the record of an agent. */
export interface ServiceRecord {
  readonly key: string;
  readonly instance: string;
  /** Undefined for a program outside the cluster, which has none and renews its entry instead. */
  readonly address: Address | undefined;
  readonly metadata: Readonly<Record<string, unknown>>;
  /** Of this write alone: tells after an unknown outcome whether it was ours. A renewal keeps it. */
  readonly nonce: string;
  /** By the wall clock of the node that registered it. Shown, never compared. */
  readonly registeredAtMs: number;
  /** It is renewed at least so often, or counts as gone after three times that. */
  readonly heartbeatMs: number | undefined;
}

/** Of the metadata as JSON. */
const METADATA_BYTES = 4_096;

/** A copy of what is plain JSON and not too much of it. @throws NexaError `not-encodable`, `quota-exceeded`. */
export function checkMetadata(metadata: unknown, codec: MessageCodec, where: Readonly<Record<string, string>>): ServiceRecord['metadata'] {
  if (typeof metadata !== 'object' || metadata === null || Array.isArray(metadata))
    throw new NexaError('not-encodable', 'metadata is an object of plain JSON', { where });
  const json = codec.encodeJson(metadata);
  if (json.length > METADATA_BYTES) {
    throw new NexaError('quota-exceeded', `the metadata has ${json.length} bytes as JSON; ${METADATA_BYTES} are allowed`, {
      where,
      fix: 'Register what others choose by, and let them ask for the rest.',
    });
  }
  return codec.decodeJson(json) as ServiceRecord['metadata'];
}

/** Layout 1: fields are only ever added at its end, and a reader that does not know them leaves them out. */
export const encodeService = (record: ServiceRecord, codec: Codec): Uint8Array =>
  codec.encode([
    1,
    record.key,
    record.instance,
    record.address === undefined ? null : formatAddress(record.address),
    record.metadata,
    record.nonce,
    record.registeredAtMs,
    record.heartbeatMs ?? null,
  ]);

/** @throws NexaError `corrupt-record`, `unknown-version`. */
export function decodeService(bytes: Uint8Array, codec: Codec, at: string): ServiceRecord {
  const corrupt = (what: string, cause?: unknown): NexaError => new NexaError('corrupt-record', what, { where: { key: at }, cause });
  const [, key, instance, address, metadata, nonce, registeredAtMs, heartbeatMs] = fieldsOf(bytes, codec, 'a service record', [1], {
    key: at,
  });
  const formed =
    typeof key === 'string' &&
    typeof instance === 'string' &&
    (address === null || typeof address === 'string') &&
    typeof metadata === 'object' &&
    metadata !== null &&
    !Array.isArray(metadata) &&
    typeof nonce === 'string' &&
    typeof registeredAtMs === 'number' &&
    (heartbeatMs === null || (typeof heartbeatMs === 'number' && heartbeatMs > 0));
  if (!formed) throw corrupt('a service record with fields of the wrong kind');
  try {
    if (serviceEntryKey(key, instance) !== at) throw corrupt('a service record under the key of another one');
    return {
      ...{ key, instance, metadata: metadata as ServiceRecord['metadata'], nonce, registeredAtMs },
      address: address === null ? undefined : parseAddress(address),
      heartbeatMs: heartbeatMs ?? undefined,
    };
  } catch (cause) {
    throw corrupt('a service record with a name or an address that is none', cause);
  }
}
