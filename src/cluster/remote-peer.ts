import { type Address, describeAddress } from '../actor/address.ts';
import type { Envelope } from '../actor/envelope.ts';
import { NexaError } from '../errors.ts';
import type { Clock } from '../ports/clock.ts';
import { onAbort } from '../ports/on-abort.ts';
import type { Subject } from '../ports/transport.ts';
import { Assembly, type AssemblyBudget, type Lost } from './assembly.ts';
import { InChannel, OutChannel, type Room, type Window } from './channels.ts';
import type { Entry, Frame, FrameOf, FrameWriter, Statement } from './frame.ts';
import { Inflow, type InflowOptions } from './inflow.ts';
import { Outbox, type OutboxOptions } from './outbox.ts';
import type { Peer } from './peer.ts';
import type { RemoteBounds } from './remote-options.ts';
import { type LocalWatches, PeerWatches } from './remote-watch.ts';
import type { Wire } from './wire.ts';

export interface RemotePeerOptions extends Pick<InflowOptions, 'deliver' | 'pressure' | 'onFull' | 'lagMs' | 'parked'> {
  readonly clock: Clock;
  readonly wire: Wire;
  readonly bounds: RemoteBounds;
  readonly partBytes: number;
  readonly watches: LocalWatches;
  readonly halves: AssemblyBudget;
  readonly inbox: Subject;
  /** Where the server says that nobody listens on the inbox. */
  readonly probe: Subject;
  /** What its record says it reads; undefined as long as that was not read. */
  readonly versions: () => readonly number[] | undefined;
  /** Control frames: lost ones are repeated, so it never throws. */
  readonly publish: (frame: Uint8Array, reply?: Subject) => void;
  /** @throws NexaError */
  readonly publishMessages: OutboxOptions['publish'];
  /** Too much waits in the transport, whoever it is for. */
  readonly congested: () => boolean;
  readonly onRefused: OutboxOptions['onRefused'];
  readonly soon: OutboxOptions['soon'];
  /** Somebody here has no room: {@link RemotePeer.release} is to be called soon. */
  readonly onHold: () => void;
}

/** Messages to an actor that has no room which still go there; they are under way to it or parked before it. */
const HELD_SLACK = 256;
/** The first frame after this long without a pulse is followed by one, so that an inbox without listener shows at once. */
const IDLE_MS = 500;

/** Everything this node keeps about one other incarnation: a channel each way, watches each way, who waits for room. */
export class RemotePeer {
  readonly peer: Peer;
  readonly inbox: Subject;
  readonly probe: Subject;
  readonly out: OutChannel;
  readonly in = new InChannel();
  readonly outbox: Outbox;
  readonly inflow: Inflow;
  readonly watches: PeerWatches;
  readonly assembly: Assembly;
  private readonly options: RemotePeerOptions;
  /** Who there has no room, and what was sent to them since they said so. */
  private readonly held = new Map<string, number>();
  private readonly waiting = new Map<(error?: NexaError) => void, string | undefined>();
  private writer: FrameWriter | undefined;
  private writerIsSettled = false;
  private heardVersion: number | undefined;
  private windowSaid: Window;
  private pulsedAtMs = Number.NEGATIVE_INFINITY;
  private sumAtMs: number;
  private askedAtMs = Number.NEGATIVE_INFINITY;

  constructor(peer: Peer, options: RemotePeerOptions) {
    const { bounds } = options;
    this.peer = peer;
    this.options = options;
    this.inbox = options.inbox;
    this.probe = options.probe;
    this.out = new OutChannel(bounds.window);
    this.inflow = new Inflow({
      ...{ window: bounds.window, deliver: options.deliver, pressure: options.pressure, onFull: options.onFull },
      ...{ lagMs: options.lagMs, parked: options.parked },
      onChange: () => {
        this.pulse(false);
        if (this.inflow.holding) options.onHold();
      },
    });
    this.outbox = new Outbox({
      ...{ peer, channel: this.out, partBytes: options.partBytes, queue: bounds.large, soon: options.soon },
      statement: () => this.statement(),
      publish: options.publishMessages,
      congested: options.congested,
      onRefused: options.onRefused,
      onSent: () => {
        if (options.clock.monotonicMs() - this.pulsedAtMs >= IDLE_MS) this.pulse(false);
      },
    });
    this.assembly = new Assembly({ half: bounds.large, messageBytes: bounds.messageBytes, patienceMs: bounds.largeMs }, options.halves);
    this.watches = new PeerWatches(
      peer,
      () => this.speaks(),
      () => this.known,
      options.watches,
      options.publish,
    );
    this.windowSaid = bounds.window;
    this.sumAtMs = options.clock.monotonicMs();
  }

