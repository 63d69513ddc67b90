import { type Address, formatAddress, parseAddress, REPLY_PATH } from '../actor/address.ts';
import type { Envelope } from '../actor/envelope.ts';
import type { Terminated } from '../actor/signal.ts';
import { NexaError, toNexaError } from '../errors.ts';
import { createCodec } from './codec.ts';
import type { Beat } from './members.ts';
import type { ActorAddress, Peer } from './peer.ts';
import { validNode } from './subject.ts';

/** Of the frames between nodes. A reader takes this one and refuses any other by name (C9). */
export const WIRE_VERSION = 1;
const KIND = { envelope: 0, pulse: 1, watch: 2, terminated: 3, resend: 4, beat: 5 } as const;
const MODES = ['add', 'remove', 'replace'] as const;
const REASONS = ['stopped', 'failed', 'node-lost', 'unknown'] as const;
/** Watches or ends in one frame. */
export const PAIRS_PER_FRAME = 1_000;
const LONGEST_CHAIN = 16;
const REMEMBERED_ADDRESSES = 4_096;

export type Reason = Terminated['reason'];
export type WatchMode = (typeof MODES)[number];
/** `watcher` lives with the frame's sender or, in `ends`, with its receiver. */
export interface WatchPair {
  readonly target: ActorAddress;
  readonly watcher: ActorAddress;
}
export interface Ended extends WatchPair {
  readonly reason: Reason;
}

/** One frame of one node incarnation to another. The body of an envelope stays bytes: reading a frame never decodes a message. */
export type Frame = { readonly sender: Peer } & (
  | {
      readonly frame: 'envelope';
      readonly sequence: number;
      readonly taken: number;
      readonly envelope: Envelope;
      readonly body: Uint8Array;
    }
  /** Where both directions of the channel stand, and every so often the sum of the sender's watches. */
  | {
      readonly frame: 'pulse';
      readonly sent: number;
      readonly known: number;
      readonly taken: number;
      readonly watches: WatchSum | undefined;
    }
  | { readonly frame: 'watch'; readonly mode: WatchMode; readonly pairs: readonly WatchPair[] }
  | { readonly frame: 'terminated'; readonly ends: readonly Ended[] }
  /** The receiver of the frame should say its watches in full. */
  | { readonly frame: 'resend' }
  | { readonly frame: 'beat'; readonly beat: Beat }
);
export interface WatchSum {
  readonly count: number;
  readonly hash: number;
}

/** Writes and reads frames of one node. Fixed positions, no names: half the bytes of a map and twice the speed. */
export interface Wire {
  /** `body`: the encoded message; it is copied. Addresses of the receiver's and the sender's own actors travel without the node. */
  envelope(to: Peer, sequence: number, taken: number, envelope: Envelope, body: Uint8Array): Uint8Array;
  /** `known`: the highest statement of the receiver that reached us. */
  pulse(sent: number, known: number, taken: number, watches: WatchSum | undefined): Uint8Array;
  watch(mode: WatchMode, pairs: readonly WatchPair[]): Uint8Array;
  terminated(ends: readonly Ended[]): Uint8Array;
  resend(): Uint8Array;
  beat(beat: Beat): Uint8Array;
  /** @throws NexaError `unknown-version`, `invalid-message`. */
  read(payload: Uint8Array): Frame;
}

