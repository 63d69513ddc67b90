/** What one node may have under way to another before it slows down; at four times that it refuses. */
export interface Window {
  readonly messages: number;
  readonly bytes: number;
}
const NOTHING: Window = { messages: 0, bytes: 0 };
const HARD = 4;
/** Answers may go beyond the hard bound, whatever the window: refusing one would cost its asker the whole deadline. */
const ANSWERS = 5;

export type Room = 'free' | 'tight' | 'none';

/**
 * The sending side of one channel, from one incarnation to another. Only the receiver's cumulative statement (the highest
 * sequence it took, and its window) frees anything, so losing a statement or repeating it changes nothing. The bytes that a
 * sequence stands for are the sender's own knowledge: what was lost on the way is freed with the rest.
 */
export class OutChannel {
  /** Sequence of the last message sent; 0 before the first. */
  sent = 0;
  /** Highest sequence that the receiver said it has behind it. */
  stated = 0;
  private sentBytes = 0;
  private statedBytes = 0;
  /** Bytes sent up to and with a sequence, for those in flight. */
  private totals = new Float64Array(64);
  private readonly most: Window;
  private window: Window;

  /** The window until the receiver says one, and the largest that is believed. */
  constructor(most: Window) {
    this.most = most;
    this.window = most;
  }

  get inFlight(): number {
    return this.sent - this.stated;
  }
  get inFlightBytes(): number {
    return this.sentBytes - this.statedBytes;
  }
  /** Of all frames since the start. */
  get totalBytes(): number {
    return this.sentBytes;
  }

  /** `waiting`: what is to be sent before, and has no sequence yet. */
  room(answer = false, waiting: Window = NOTHING): Room {
    const { messages, bytes } = this.window;
    const inFlight = this.inFlight + waiting.messages;
    const inFlightBytes = this.inFlightBytes + waiting.bytes;
    if (inFlight < messages && inFlightBytes < bytes) return 'free';
    const { most } = this;
    const within = answer
      ? inFlight < most.messages * ANSWERS && inFlightBytes < most.bytes * ANSWERS
      : inFlight < messages * HARD && inFlightBytes < bytes * HARD;
    return within ? 'tight' : 'none';
  }

  /** The sequence for the next frame; call {@link took} once it was handed to the transport. */
  get next(): number {
    return this.sent + 1;
  }
  took(bytes: number): void {
    if (this.inFlight + 1 >= this.totals.length) this.grow();
    this.sent++;
    this.sentBytes += bytes;
    this.totals[this.sent % this.totals.length] = this.sentBytes;
  }

  /** The receiver has everything up to here behind it. What it cannot know of is ignored. True: there is more room. */
  state(taken: number, window?: Window): boolean {
    if (!(taken >= this.stated && taken <= this.sent)) return false;
    const before = this.window;
    if (window !== undefined)
      this.window = { messages: Math.min(window.messages, this.most.messages), bytes: Math.min(window.bytes, this.most.bytes) };
    const wider = this.window.messages > before.messages || this.window.bytes > before.bytes;
    if (taken === this.stated) return wider;
    this.stated = taken;
    this.statedBytes = this.totals[taken % this.totals.length] as number;
    return true;
  }

  private grow(): void {
    const larger = new Float64Array(this.totals.length * 2);
    for (let sequence = this.stated; sequence <= this.sent; sequence++) {
      larger[sequence % larger.length] = this.totals[sequence % this.totals.length] as number;
    }
    this.totals = larger;
  }
}

/** The receiving side: what it takes has a rising sequence, whatever the network did; what never came is counted. */
export class InChannel {
  /** Highest sequence that was taken, or that the sender said it had sent. */
  taken = 0;
  /** Frames that never came, or came after a later one. */
  gaps = 0;
  /** Frames dropped because a later one, or themselves, came before. */
  late = 0;
  /** Frames that were taken, and the bytes of all that came. */
  accepted = 0;
  totalBytes = 0;
  /** Since the sender was last told. */
  owed = 0;
  owedBytes = 0;

  /** False: not above the last one; it must be dropped. */
  accept(sequence: number, bytes: number): boolean {
    this.owed++;
    this.owedBytes += bytes;
    this.totalBytes += bytes;
    if (sequence <= this.taken) {
      this.late++;
      return false;
    }
    this.gaps += sequence - this.taken - 1;
    this.taken = sequence;
    this.accepted++;
    return true;
  }

  /**
   * The sender says up to where it has sent, on the same ordered way, and which of our statements reached it. What is missing by
   * now is lost; a statement that he does not know is owed again. Answers how many are lost.
   */
  reach(sent: number, known: number): number {
    const missing = Math.max(0, sent - this.taken);
    this.gaps += missing;
    this.taken += missing;
    if (known < this.taken) this.owed++;
    return missing;
  }

  /** What goes out now tells the sender. */
  settle(): number {
    this.owed = 0;
    this.owedBytes = 0;
    return this.taken;
  }
}