  /** In the highest version that both read (C9). Undefined: there is none. */
  speaks(): FrameWriter | undefined {
    if (this.writerIsSettled) return this.writer;
    const theirs = this.options.versions();
    this.writerIsSettled = theirs !== undefined;
    const heard = this.heardVersion === undefined ? undefined : [this.heardVersion];
    this.writer = this.options.wire.speaks(theirs ?? heard);
    return this.writer;
  }
  /** It is a member by the records, or was. Else it may be anybody's invention. */
  get known(): boolean {
    this.speaks();
    return this.writerIsSettled;
  }
  /** It only ever spoke to us. */
  get idle(): boolean {
    return this.out.sent === 0 && this.watches.watching === 0 && this.watches.watched === 0 && !this.inflow.holding;
  }
  /** A frame of it came: as long as its record is not known, it reads what it writes. */
  heard(version: number): void {
    if (!this.writerIsSettled) this.heardVersion = Math.max(this.heardVersion ?? 0, version);
  }

  room(answer: boolean): Room {
    return this.out.room(answer, this.outbox.waiting);
  }
  /** More waits on this side than a window: large messages, or the transport. */
  get congested(): boolean {
    return this.outbox.queuedBytes > this.options.bounds.window.bytes || this.options.congested();
  }
  /** What its mailbox there said of late. Counts the message. */
  heldAt(to: Address): Room {
    if (this.held.size === 0) return 'free';
    const key = describeAddress(to);
    const sent = this.held.get(key);
    if (sent === undefined) return 'free';
    this.held.set(key, sent + 1);
    return sent < HELD_SLACK ? 'tight' : 'none';
  }

  /** False: there is no room for it. @throws NexaError `payload-too-large`. */
  post(writer: FrameWriter, envelope: Envelope, body: Uint8Array): boolean {
    return this.outbox.post(writer, { envelope, body });
  }

  /** What one frame carried, in the order it was sent; `late` came too late. Answers how many never came. */
  accept(first: number, entries: readonly Entry[], each: (entry: Entry, late: boolean) => void): number {
    const { gaps } = this.in;
    for (let index = 0; index < entries.length; index++) {
      const entry = entries[index] as Entry;
      each(entry, !this.in.accept(first + index, entry.body.length));
    }
    return this.in.gaps - gaps;
  }
  /** Enough arrived since the sender last heard of it, and nothing went back that would have told him. */
  stateIfOwed(): void {
    const { messages, bytes } = this.windowSaid;
    if (this.in.owed * 4 >= messages || this.in.owedBytes * 4 >= bytes) this.pulse(false);
  }
  stateNow(): void {
    this.pulse(false);
  }

  heardStatement({ taken, window }: Statement): void {
    if (!this.out.state(taken, window)) return;
    this.outbox.pump();
    this.letIn();
  }
  /** What it showed to be lost: frames, and large messages. */
  heardPulse(pulse: FrameOf<'pulse'>, patienceMs: number): { readonly frames: number; readonly messages: readonly Lost[] } {
    this.hold(pulse.held);
    this.heardStatement(pulse.statement);
    const frames = this.in.reach(pulse.sent, pulse.known);
    if (pulse.heeded !== undefined && pulse.heeded !== this.inflow.held.length) this.in.owed++;
    if (frames > 0 || (pulse.watches !== undefined && !this.watches.agrees(pulse.watches))) this.askForWatches(patienceMs);
    return { frames, messages: this.assembly.reach(pulse.cut) };
  }
  heardWatches(frame: Extract<Frame, { readonly frame: 'watch' | 'terminated' }>): void {
    this.watches.heard(frame);
  }
  askForWatches(patienceMs: number): void {
    const nowMs = this.options.clock.monotonicMs();
    if (nowMs - this.askedAtMs < patienceMs) return;
    this.askedAtMs = nowMs;
    const frame = this.speaks()?.resend();
    if (frame !== undefined) this.options.publish(frame);
  }

