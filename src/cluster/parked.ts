import type { Envelope } from '../actor/envelope.ts';
import { weightOf } from './waiting-room.ts';

/** Messages that wait for one activation to finish; one more is refused. */
const MOST = 1_000;
const MOST_BYTES = 8_388_608;
/** Of all agents of a node together. */
const MOST_BYTES_OF_ALL = 67_108_864;

/** What arrives for an agent that is not active yet, in order. */
export class Parked {
  readonly #all: { bytes: number };
  #envelopes: Envelope[] = [];
  #bytes = 0;

  /** `all`: what waits so for all agents of the node. */
  constructor(all: { bytes: number }) {
    this.#all = all;
  }
  get size(): number {
    return this.#envelopes.length;
  }
  /** Whether whoever sends may go on. */
  get roomy(): boolean {
    return this.size < MOST / 2 && this.#bytes < MOST_BYTES / 2 && this.#all.bytes < MOST_BYTES_OF_ALL / 2;
  }
  /** False: there is no room. The first of all always has. */
  offer(envelope: Envelope): boolean {
    const bytes = weightOf(envelope);
    const full = (held: number, most: number): boolean => held > 0 && held + bytes > most;
    if (this.size >= MOST || full(this.#bytes, MOST_BYTES) || full(this.#all.bytes, MOST_BYTES_OF_ALL)) return false;
    this.#envelopes.push(envelope);
    this.#bytes += bytes;
    this.#all.bytes += bytes;
    return true;
  }
  drain(): readonly Envelope[] {
    const envelopes = this.#envelopes;
    this.#envelopes = [];
    this.#all.bytes -= this.#bytes;
    this.#bytes = 0;
    return envelopes;
  }
}
