import { NexaError } from '../errors.ts';
import type { Codec } from '../ports/codec.ts';
import { type Kept, keptFields, keptFrom } from './kept.ts';
import { fieldsOf, isCount, isText } from './record-fields.ts';

/** What the records of a journal came to, up to and with record `n`: the tail behind it is joined by n. */
export interface SnapshotRecord {
  /** Of record n. */
  readonly recordId: string;
  readonly epoch: number;
  readonly n: number;
  /** Of the agent type that wrote it. */
  readonly version: number;
  /** Where record n was: a hint only, a restored stream counts anew. */
  readonly sequence: number;
  /** The encoded state, or the name of the object that holds it. */
  readonly state: Uint8Array | string;
  readonly kept: Kept;
}

const LAYOUT = 1;

export const encodeSnapshot = ({ recordId, epoch, n, version, sequence, state, kept }: SnapshotRecord, codec: Codec): Uint8Array =>
  codec.encode([LAYOUT, recordId, epoch, n, version, sequence, state, ...keptFields(kept)]);

/** @throws NexaError `corrupt-record`, `unknown-version` with the place that is given. */
export function decodeSnapshot(bytes: Uint8Array, codec: Codec, where: Readonly<Record<string, string>>): SnapshotRecord {
  const [, recordId, epoch, n, version, sequence, state, ...more] = fieldsOf(bytes, codec, 'a snapshot', [LAYOUT], where);
  const kept = keptFrom(more);
  if (
    !isText(recordId) ||
    !isCount(epoch) ||
    !isCount(n) ||
    !isCount(version) ||
    !isCount(sequence) ||
    !(isText(state) || state instanceof Uint8Array) ||
    kept === undefined
  )
    throw new NexaError('corrupt-record', 'a snapshot with fields of the wrong kind', { where });
  return { recordId, epoch, n, version, sequence, state, kept };
}
