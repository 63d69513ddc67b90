import type { Address } from '../actor/address.ts';
import type { Envelope } from '../actor/envelope.ts';
import type { Terminated } from '../actor/signal.ts';
import type { Window } from './channels.ts';
import type { Beat } from './members.ts';
import type { MsgpackReader } from './msgpack-reader.ts';
import type { ActorAddress, Peer } from './peer.ts';

/** Watches or ends in one frame. */
export const PAIRS_PER_FRAME = 1_000;

export type Reason = Terminated['reason'];
export type WatchMode = 'add' | 'remove' | 'replace';
/** `watcher` lives with the frame's sender or, in `ends`, with its receiver. */
export interface WatchPair {
  readonly target: ActorAddress;
  readonly watcher: ActorAddress;
}
export interface Ended extends WatchPair {
  readonly reason: Reason;
}
export interface WatchSum {
  readonly count: number;
  readonly hash: number;
}

/** A message on the way: its envelope without the message, and that encoded. Reading a frame never decodes a message. */
export interface Entry {
  readonly envelope: Envelope;
  readonly body: Uint8Array;
}
/** Where a part of a large message belongs. `number` rises per channel. */
export interface Cut {
  readonly number: number;
  readonly index: number;
  readonly count: number;
  /** Of the whole message. */
  readonly totalBytes: number;
}
/** What the receiver of a channel says of it: everything up to `taken` is behind it, and beyond that the window may be under way. */
export interface Statement {
  readonly taken: number;
  /** Wire 1 does not say it. */
  readonly window: Window | undefined;
}
/** Where both directions of the channel stand. */
export interface Pulse {
  readonly sent: number;
  /** The highest statement of the receiver that arrived. */
  readonly known: number;
  readonly statement: Statement;
  /** Every so often the sum of the sender's watches. */
  readonly watches: WatchSum | undefined;
  /** Large messages of which a part was sent, and how many of their parts: what is not among them will not be completed. */
  readonly cut: readonly { readonly number: number; readonly sent: number }[];
  /** Whoever at the pulse's sender has no room: the other side should send them nothing more for now. */
  readonly held: readonly Address[];
  /** How many of the receiver's held ones are known here: another number, and it says them again. Wire 1 does not say it. */
  readonly heeded: number | undefined;
}

/** One frame of one node incarnation to another. */
export type Frame = { readonly sender: Peer; readonly version: number } & (
  | { readonly frame: 'messages'; readonly first: number; readonly statement: Statement; readonly entries: readonly Entry[] }
  /** The body of the entry is the part; every part carries the whole envelope, so that any of them says who asked. */
  | { readonly frame: 'part'; readonly sequence: number; readonly statement: Statement; readonly entry: Entry; readonly cut: Cut }
  | ({ readonly frame: 'pulse' } & Pulse)
  | { readonly frame: 'watch'; readonly mode: WatchMode; readonly pairs: readonly WatchPair[] }
  | { readonly frame: 'terminated'; readonly ends: readonly Ended[] }
  /** The receiver of the frame should say its watches in full. */
  | { readonly frame: 'resend' }
  | { readonly frame: 'beat'; readonly beat: Beat }
);
export type FrameOf<K extends Frame['frame']> = Extract<Frame, { readonly frame: K }>;

/** Messages to one peer on their way into one frame. */
export interface Batch {
  /** Written so far. */
  readonly bytes: number;
  /** Copies the body. @throws NexaError for what the receiver would refuse; nothing of it is written then. */
  add(entry: Entry): void;
  /** All that were added; begins the next one. */
  frame(first: number, statement: Statement): Uint8Array;
}

/** Writes the frames of one node in one version. Addresses of the receiver's and the sender's own actors travel without the node. */
export interface FrameWriter {
  readonly version: number;
  /** Messages in one frame at most. */
  readonly batch: number;
  /** Undefined: this version cannot cut a message, and a large one is refused. */
  readonly part: ((to: Peer, sequence: number, statement: Statement, entry: Entry, cut: Cut) => Uint8Array) | undefined;
  messages(to: Peer): Batch;
  pulse(pulse: Pulse): Uint8Array;
  watch(mode: WatchMode, pairs: readonly WatchPair[]): Uint8Array;
  terminated(ends: readonly Ended[]): Uint8Array;
  resend(): Uint8Array;
  beat(beat: Beat): Uint8Array;
}
/** As many messages as one frame takes. */
export function frameOf(writer: FrameWriter, to: Peer, first: number, statement: Statement, entries: readonly Entry[]): Uint8Array {
  const batch = writer.messages(to);
  for (const entry of entries) batch.add(entry);
  return batch.frame(first, statement);
}

/** One layout of frames: its writer, and its reader by kind. */
export interface Layout {
  readonly writer: FrameWriter;
  /** Of the fields after the head, so many are left. Undefined: no such kind. @throws NexaError `invalid-message` */
  read(kind: number, fields: MsgpackReader, left: number, sender: Peer): Frame | undefined;
}
