import type { Envelope } from '../actor/envelope.ts';
import { estimateBytes } from '../actor/size.ts';

/** What an entry costs besides its message. */
const ENTRY_BYTES = 200;

/** What a message that waits takes, roughly: as encoded, if it came over the wire. */
export const weightOf = ({ sizeBytes, message }: Envelope): number => ENTRY_BYTES + (sizeBytes || estimateBytes(message));

export interface Held {
  readonly envelope: Envelope;
  /** Estimated, while it is held; else 0. */
  heldBytes: number;
}

/** How many bytes of messages are held back together. */
export class WaitingRoom {
  readonly mostBytes: number;
  #bytes = 0;

  constructor(mostBytes: number) {
    this.mostBytes = mostBytes;
  }
  get bytes(): number {
    return this.#bytes;
  }
  /** False: there is no room. One that is held already stays it. */
  enter(entry: Held): boolean {
    if (entry.heldBytes > 0) return true;
    const bytes = weightOf(entry.envelope);
    if (this.#bytes > 0 && this.#bytes + bytes > this.mostBytes) return false;
    entry.heldBytes = bytes;
    this.#bytes += bytes;
    return true;
  }
  leave(entry: Held): void {
    this.#bytes -= entry.heldBytes;
    entry.heldBytes = 0;
  }
}
