import type { Address } from '../actor/address.ts';
import type { Envelope } from '../actor/envelope.ts';
import type { DeadLetterReason } from '../actor/events.ts';
import type { Pressure } from '../actor/mailbox.ts';
import type { NexaError } from '../errors.ts';
import type { Clock } from '../ports/clock.ts';
import type { Logger } from '../ports/logger.ts';
import type { Random } from '../ports/random.ts';
import type { Transport } from '../ports/transport.ts';
import type { Window } from './channels.ts';
import type { MessageCodec } from './codec.ts';
import type { Peer } from './peer.ts';
import { LIMITS } from './plain-data.ts';
import type { LocalWatches } from './remote-watch.ts';
import type { Subjects } from './subject.ts';

export interface RemoteOptions {
  readonly self: Peer;
  /** Wire versions that this node advertises. */
  readonly wireVersions: readonly number[];
  /** What the record of that incarnation advertises; undefined as long as it was not read. */
  readonly versionsOf: (peer: Peer) => readonly number[] | undefined;
  /** The data connection. */
  readonly transport: Transport;
  readonly subjects: Subjects;
  /** With a `refOf` that makes live refs. */
  readonly codec: MessageCodec;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** Only a record that was read proves it. Frames from there are dropped, and nothing is sent there. */
  readonly isGone: (node: string, incarnation: number) => boolean;
  /** A message for this node: for one of its actors, for an agent it is taken to own, or the answer of one of its asks. False is tell's hint. */
  readonly onEnvelope: (envelope: Envelope, from: Peer) => boolean;
  /** Whether an actor of this node takes more; without it everybody has room. */
  readonly pressure?: (to: Address) => Pressure;
  /** Delay of the event loop at the moment; default 0. */
  readonly lagMs?: () => number;
  /** A message of this node that was not sent: a dead letter, or an answer to `replyTo`. */
  readonly onRefused: (envelope: Envelope, error: NexaError, reason: DeadLetterReason) => void;
  /** A message that arrived and was not taken. Whoever asked was answered where that is right. */
  readonly onDeadLetter: (envelope: Envelope, reason: DeadLetterReason, error?: NexaError) => void;
  /** An ask of this node that was sent to an incarnation now gone; it may be settled already. */
  readonly onAskLost: (askId: number, error: NexaError) => void;
  readonly watches: LocalWatches;
  /** Nobody listens on that inbox: a hint, never a proof. */
  readonly onUnreachable?: (peer: Peer) => void;
  /** Runs it after what is running now, before I/O. Default: as a microtask. */
  readonly soon?: (run: () => void) => void;
  readonly bounds?: Partial<RemoteBounds>;
  /** How often both sides of a channel say where it stands while it is used; what heals every lost frame. Default: the beat's. */
  readonly pulseMs?: number;
  /** How often watches are stated. Default: as reconciling. */
  readonly watchesMs?: number;
}
export interface RemoteBounds {
  /**
   * Under way to one peer before `send` answers false; four times that before it refuses. The receiver may say less, down to a
   * sixteenth. Default 4,096 messages, 2 MiB.
   */
  readonly window: Window;
  /** Waiting in the transport before `send` answers false (default 4 MiB), and before it refuses (default 32 MiB). */
  readonly bufferedBytes: number;
  readonly mostBufferedBytes: number;
  /** An encoded message above this travels in parts of it. Default 512 KiB. */
  readonly partBytes: number;
  /** One encoded message. Default 16 MiB. */
  readonly messageBytes: number;
  /** Large messages of one peer, what waits behind them with it: at the sender, and half arrived. Default 4,096, 64 MiB. */
  readonly large: Window;
  /** How long the receiver waits for the next part of one. Default 30,000. */
  readonly largeMs: number;
  /** Half arrived from all peers together, and parked before full mailboxes. Default 256 MiB, 64 MiB. */
  readonly mostHalfBytes: number;
  readonly mostParkedBytes: number;
  /** Incarnations spoken with. Default 4,096. */
  readonly peers: number;
  /** Callers of `ready` waiting for one peer. Default 10,000. */
  readonly waiting: number;
}
export const REMOTE_BOUNDS: RemoteBounds = {
  window: { messages: 4_096, bytes: 2_097_152 },
  bufferedBytes: 4_194_304,
  mostBufferedBytes: 33_554_432,
  partBytes: 524_288,
  messageBytes: LIMITS.messageBytes,
  large: { messages: 4_096, bytes: 67_108_864 },
  largeMs: 30_000,
  mostHalfBytes: 268_435_456,
  mostParkedBytes: 67_108_864,
  peers: 4_096,
  waiting: 10_000,
};

/** Since the start. Every loss that shows is in one of them. */
export interface RemoteCounters {
  sent: number;
  sentBytes: number;
  received: number;
  receivedBytes: number;
  refused: number;
  /** Frames that never came, counted when the next frame or pulse shows it. */
  gaps: number;
  /** Dropped: a later one came before. */
  late: number;
  /** Large messages of which a part never came. */
  incomplete: number;
  undecodable: number;
  /** Frames of another version, and messages to a node that has none in common with this one. */
  unknownVersion: number;
  fromGone: number;
  unreachable: number;
}

export const NOTHING_YET: RemoteCounters = {
  sent: 0,
  sentBytes: 0,
  received: 0,
  receivedBytes: 0,
  refused: 0,
  gaps: 0,
  late: 0,
  incomplete: 0,
  undecodable: 0,
  unknownVersion: 0,
  fromGone: 0,
  unreachable: 0,
};
export interface PeerView extends Peer {
  /** Messages each way since the two first spoke, and their bytes. */
  readonly sent: number;
  readonly sentBytes: number;
  readonly received: number;
  readonly receivedBytes: number;
  readonly inFlight: number;
  readonly inFlightBytes: number;
  /** Of the wire between the two; undefined: none in common. */
  readonly version: number | undefined;
  /** What waits here for its turn as a large message, and what came from there and waits before full mailboxes. */
  readonly queuedBytes: number;
  readonly parked: number;
  readonly parkedBytes: number;
  readonly gaps: number;
  readonly late: number;
  readonly watching: number;
  readonly watched: number;
}
