import { type Address, describeAddress, REPLY_PATH } from '../actor/address.ts';
import type { Envelope } from '../actor/envelope.ts';
import type { Pressure } from '../actor/mailbox.ts';
import type { Window } from './channels.ts';
import { MOST_HELD } from './wire-2.ts';

export interface InflowOptions {
  /** Of this peer. */
  readonly window: Window;
  readonly deliver: (envelope: Envelope) => boolean;
  readonly pressure: (to: Address) => Pressure;
  /** Its mailbox has no room, and neither has what may wait before it. */
  readonly onFull: (envelope: Envelope) => void;
  /** Delay of the event loop at the moment. */
  readonly lagMs: () => number;
  /** Bytes parked for all peers together. */
  readonly parked: { bytes: number; readonly mostBytes: number };
  /** Someone has no room, or has it again: the sender should hear of it. */
  readonly onChange: () => void;
}
interface Held {
  readonly to: Address;
  readonly parked: { readonly envelope: Envelope; readonly bytes: number }[];
}

/** What may be parked, in windows; what the window never falls below, as a share; and the lag from which it is a quarter. */
const PARKED_WINDOWS = 4;
const FLOOR = 1 / 16;
const LAG_MS = 200;

/**
 * What arrives from one peer on its way into the mailboxes. When one is high its senders are told, and what they had sent before
 * they could know is parked here, in order, instead of being refused; the window of the peer shrinks by what is parked. An ask
 * keeps its place behind parked messages, unless there are more than a window of them: then somebody does not listen, and who
 * waits for an answer learns at once that the mailbox is full.
 */
export class Inflow {
  private readonly options: InflowOptions;
  private readonly holds = new Map<string, Held>();
  private messages = 0;
  private bytes = 0;

  constructor(options: InflowOptions) {
    this.options = options;
  }

  get held(): readonly Address[] {
    return this.holds.size === 0 ? NOBODY : [...this.holds.values()].map(({ to }) => to);
  }
  get holding(): boolean {
    return this.holds.size > 0;
  }
  get parked(): Window {
    return { messages: this.messages, bytes: this.bytes };
  }
  get window(): Window {
    const { window, lagMs } = this.options;
    const share = lagMs() >= LAG_MS ? 4 : 1;
    return {
      messages: Math.max(Math.ceil(window.messages * FLOOR), Math.floor((window.messages - this.messages) / share)),
      bytes: Math.max(Math.ceil(window.bytes * FLOOR), Math.floor((window.bytes - this.bytes) / share)),
    };
  }

  take(envelope: Envelope, bytes: number): void {
    const { to } = envelope;
    // Answers, items of streams and the like: they were asked for, and have no mailbox.
    const answer = to.kind === 'incarnation' && to.path.startsWith(REPLY_PATH);
    const held = this.holds.size === 0 || answer ? undefined : this.holds.get(describeAddress(to));
    if (held !== undefined && this.drain(held)) return this.park(held, envelope, bytes);
    if (this.options.deliver(envelope) || answer || this.options.pressure(to) === 'room') return;
    if (held !== undefined || this.holds.size >= MOST_HELD) return;
    this.holds.set(describeAddress(to), { to, parked: [] });
    this.options.onChange();
  }

  /** Lets in what is parked as far as there is room; to be called every few milliseconds while anybody is held. */
  release(): void {
    let changed = false;
    for (const [key, held] of this.holds) {
      if (this.drain(held) || this.options.pressure(held.to) !== 'room') continue;
      this.holds.delete(key);
      changed = true;
    }
    if (changed) this.options.onChange();
  }

  /** What is still parked, taken out. */
  clear(): readonly Envelope[] {
    const left = [...this.holds.values()].flatMap(({ parked }) => parked);
    for (const { bytes } of left) this.count(-1, -bytes);
    this.holds.clear();
    return left.map(({ envelope }) => envelope);
  }

  /** True: what comes now has to wait behind others, or its mailbox is high. */
  private drain({ to, parked }: Held): boolean {
    const { pressure, deliver } = this.options;
    let now = pressure(to);
    while (parked.length > 0 && now !== 'high') {
      const next = parked.shift();
      if (next === undefined) break;
      this.count(-1, -next.bytes);
      deliver(next.envelope);
      now = pressure(to);
    }
    return parked.length > 0 || now === 'high';
  }
  private park(held: Held, envelope: Envelope, bytes: number): void {
    const { window, parked, onFull, deliver } = this.options;
    const asks = envelope.replyTo !== undefined;
    if (asks && held.parked.length === 0) {
      // Between high and full the mailbox itself says which of them it takes.
      deliver(envelope);
      return;
    }
    const windows = asks ? 1 : PARKED_WINDOWS;
    const full =
      this.messages >= window.messages * windows ||
      (this.bytes > 0 && this.bytes + bytes > window.bytes * windows) ||
      parked.bytes + bytes > parked.mostBytes;
    if (full) return onFull(envelope);
    held.parked.push({ envelope, bytes });
    this.count(1, bytes);
  }
  private count(messages: number, bytes: number): void {
    this.messages += messages;
    this.bytes += bytes;
    this.options.parked.bytes += bytes;
  }
}

const NOBODY: readonly Address[] = [];