export function createWire(self: Peer): Wire {
  const codec = createCodec();
  const addresses = new Map<string, Address>();
  const head = (kind: number): unknown[] => [WIRE_VERSION, kind, self.node, self.incarnation];

  const address = (text: string): Address => {
    const known = addresses.get(text);
    if (known !== undefined) return known;
    const parsed = parseAddress(text);
    if (addresses.size >= REMEMBERED_ADDRESSES) addresses.clear();
    addresses.set(text, parsed);
    return parsed;
  };
  /** Short for an actor of the node that both sides know anyway: `[path, uid]`, and the number alone for an ask's way back. */
  const short = (value: Address | undefined, of: Peer): unknown => {
    if (value === undefined) return null;
    if (value.kind === 'agent' || value.node !== of.node || value.nodeIncarnation !== of.incarnation) return formatAddress(value);
    return value.path === REPLY_PATH ? value.uid : [value.path, value.uid];
  };
  const long = (value: unknown, of: Peer): Address => {
    if (typeof value === 'string') return address(value);
    if (typeof value === 'number') return actor(REPLY_PATH, natural(value), of);
    if (Array.isArray(value) && value.length === 2)
      return address(`nexa://${of.node}.${of.incarnation}/${text(value[0], 2_048)}#${natural(value[1])}`);
    throw misshapen('an address');
  };
  const target = (path: unknown, uid: unknown, of: Peer): ActorAddress => long([path, uid], of) as ActorAddress;
  const watcher = (value: unknown, of: Peer): ActorAddress => {
    const at = long(value, of);
    return at.kind === 'incarnation' ? at : fail('a watcher');
  };

  const readEnvelope = (fields: readonly unknown[], sender: Peer): Frame => {
    const [, , , , sequence, taken, to, replyTo, from, epoch, chain, requestId, budgetMs, traceparent, body] = fields;
    if (!(body instanceof Uint8Array)) throw misshapen('a body');
    const said = optional(from, (value) => long(value, sender));
    if (said?.kind === 'incarnation' && (said.node !== sender.node || said.nodeIncarnation !== sender.incarnation))
      throw misshapen('its own sender');
    return {
      sender,
      frame: 'envelope',
      sequence: positive(sequence),
      taken: natural(taken),
      envelope: {
        to: long(to, self),
        message: undefined,
        replyTo: optional(replyTo, (value) => long(value, sender)),
        from: said,
        epoch: optional(epoch, natural),
        chain: optional(chain, ids),
        requestId: optional(requestId, (value) => text(value, 64)),
        budgetMs: optional(budgetMs, duration),
        traceparent: optional(traceparent, (value) => text(value, 128)),
      },
      body,
    };
  };
  const readers: Readonly<Record<number, (fields: readonly unknown[], sender: Peer) => Frame>> = {
    [KIND.envelope]: readEnvelope,
    [KIND.pulse]: ([, , , , sent, known, taken, count, hash], sender) => ({
      sender,
      frame: 'pulse',
      sent: natural(sent),
      known: natural(known),
      taken: natural(taken),
      watches: optional(count, (value) => ({ count: natural(value), hash: natural(hash) })),
    }),
    [KIND.watch]: ([, , , , mode, pairs], sender) => ({
      sender,
      frame: 'watch',
      mode: MODES[natural(mode)] ?? fail('a watch mode'),
      pairs: list(pairs, 3, ([path, uid, who]) => ({ target: target(path, uid, self), watcher: watcher(who, sender) })),
    }),
    [KIND.terminated]: ([, , , , ends], sender) => ({
      sender,
      frame: 'terminated',
      ends: list(ends, 4, ([path, uid, who, reason]) => ({
        target: target(path, uid, sender),
        watcher: watcher(who, self),
        reason: REASONS[natural(reason)] ?? fail('a reason'),
      })),
    }),
    [KIND.resend]: (_fields, sender) => ({ sender, frame: 'resend' }),
    [KIND.beat]: ([, , , , suspended, admits, agents, lagMs, pid, load], sender) => ({
      sender,
      frame: 'beat',
      beat: {
        ...sender,
        suspended: suspended === true,
        admits: admits === true,
        agents: natural(agents),
        lagMs: duration(lagMs),
        pid: natural(pid),
        // Not said by every node.
        load: load === undefined ? natural(agents) : duration(load),
      },
    }),
  };

  return {
    envelope: (to, sequence, taken, envelope, body) =>
      codec.encode([
        ...head(KIND.envelope),
        sequence,
        taken,
        short(envelope.to, to),
        short(envelope.replyTo, self),
        short(envelope.from, self),
        envelope.epoch ?? null,
        envelope.chain ?? null,
        envelope.requestId ?? null,
        envelope.budgetMs ?? null,
        envelope.traceparent ?? null,
        body,
      ]),
    pulse: (sent, known, taken, watches) =>
      codec.encode([...head(KIND.pulse), sent, known, taken, watches?.count ?? null, watches?.hash ?? null]),
    watch: (mode, pairs) =>
      codec.encode([
        ...head(KIND.watch),
        MODES.indexOf(mode),
        pairs.map(({ target, watcher }) => [target.path, target.uid, short(watcher, self)]),
      ]),
    terminated: (ends) =>
      codec.encode([
        ...head(KIND.terminated),
        ends.map(({ target, watcher, reason }) => [target.path, target.uid, formatAddress(watcher), REASONS.indexOf(reason)]),
      ]),
    resend: () => codec.encode(head(KIND.resend)),
    beat: (beat) => codec.encode([...head(KIND.beat), beat.suspended, beat.admits, beat.agents, beat.lagMs, beat.pid, beat.load]),
    read: (payload) => {
      const version = versionOf(payload);
      if (version !== WIRE_VERSION) {
        const fix = 'Upgrade the older node; neighbouring versions work together.';
        throw new NexaError('unknown-version', `a frame of wire version ${version ?? 'unknown'}; this node reads ${WIRE_VERSION}`, { fix });
      }
      const fields = codec.decode(payload);
      if (!Array.isArray(fields) || fields.length < 4) throw misshapen('a frame');
      const read = typeof fields[1] === 'number' ? readers[fields[1]] : undefined;
      if (read === undefined) throw misshapen('a kind');
      try {
        return read(fields, { node: validNode(text(fields[2], 64)), incarnation: positive(fields[3]) });
      } catch (error) {
        const known = toNexaError(error, 'invalid-message');
        throw known.code === 'invalid-message' ? known : new NexaError('invalid-message', known.message, { cause: known });
      }
    },
  };
}

