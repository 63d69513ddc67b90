import { NexaError } from '../errors.ts';
import type { Codec } from '../ports/codec.ts';
import { fieldsOf, isCount, isText } from './record-fields.ts';
import type { HandledRequest } from './request-ring.ts';
import type { Source, StoredEvent } from './turn.ts';

/** One record of an agent's journal: a fence, or what one turn stored, or that all before it is deleted. */
export interface JournalRecord {
  /** Fresh for every record: the only identity. (epoch, n) is none, two appends of one activation may carry the same pair. */
  readonly recordId: string;
  readonly epoch: number;
  /** Counts the records of the agent, without a gap; what joins them with a snapshot. */
  readonly n: number;
  /** Of the agent type that wrote it. */
  readonly version: number;
  /** The agent begins here, with this configuration: its first state follows from that. */
  readonly begins?: { readonly config: unknown } | undefined;
  /** The state was deleted (a fenced tombstone): it needs nothing before it. Mail up to this floor stays handled. */
  readonly deleted?: { readonly floor: number } | undefined;
  readonly events: readonly StoredEvent[];
  readonly request?: HandledRequest | undefined;
  readonly source?: Source | undefined;
}

const LAYOUT = 1;

export const encodeRecord = (record: JournalRecord, codec: Codec): Uint8Array =>
  codec.encode([
    LAYOUT,
    record.recordId,
    record.epoch,
    record.n,
    record.version,
    record.begins === undefined ? null : [record.begins.config ?? null],
    record.deleted === undefined ? null : [record.deleted.floor],
    record.events.map(({ type, data }) => [type, data]),
    record.request === undefined ? null : [...record.request],
    record.source === undefined ? null : sourceFields(record.source),
  ]);

/** @throws NexaError `corrupt-record`, `unknown-version` with the place that is given. */
export function decodeRecord(bytes: Uint8Array, codec: Codec, where: Readonly<Record<string, string>>): JournalRecord {
  const [, recordId, epoch, n, version, begins, deleted, listed, request, source] = fieldsOf(
    bytes,
    codec,
    'a journal record',
    [LAYOUT],
    where,
  );
  const events = eventsFrom(listed);
  const read = {
    begins: begins === null ? undefined : Array.isArray(begins) && begins.length === 1 ? { config: begins[0] ?? undefined } : false,
    deleted: deleted === null ? undefined : Array.isArray(deleted) && isCount(deleted[0]) ? { floor: deleted[0] } : false,
    request: request === null ? undefined : requestFrom(request),
    source: source === null ? undefined : sourceFrom(source),
  } as const;
  if (!isText(recordId) || !isCount(epoch) || !isCount(n) || !isCount(version) || !events || Object.values(read).includes(false))
    throw new NexaError('corrupt-record', 'a journal record with fields of the wrong kind', { where });
  return { recordId, epoch, n, version, events, ...(read as Pick<JournalRecord, 'begins' | 'deleted' | 'request' | 'source'>) };
}

function eventsFrom(value: unknown): readonly StoredEvent[] | false {
  if (!Array.isArray(value) || !value.every((each) => Array.isArray(each) && each.length === 2 && isText(each[0]))) return false;
  return value.map(([type, data]) => ({ type, data }));
}
function requestFrom(value: unknown): HandledRequest | false {
  return Array.isArray(value) && value.length === 2 && isText(value[0]) && value[1] instanceof Uint8Array ? [value[0], value[1]] : false;
}
function sourceFields(source: Source): readonly unknown[] {
  if ('mail' in source) return ['mail', source.mail.sequence, source.mail.messageId];
  if ('tried' in source) return ['tried', source.tried.sequence];
  return ['fired', source.fired.name, source.fired.declared, source.fired.dueAtMs];
}
function sourceFrom(value: unknown): Source | false {
  if (!Array.isArray(value)) return false;
  const [kind, ...fields] = value;
  if (kind === 'mail') {
    const [sequence, messageId] = fields;
    return isCount(sequence) && isText(messageId) && { mail: { sequence, messageId } };
  }
  if (kind === 'tried') return isCount(fields[0]) && { tried: { sequence: fields[0] } };
  const [name, declared, dueAtMs] = fields;
  return kind === 'fired' && isText(name) && isText(declared) && Number.isFinite(dueAtMs) && { fired: { name, declared, dueAtMs } };
}
