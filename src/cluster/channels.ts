/** What one node may have under way to another before it slows down (`window…`) and before it refuses (four times that). */
export interface Window {
  readonly messages: number;
  readonly bytes: number;
}
const HARD = 4;
/** Answers may go beyond the hard bound: refusing one would cost its asker the whole deadline. */
const ANSWERS = 5;

export type Room = 'free' | 'tight' | 'none';

/**
 * The sending side of one channel, from one incarnation to another. Only the receiver's cumulative statement (the highest
 * sequence it took) frees anything, so losing a statement or repeating it changes nothing.
 */
export class OutChannel {
  /** Sequence of the last frame sent; 0 before the first. */
  sent = 0;
  /** Highest sequence that the receiver said it has behind it. */
  stated = 0;
  private sentBytes = 0;
  private statedBytes = 0;
  /** Bytes sent up to and with a sequence, for those in flight. */
  private totals = new Float64Array(64);
  private readonly window: Window;

  constructor(window: Window) {
    this.window = window;
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

  room(answer = false): Room {
    const { messages, bytes } = this.window;
    if (this.inFlight < messages && this.inFlightBytes < bytes) return 'free';
    const factor = answer ? ANSWERS : HARD;
    return this.inFlight < messages * factor && this.inFlightBytes < bytes * factor ? 'tight' : 'none';
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

  /** The receiver has everything up to here behind it. What it cannot know of is ignored. True: something was freed. */
  state(taken: number): boolean {
    if (!(taken > this.stated && taken <= this.sent)) return false;
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
