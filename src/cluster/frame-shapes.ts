import { type Address, formatAddress, type NodeId, parseAddress, REPLY_PATH } from '../actor/address.ts';
import { NexaError } from '../errors.ts';
import { PAIRS_PER_FRAME } from './frame.ts';
import type { MsgpackReader } from './msgpack-reader.ts';
import type { ActorAddress, Peer } from './peer.ts';

const LONGEST_CHAIN = 16;
/** Characters of the path of an actor, and of an address as a text. */
export const LONGEST_PATH = 2_048;
export const LONGEST_ADDRESS = 4_096;
export const LONGEST_REQUEST_ID = 64;
export const LONGEST_TRACEPARENT = 128;
const REMEMBERED_ADDRESSES = 4_096;

export const misshapen = (what: string): NexaError =>
  new NexaError('invalid-message', `a frame between nodes has not the shape of ${what}`);
export const fail = (what: string): never => {
  throw misshapen(what);
};
export const natural = (value: unknown): number =>
  Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : fail('a count');
export const positive = (value: unknown): number => natural(value) || fail('a positive number');
export const duration = (value: unknown): number =>
  typeof value === 'number' && value >= 0 && value < Number.MAX_SAFE_INTEGER ? value : fail('a duration');
export const text = (value: unknown, longest: number): string =>
  typeof value === 'string' && value.length <= longest && value.isWellFormed() ? value : fail('a text');
export const bytes = (value: unknown): Uint8Array => (value instanceof Uint8Array ? value : fail('a body'));
export const ids = (value: unknown): readonly string[] =>
  Array.isArray(value) && value.length <= LONGEST_CHAIN ? value.map((id) => text(id, 512)) : fail('a chain');
export const isThere = (value: unknown): boolean => value !== null && value !== undefined;
export const optional = <T>(value: unknown, read: (value: unknown) => T): T | undefined => (isThere(value) ? read(value) : undefined);
/** A list of positional items, each of that width. */
export const list = <T>(value: unknown, width: number, read: (item: readonly unknown[]) => T, most = PAIRS_PER_FRAME): readonly T[] => {
  if (!Array.isArray(value) || value.length > most) throw misshapen('a list');
  return value.map((item) => (Array.isArray(item) && item.length === width ? read(item) : fail('a list')));
};

/** The fields of a frame that are left, also those that only a later release knows. */
export function rest(fields: MsgpackReader, left: number): readonly unknown[] {
  const values: unknown[] = [];
  for (let count = 0; count < left; count++) values.push(fields.next());
  return values;
}

/** How addresses stand in the frames of one node. */
export interface AddressForms {
  /** Short for an actor of the node that both sides know anyway: `[path, uid]`, and the number alone for an ask's way back. */
  short(value: Address | undefined, of: Peer): unknown;
  long(value: unknown, of: Peer): Address;
  actor(path: unknown, uid: unknown, of: Peer): ActorAddress;
  /** As `long`, of an agent or of an actor of that node: nobody speaks for another one. */
  own(value: unknown, of: Peer): Address;
  /** As `own`, and no agent. */
  actorOf(value: unknown, of: Peer): ActorAddress;
}

export function addressForms(): AddressForms {
  const known = new Map<string, Address>();
  const parsed = (text: string): Address => {
    const before = known.get(text);
    if (before !== undefined) return before;
    const address = parseAddress(text);
    if (known.size >= REMEMBERED_ADDRESSES) known.clear();
    known.set(text, address);
    return address;
  };
  /** By node and uid: without their text, which would be made for each message. */
  const actors = new Map<NodeId, Map<number, ActorAddress>>();
  let count = 0;
  const actorAt = (path: string, uid: number, of: Peer): ActorAddress => {
    const before = actors.get(of.node)?.get(uid);
    if (before !== undefined && before.path === path && before.nodeIncarnation === of.incarnation) return before;
    const address = parseAddress(`nexa://${of.node}.${of.incarnation}/${path}#${uid}`) as ActorAddress;
    if (++count > REMEMBERED_ADDRESSES) {
      actors.clear();
      count = 1;
    }
    const ofNode = actors.get(of.node) ?? new Map<number, ActorAddress>();
    actors.set(of.node, ofNode.set(uid, address));
    return address;
  };
  const long = (value: unknown, of: Peer): Address => {
    if (typeof value === 'string') return parsed(value);
    if (typeof value === 'number')
      return { kind: 'incarnation', node: of.node, nodeIncarnation: of.incarnation, path: REPLY_PATH, uid: natural(value) };
    if (Array.isArray(value) && value.length === 2) return actorAt(text(value[0], LONGEST_PATH), natural(value[1]), of);
    throw misshapen('an address');
  };
  const own = (value: unknown, of: Peer): Address => {
    const at = long(value, of);
    return at.kind === 'agent' || (at.node === of.node && at.nodeIncarnation === of.incarnation) ? at : fail('an own actor');
  };
  return {
    long,
    own,
    short: (value, of) => {
      if (value === undefined) return null;
      if (value.kind === 'agent' || value.node !== of.node || value.nodeIncarnation !== of.incarnation) return formatAddress(value);
      return value.path === REPLY_PATH ? value.uid : [value.path, value.uid];
    },
    actor: (path, uid, of) => long([path, uid], of) as ActorAddress,
    actorOf: (value, of) => {
      const at = own(value, of);
      return at.kind === 'incarnation' ? at : fail('an actor');
    },
  };
}
