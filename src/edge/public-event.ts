import { type Address, describeAddress, formatAddress } from '../actor/address.ts';
import type { RuntimeEvent } from '../actor/events.ts';
import { messageType } from './letters.ts';
import { shownData, shownName } from './showable.ts';

/** What a node tells whoever listens: JSON on `….events.<node>.<kind>`, at most once, rate-bounded. Hints, as every reading is. */
export interface PublicEvent {
  /** The kind, as in docs/events.md; or `omitted`: so many of one kind were left out. */
  readonly event: string;
  /** Who says it. */
  readonly node: string;
  readonly incarnation: number;
  /** Counts what this incarnation has published, from 1: a gap is what got lost on the way. */
  readonly n: number;
  /** The node's wall clock. */
  readonly atMs: number;
  /** The named agent it is about, */
  readonly agent?: { readonly type: string; readonly id: string };
  /** or the text of another actor's address. */
  readonly actor?: string;
  readonly [more: string]: unknown;
}

/** Of the whole. */
const BYTES = 8_192;

/** Whether an operator would look at it. Actors come and go by the thousands; only those that failed are news. */
export const isPublic = (event: RuntimeEvent): boolean => event.event !== 'stopped' || event.reason === 'failed';

/** Said of every event by whoever publishes it: no field of an event takes its place. */
const RESERVED: readonly string[] = ['event', 'node', 'incarnation', 'n', 'atMs', 'agent', 'actor'];

/** What strangers may know of an event: who and why, never the body of a message. */
export function publicFields(event: RuntimeEvent): Readonly<Record<string, unknown>> {
  const fields: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(event)) {
    if (RESERVED.includes(name)) continue;
    else if (name === 'address') Object.assign(fields, about(value as Address));
    else if (name === 'member') fields.member = memberFields(value as Carried<'member'>['member']);
    else if (name === 'envelope') Object.assign(fields, letterFields(value as Carried<'dead-letter'>['envelope']));
    else {
      const plain = shownData(value);
      if (plain !== undefined) fields[name] = plain;
    }
  }
  return fields;
}

type Carried<Kind extends RuntimeEvent['event']> = Extract<RuntimeEvent, { readonly event: Kind }>;

const about = (address: Address): object =>
  address.kind === 'agent'
    ? { agent: { type: shownName(address.type), id: shownName(address.id) } }
    : { actor: shownName(formatAddress(address)) };
const memberFields = ({ node, incarnation, state, cordoned, suspended, version, labels }: Carried<'member'>['member']): object => ({
  ...{ node, incarnation, state, cordoned, suspended, version },
  labels: shownData(labels),
});
function letterFields({ to, from, message, traceparent }: Carried<'dead-letter'>['envelope']): object {
  const type = messageType(message);
  return {
    ...about(to),
    ...(from === undefined ? {} : { from: shownName(describeAddress(from)) }),
    ...(type === null ? {} : { type }),
    ...(traceparent === undefined ? {} : { traceparent: shownName(traceparent) }),
  };
}

/** As bytes; of one that is too large only who, what and when. */
export function encodeEvent(event: PublicEvent): Uint8Array {
  const bytes = Buffer.from(JSON.stringify(event));
  if (bytes.length <= BYTES) return bytes;
  const { event: kind, node, incarnation, n, atMs, agent } = event;
  return Buffer.from(
    JSON.stringify({ event: kind, node, incarnation, n, atMs, ...(agent === undefined ? {} : { agent }), cutBytes: bytes.length }),
  );
}

/** Whatever publishes on that subject is not trusted to be a node: undefined unless it has the form of an event. */
export function decodeEvent(payload: Uint8Array): PublicEvent | undefined {
  if (payload.length > BYTES) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(payload).toString('utf8'));
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const { event, node, incarnation, n, atMs, agent, actor } = value as Record<string, unknown>;
  const formed =
    typeof event === 'string' &&
    typeof node === 'string' &&
    [incarnation, n, atMs].every((number) => typeof number === 'number') &&
    (agent === undefined || isAgent(agent)) &&
    (actor === undefined || typeof actor === 'string');
  return formed ? (value as PublicEvent) : undefined;
}
const isAgent = (value: unknown): boolean =>
  typeof value === 'object' &&
  value !== null &&
  'type' in value &&
  'id' in value &&
  typeof value.type === 'string' &&
  typeof value.id === 'string';
