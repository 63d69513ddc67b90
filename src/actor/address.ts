import { NexaError } from '../errors.ts';

export type NodeId = string;

/**
 * Where a message goes. `incarnation`: exactly that actor, never a successor of the same name (L4). `agent`: whoever is the
 * current activation of that type and id. Text form: `nexa://<node>.<inc>/<path>#<uid>` and `nexa:<type>/<id>`.
 */
export type Address =
  | { readonly kind: 'incarnation'; readonly node: NodeId; readonly nodeIncarnation: number; readonly path: string; readonly uid: number }
  | { readonly kind: 'agent'; readonly type: string; readonly id: string };

/** The path of a one-shot reply address; its uid is the number of the ask. No actor can be named so, nor as the ones below. */
export const REPLY_PATH = '?';
/** Where a stream's producer hears how far its consumer has come. */
export const SOURCE_PATH = '?source';
/** Where a node hears that an ask or a stream of another one, of that number, was given up. */
export const CANCEL_PATH = '?cancel';
/** Items in flight of one stream at most. */
export const WIDEST_WINDOW = 1_024;

/** The path where the items of a stream arrive; it says how many may be on their way before the first is acknowledged. */
export const streamPath = (window: number): string => `?stream/${window}`;
/** The window of a {@link streamPath}; undefined for any other path. */
export function windowOf(path: string): number | undefined {
  if (!path.startsWith('?stream/')) return undefined;
  const window = Number(path.slice(8));
  return window <= WIDEST_WINDOW ? window : undefined;
}

const INCARNATION = /^nexa:\/\/([A-Za-z0-9_-]{1,64})\.(\d{1,16})\/([^#\s]{1,2048})#(\d{1,16})$/;
const RESERVED = /^\?(?:source|cancel|stream\/[1-9]\d{0,3})?$/;
const AGENT = /^nexa:([a-z][a-z0-9-]{0,62})\/(.{1,512})$/;
const SEGMENT = "[A-Za-z0-9_\\-.~$=+!*'(),:@]{1,255}";
const NAME = new RegExp(`^${SEGMENT}$`);
const PATH = new RegExp(`^${SEGMENT}(?:/${SEGMENT}){0,63}$`);
const PLAIN_ID = /^[A-Za-z0-9_-]{1,128}$/;
const LONGEST_ENCODED_ID = 255;

/** The text form of an address; {@link parseAddress} reads it back. @throws NexaError `bad-id` for an id that has no text form. */
export function formatAddress(address: Address): string {
  return address.kind === 'agent'
    ? `nexa:${address.type}/${encodeId(address.id)}`
    : `nexa://${address.node}.${address.nodeIncarnation}/${address.path}#${address.uid}`;
}

/** As {@link formatAddress}, for errors and logs: never throws, and what it says of a bad id is not read back. */
export function describeAddress(address: Address): string {
  return address.kind === 'agent' ? `nexa:${address.type}/${String(address.id).slice(0, 200)}` : formatAddress(address);
}

/** @throws NexaError `invalid-message` when the text is no address, `bad-id` when it names an agent by an id that is none. */
export function parseAddress(text: string): Address {
  if (typeof text === 'string') {
    const agent = AGENT.exec(text);
    if (agent?.[1] !== undefined && agent[2] !== undefined) return { kind: 'agent', type: agent[1], id: decodeId(agent[2]) };
    const actor = INCARNATION.exec(text);
    if (actor?.[1] !== undefined && actor[3] !== undefined) {
      const nodeIncarnation = Number(actor[2]);
      const uid = Number(actor[4]);
      const known = PATH.test(actor[3]) || RESERVED.test(actor[3]);
      if (known && Number.isSafeInteger(nodeIncarnation) && Number.isSafeInteger(uid)) {
        return { kind: 'incarnation', node: actor[1], nodeIncarnation, path: actor[3], uid };
      }
    }
  }
  throw new NexaError('invalid-message', 'this is not the text of an address', {
    where: { address: String(text).slice(0, 200) },
    fix: 'Write nexa:<type>/<id> or nexa://<node>.<incarnation>/<path>#<uid>.',
  });
}

/** Letters, digits, `_` and `-` stand for themselves; anything else is `=` and the base64url of its UTF-8, never normalised. */
export function encodeId(id: string): string {
  if (typeof id === 'string' && PLAIN_ID.test(id)) return id;
  if (typeof id !== 'string' || id === '' || !wellFormed(id)) throw badId(id, 'an id is a well-formed text that is not empty');
  const encoded = `=${Buffer.from(id, 'utf8').toString('base64url')}`;
  if (encoded.length > LONGEST_ENCODED_ID) throw badId(id, `an id has at most ${LONGEST_ENCODED_ID} characters once encoded`);
  return encoded;
}

/** Exact: a second spelling of the same id is refused, so that one agent never has two names. */
export function decodeId(encoded: string): string {
  if (PLAIN_ID.test(encoded)) return encoded;
  if (encoded.startsWith('=')) {
    const id = Buffer.from(encoded.slice(1), 'base64url').toString('utf8');
    if (id !== '' && !PLAIN_ID.test(id) && encodeId(id) === encoded) return id;
  }
  throw badId(encoded, 'this is not the encoded form of an id');
}

/** Whether a node may have this name. */
export function isNodeId(name: string): boolean {
  return typeof name === 'string' && /^[A-Za-z0-9_-]{1,64}$/.test(name);
}

/** Whether an actor may have this name; `$…` is kept for the names that the runtime makes. */
export function isActorName(name: string): boolean {
  return NAME.test(name);
}

export function sameAddress(a: Address, b: Address): boolean {
  if (a === b) return true;
  if (a.kind === 'agent') return b.kind === 'agent' && a.id === b.id && a.type === b.type;
  return b.kind === 'incarnation' && a.uid === b.uid && a.node === b.node && a.nodeIncarnation === b.nodeIncarnation && a.path === b.path;
}

const badId = (id: unknown, message: string) => new NexaError('bad-id', message, { where: { id: String(id).slice(0, 200) } });

function wellFormed(text: string): boolean {
  try {
    encodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}
