import type { NexaError } from '../errors.ts';
import type { Envelope } from './envelope.ts';
import type { DeadLetterReason } from './events.ts';
import { estimateBytes } from './size.ts';

/** A message that nobody took, and why. `number` counts up from 1 on this node. */
export interface DeadLetter {
  readonly number: number;
  readonly envelope: Envelope;
  readonly reason: DeadLetterReason;
  readonly error?: NexaError;
  readonly atMs: number;
}

/** The last dead letters of this node, bounded by count and estimated bytes (M4); the counts by reason go back to the start. */
export class DeadLetters {
  /** Ever, by reason. */
  readonly counts: Partial<Record<DeadLetterReason, number>> = {};
  private readonly kept: { readonly letter: DeadLetter; readonly sizeBytes: number }[] = [];
  private bytes = 0;
  private total = 0;
  private readonly limit: number;
  private readonly limitBytes: number;

  constructor(limit: number, limitBytes: number) {
    this.limit = limit;
    this.limitBytes = limitBytes;
  }

  add(envelope: Envelope, reason: DeadLetterReason, error: NexaError | undefined, atMs: number): void {
    this.counts[reason] = (this.counts[reason] ?? 0) + 1;
    const sizeBytes = 200 + estimateBytes(envelope.message);
    this.kept.push({ letter: { number: ++this.total, envelope, reason, atMs, ...(error === undefined ? {} : { error }) }, sizeBytes });
    this.bytes += sizeBytes;
    while (this.kept.length > this.limit || (this.bytes > this.limitBytes && this.kept.length > 0))
      this.bytes -= this.kept.shift()?.sizeBytes ?? 0;
  }

  /** Ever, all reasons together. */
  get count(): number {
    return this.total;
  }

  /** Those still kept, oldest first. */
  list(): readonly DeadLetter[] {
    return this.kept.map((entry) => entry.letter);
  }

  find(number: number): DeadLetter | undefined {
    return this.kept.find((entry) => entry.letter.number === number)?.letter;
  }
}