/** Of an array whose first item is a small number; read before the rest, which a later version may write differently. */
function versionOf(payload: Uint8Array): number | undefined {
  const head = payload[0] ?? 0;
  const version = payload[head === 0xdc ? 3 : 1] ?? 0xff;
  return (head & 0xf0) === 0x90 || head === 0xdc ? (version < 0x80 ? version : undefined) : undefined;
}

const misshapen = (what: string): NexaError => new NexaError('invalid-message', `a frame between nodes has not the shape of ${what}`);
const fail = (what: string): never => {
  throw misshapen(what);
};
const natural = (value: unknown): number => (Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : fail('a count'));
const positive = (value: unknown): number => natural(value) || fail('a positive number');
const duration = (value: unknown): number =>
  typeof value === 'number' && value >= 0 && value < Number.MAX_SAFE_INTEGER ? value : fail('a duration');
const text = (value: unknown, longest: number): string => (typeof value === 'string' && value.length <= longest ? value : fail('a text'));
const ids = (value: unknown): readonly string[] =>
  Array.isArray(value) && value.length <= LONGEST_CHAIN ? value.map((id) => text(id, 512)) : fail('a chain');
const optional = <T>(value: unknown, read: (value: unknown) => T): T | undefined =>
  value === null || value === undefined ? undefined : read(value);
const actor = (path: string, uid: number, of: Peer): ActorAddress => ({
  kind: 'incarnation',
  node: of.node,
  nodeIncarnation: of.incarnation,
  path,
  uid,
});
const list = <T>(value: unknown, width: number, read: (item: readonly unknown[]) => T): readonly T[] => {
  if (!Array.isArray(value) || value.length > PAIRS_PER_FRAME) throw misshapen('a list');
  return value.map((item) => (Array.isArray(item) && item.length === width ? read(item) : fail('a list')));
};
