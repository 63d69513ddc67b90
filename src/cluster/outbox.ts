import { type Address, describeAddress } from '../actor/address.ts';
import type { Envelope } from '../actor/envelope.ts';
import type { DeadLetterReason } from '../actor/events.ts';
import { NexaError, toNexaError } from '../errors.ts';
import type { OutChannel, Window } from './channels.ts';
import type { Batch, Entry, FrameWriter, Pulse, Statement } from './frame.ts';
import type { Peer } from './peer.ts';
import { MOST_CUT } from './wire-2.ts';

/** Of one frame of several messages. */
const BATCH_BYTES = 65_536;
/** How often a frame waits for what the same tick still sends. */
const MOST_ROUNDS = 4;

export interface OutboxOptions {
  readonly peer: Peer;
  readonly channel: OutChannel;
  /** Bytes of a body above which a message is cut, and of each part. */
  readonly partBytes: number;
  /** Of large messages, and of what waits behind them. */
  readonly queue: Window;
  readonly statement: () => Statement;
  /** @throws NexaError */
  readonly publish: (frame: Uint8Array) => void;
  /** Too much waits in the transport, whoever it is for. */
  readonly congested: () => boolean;
  readonly onRefused: (envelope: Envelope, error: NexaError, reason: DeadLetterReason) => void;
  /** Runs it after what is running now, before I/O. */
  readonly soon: (run: () => void) => void;
  readonly onSent: () => void;
}

/** Messages of one sender to one receiver, of which the first is large. */
interface Lane {
  readonly entries: Entry[];
  /** Of the first, once a part of it was sent. */
  number: number;
  sent: number;
}

/**
 * What is on its way out to one peer and has no sequence yet. Small messages of one tick share a frame. A large one goes in parts,
 * one at a time under way, so that others pass between them; only what the same sender sends to the same receiver waits behind
 * it (M2).
 */
export class Outbox {
  private readonly options: OutboxOptions;
  private writer: FrameWriter | undefined;
  private batch: Batch | undefined;
  /** Of the batch, and the bytes of the body of each. */
  private envelopes: Envelope[] = [];
  private sizes: number[] = [];
  private waitingBytes = 0;
  private flushing = false;
  private readonly lanes = new Map<string, Lane>();
  private readonly queued = { messages: 0, bytes: 0 };
  private numbers = 0;
  /** Sequence of the part that was sent last. */
  private part = 0;

  constructor(options: OutboxOptions) {
    this.options = options;
  }

  /** Not sent yet, large messages left out: they wait by their own bound. */
  get waiting(): Window {
    return { messages: this.envelopes.length, bytes: this.waitingBytes };
  }
  /** Waiting for a large message, or one themselves. */
  get queuedBytes(): number {
    return this.queued.bytes;
  }
  /** Of which a part was sent. */
  get cut(): Pulse['cut'] {
    return [...this.lanes.values()].flatMap(({ number, sent }) => (sent > 0 ? [{ number, sent }] : []));
  }

  /** False: there is no room for it in the queue. `body` may be shared: it is copied. @throws NexaError `payload-too-large`. */
  post(writer: FrameWriter, { envelope, body }: Entry): boolean {
    if (writer !== this.writer) {
      this.flush();
      this.writer = writer;
      this.batch = writer.messages(this.options.peer);
    }
    const large = body.length > this.options.partBytes;
    if (large && writer.part === undefined) {
      const message = `the message has ${body.length} bytes; that node takes ${this.options.partBytes} (wire version ${writer.version})`;
      throw new NexaError('payload-too-large', message, { fix: 'Upgrade that node, or send large content in parts.' });
    }
    if (large || this.lanes.size > 0) {
      const key = laneOf(envelope.from, envelope.to);
      const lane = this.lanes.get(key);
      if (large || lane !== undefined) return this.queue(key, lane, { envelope, body });
    }
    this.add(envelope, body);
    if (this.envelopes.length >= writer.batch) this.flush();
    else if (!this.flushing) {
      this.flushing = true;
      this.flushSoon(this.envelopes.length, 0);
    }
    return true;
  }

  /** Sends what waits for company. */
  flush(): void {
    const { batch, envelopes, sizes } = this;
    if (batch === undefined || envelopes.length === 0) return;
    const { channel, statement, publish, onSent } = this.options;
    this.empty();
    try {
      publish(batch.frame(channel.next, statement()));
      for (const bytes of sizes) channel.took(bytes);
      onSent();
    } catch (thrown) {
      for (const envelope of envelopes) this.refuse(envelope, thrown);
    }
  }

