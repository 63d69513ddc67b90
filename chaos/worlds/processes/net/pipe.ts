import type { Socket } from 'node:net';
import type { Clock } from '../../../../src/ports/clock.ts';
import type { Random } from '../../../../src/ports/random.ts';
import type { Way } from './ways.ts';

/** Between reading and writing there are so many bytes and reads at most, and one read more; then the sender waits, as for a full network. */
const IN_FLIGHT_BYTES = 1_048_576;
const IN_FLIGHT_READS = 4_096;
/** What TCP waits before it sends a lost packet again, doubled at each further loss; whoever loses so many in a row has lost the connection. */
const RESEND_MS = 200;
const MOST_LOST = 7;
/** Slices are that far apart, so that a reader meets them one by one; a read of many bytes is not held up longer than so for it. */
const SLICE_GAP_MS = 1;
const SLICED_MS = 50;

interface Carried {
  readonly what: Buffer | 'end' | 'reset';
  /** When it arrives at the earliest. */
  readonly dueMs: number;
}

/** Where a pipe writes to, and how the way there stands now. */
export interface PipeOptions {
  readonly way: () => Way;
  readonly clock: Clock;
  readonly random: Random;
  /** Nobody is there any more to carry to. */
  readonly onLost: () => void;
}

/**
 * Carries what arrives at one socket to another, in order, as the way between them allows: while it is cut nothing moves, not even an end,
 * and all of it moves on when it is mended. Loss is what TCP makes of it: what was lost comes late and holds up what is behind it; a
 * connection that loses too much is reset.
 */
export class Pipe {
  readonly #source: Socket;
  readonly #sink: Socket;
  readonly #options: PipeOptions;
  #queue: Carried[] = [];
  #inFlightBytes = 0;
  #lastDueMs = 0;
  #full = false;
  #done = false;
  #cancel: (() => void) | undefined;

  constructor(source: Socket, sink: Socket, options: PipeOptions) {
    this.#source = source;
    this.#sink = sink;
    this.#options = options;
    source.on('data', (bytes: Buffer) => this.#take(bytes));
    source.once('end', () => this.#take('end'));
    source.once('close', () => !source.readableEnded && this.#take('reset'));
    sink.on('drain', () => {
      this.#full = false;
      this.look();
    });
    sink.once('close', () => {
      if (this.#done) return;
      this.#finish();
      options.onLost();
    });
  }

  get done(): boolean {
    return this.#done;
  }

  /** Moves what may move now: after whatever changed the way. */
  look(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    const { clock, way } = this.#options;
    for (;;) {
      const [next] = this.#queue;
      if (this.#done || next === undefined || this.#full) return;
      const { cut, silent, sliceBytes } = way();
      if (cut || silent) return;
      const waitMs = next.dueMs - clock.monotonicMs();
      if (waitMs > 0) {
        this.#cancel = clock.after(waitMs, () => this.look());
        return;
      }
      this.#queue.shift();
      if (typeof next.what === 'string') return this.#deliver(next.what);
      if (sliceBytes > 0 && next.what.length > sliceBytes) this.#slice(next.what, sliceBytes);
      else this.#write(next.what);
    }
  }

  #take(what: Carried['what']): void {
    if (this.#done) return;
    const { clock, random, way } = this.#options;
    const { cut, delayMs, jitterMs, lossPercent } = way();
    // Over a cut way nothing is sent that chance could lose.
    const lost = cut ? 0 : losses(random, lossPercent, MOST_LOST);
    const arrivesMs = clock.monotonicMs() + delayMs + random.next() * jitterMs + stallMs(RESEND_MS, lost);
    this.#lastDueMs = Math.max(this.#lastDueMs, arrivesMs);
    this.#queue.push({ what: lost === MOST_LOST ? 'reset' : what, dueMs: this.#lastDueMs });
    if (typeof what !== 'string') {
      this.#inFlightBytes += what.length;
      if (this.#inFlightBytes >= IN_FLIGHT_BYTES || this.#queue.length >= IN_FLIGHT_READS) this.#source.pause();
    }
    if (this.#queue.length === 1) this.look();
  }

  #write(bytes: Buffer): void {
    this.#inFlightBytes -= bytes.length;
    if (this.#inFlightBytes < IN_FLIGHT_BYTES / 2 && this.#queue.length < IN_FLIGHT_READS / 2) this.#source.resume();
    this.#full = !this.#sink.write(bytes);
  }

  /** Back to the head of the queue, in pieces, each a little later than the one before. */
  #slice(bytes: Buffer, sliceBytes: number): void {
    const startMs = this.#options.clock.monotonicMs();
    const count = Math.ceil(bytes.length / sliceBytes);
    const gapMs = Math.min(SLICE_GAP_MS, SLICED_MS / count);
    const pieces = Array.from({ length: count }, (_, index) => ({
      what: bytes.subarray(index * sliceBytes, (index + 1) * sliceBytes),
      dueMs: startMs + index * gapMs,
    }));
    this.#queue = [...pieces, ...this.#queue];
  }

  #deliver(what: 'end' | 'reset'): void {
    if (what === 'end') this.#sink.end();
    else this.#sink.resetAndDestroy();
    this.#finish();
  }

  #finish(): void {
    if (this.#done) return;
    this.#done = true;
    this.#cancel?.();
    this.#queue.length = 0;
    // What is still said goes nowhere, but its end has to be seen.
    this.#source.resume();
  }
}

/** How many times in a row chance says lost. */
export function losses(random: Random, percent: number, most: number): number {
  let lost = 0;
  while (percent > 0 && lost < most && random.next() * 100 < percent) lost += 1;
  return lost;
}

/** How long TCP takes to send again what was lost so many times. */
export const stallMs = (firstMs: number, lost: number): number => firstMs * (2 ** lost - 1);