  reconnected(): void {
    this.watches.restate();
    this.pulse(true);
  }

  /** Answers large messages that were given up. */
  tick(stateWatchesMs: number): readonly Lost[] {
    const nowMs = this.options.clock.monotonicMs();
    const sumIsDue = nowMs - this.sumAtMs >= stateWatchesMs;
    const { messages, bytes } = this.inflow.window;
    const windowMoved = messages !== this.windowSaid.messages || bytes !== this.windowSaid.bytes;
    const busy = this.out.inFlight > 0 || this.in.owed > 0 || windowMoved || this.inflow.holding || this.held.size > 0;
    if (busy || (sumIsDue && this.watches.sum() !== undefined)) this.pulse(sumIsDue);
    this.outbox.pump();
    this.letIn();
    return this.assembly.expire(nowMs);
  }

  /** Resolves when there is room, at once if there is. @throws NexaError `ask-timeout`, `cancelled`, `overloaded`, `node-lost`. */
  ready(within: { readonly timeoutMs: number; readonly signal?: AbortSignal; readonly to?: Address }): Promise<void> {
    const to = within.to === undefined ? undefined : describeAddress(within.to);
    if (this.hasRoom(to)) return Promise.resolve();
    const { signal, timeoutMs } = within;
    const where = { node: this.peer.node };
    if (signal?.aborted === true)
      return Promise.reject(new NexaError('cancelled', 'the wait was given up', { where, cause: signal.reason }));
    if (this.waiting.size >= this.options.bounds.waiting)
      return Promise.reject(new NexaError('overloaded', 'too many wait for that node', { where }));
    return new Promise((resolve, reject) => {
      const settle = (error?: NexaError) => {
        this.waiting.delete(settle);
        forget();
        unhear?.();
        if (error === undefined) resolve();
        else reject(error);
      };
      const forget = this.options.clock.after(timeoutMs, () =>
        settle(new NexaError('ask-timeout', 'no room within the deadline', { where })),
      );
      const unhear =
        signal && onAbort(signal, () => settle(new NexaError('cancelled', 'the wait was given up', { where, cause: signal.reason })));
      this.waiting.set(settle, to);
    });
  }

  disconnected(error: NexaError): void {
    this.outbox.refuseAll(error, 'disconnected');
  }
  gone(error: NexaError, reason: 'node-lost' | 'unknown'): void {
    for (const settle of [...this.waiting.keys()]) settle(error);
    this.outbox.refuseAll(error, 'node-lost');
    this.assembly.clear();
    this.watches.over(reason);
  }
  /** This node is closing: nobody is told of anything any more. Answers what was parked. */
  close(error: NexaError): readonly Envelope[] {
    for (const settle of [...this.waiting.keys()]) settle(error);
    this.outbox.flush();
    this.assembly.clear();
    return this.inflow.clear();
  }

  private hasRoom(to: string | undefined): boolean {
    return this.room(false) === 'free' && !this.congested && (to === undefined || !this.held.has(to));
  }
  private letIn(): void {
    if (this.waiting.size === 0 || !this.hasRoom(undefined)) return;
    for (const [settle, to] of [...this.waiting]) if (this.hasRoom(to)) settle();
  }
  private hold(addresses: readonly Address[]): void {
    if (addresses.length === 0 && this.held.size === 0) return;
    const now = new Set(addresses.map(describeAddress));
    for (const key of [...this.held.keys()]) if (!now.has(key)) this.held.delete(key);
    for (const key of now) if (!this.held.has(key)) this.held.set(key, 0);
    this.letIn();
  }
  private statement(): Statement {
    this.windowSaid = this.inflow.window;
    return { taken: this.in.settle(), window: this.windowSaid };
  }
  private pulse(withSum: boolean): void {
    const nowMs = this.options.clock.monotonicMs();
    this.pulsedAtMs = nowMs;
    if (withSum) this.sumAtMs = nowMs;
    const frame = this.speaks()?.pulse({
      ...{ sent: this.out.sent, known: this.out.stated, statement: this.statement() },
      ...{ watches: withSum ? this.watches.sum() : undefined, cut: this.outbox.cut },
      ...{ held: this.inflow.held, heeded: this.held.size },
    });
    if (frame !== undefined) this.options.publish(frame, this.probe);
  }
}