  /** Goes on with large messages, as far as there is room: at each statement of the peer and at each pulse. */
  pump(): void {
    const { channel, congested } = this.options;
    while (this.lanes.size > 0 && channel.stated >= this.part && !congested() && channel.room(false, this.waiting) === 'free') {
      const [next] = this.lanes;
      if (next === undefined) return;
      const [key, lane] = next;
      const [head] = lane.entries;
      if (head !== undefined && head.body.length > this.options.partBytes) this.sendPart(lane, head);
      else if (head !== undefined) {
        this.leave(lane);
        this.add(head.envelope, head.body);
        this.flush();
      }
      // Behind the others: they take turns.
      this.lanes.delete(key);
      if (lane.entries.length > 0) this.lanes.set(key, lane);
    }
  }

  /** Nothing of it is sent any more. */
  refuseAll(error: NexaError, reason: DeadLetterReason): void {
    const waiting = [...this.envelopes, ...[...this.lanes.values()].flatMap(({ entries }) => entries.map(({ envelope }) => envelope))];
    this.empty();
    this.batch = this.writer?.messages(this.options.peer);
    this.lanes.clear();
    Object.assign(this.queued, { messages: 0, bytes: 0 });
    for (const envelope of waiting) this.options.onRefused(envelope, error, reason);
  }

  private queue(key: string, lane: Lane | undefined, { envelope, body }: Entry): boolean {
    const { queue, partBytes } = this.options;
    if (this.queued.messages >= queue.messages || this.queued.bytes + body.length > queue.bytes) return false;
    if (lane === undefined && this.lanes.size >= MOST_CUT) return false;
    const entry = { envelope, body: body.slice() };
    this.queued.messages++;
    this.queued.bytes += body.length;
    if (lane !== undefined) lane.entries.push(entry);
    else this.lanes.set(key, { entries: [entry], number: 0, sent: 0 });
    if (body.length > partBytes) this.pump();
    return true;
  }
  private leave(lane: Lane): void {
    const entry = lane.entries.shift();
    lane.sent = 0;
    this.queued.messages--;
    this.queued.bytes -= entry?.body.length ?? 0;
  }

  private sendPart(lane: Lane, { envelope, body }: Entry): void {
    const { channel, peer, partBytes, statement, publish } = this.options;
    this.flush();
    if (lane.sent === 0) lane.number = ++this.numbers;
    const count = Math.ceil(body.length / partBytes);
    const piece = body.subarray(lane.sent * partBytes, (lane.sent + 1) * partBytes);
    const cut = { number: lane.number, index: lane.sent, count, totalBytes: body.length };
    try {
      const frame = this.writer?.part?.(peer, channel.next, statement(), { envelope, body: piece }, cut);
      if (frame === undefined) throw new NexaError('payload-too-large', 'that node takes no messages in parts');
      publish(frame);
    } catch (thrown) {
      this.leave(lane);
      return this.refuse(envelope, thrown);
    }
    channel.took(piece.length);
    this.part = channel.sent;
    if (++lane.sent === count) this.leave(lane);
    this.options.onSent();
  }

  private flushSoon(known: number, rounds: number): void {
    this.options.soon(() => {
      const now = this.envelopes.length;
      // What runs in this tick may send more: each round lets it.
      if (now > known && rounds < MOST_ROUNDS) return this.flushSoon(now, rounds + 1);
      this.flushing = false;
      this.flush();
    });
  }

  private add(envelope: Envelope, body: Uint8Array): void {
    const { batch, envelopes, options } = this;
    if (batch === undefined) return;
    if (envelopes.length > 0 && batch.bytes + body.length > Math.min(BATCH_BYTES, options.partBytes)) this.flush();
    try {
      batch.add({ envelope, body });
    } catch (thrown) {
      return this.refuse(envelope, thrown);
    }
    this.envelopes.push(envelope);
    this.sizes.push(body.length);
    this.waitingBytes += body.length;
  }
  private empty(): void {
    this.envelopes = [];
    this.sizes = [];
    this.waitingBytes = 0;
  }
  private refuse(envelope: Envelope, thrown: unknown): void {
    const error = toNexaError(thrown, 'unavailable');
    this.options.onRefused(envelope, error, reasonOf(error));
  }
}

const laneOf = (from: Address | undefined, to: Address): string =>
  `${from === undefined ? '' : describeAddress(from)} ${describeAddress(to)}`;
const reasonOf = (error: NexaError): DeadLetterReason => (error.code === 'overloaded' ? 'overloaded' : 'disconnected');
