import type { Gate } from '../../actor/elsewhere.ts';

/** Effects that wait for the lease, and estimated bytes of their messages; one more is refused. */
const HELD = 1_000;
const HELD_BYTES = 8_388_608;

interface Held {
  readonly effect: () => void;
  readonly dropped: () => void;
}

/** The gate of one activation: open while the lease lasts, shut for good when the activation is over. */
export class ActivationGate implements Gate {
  readonly epoch: number;
  readonly #owns: () => boolean;
  /** Nothing most of the time. */
  #held: Held[] | undefined = undefined;
  #heldBytes = 0;
  #shut = false;

  constructor(epoch: number, owns: () => boolean) {
    this.epoch = epoch;
    this.#owns = owns;
  }

  get shut(): boolean {
    return this.#shut;
  }
  open(): boolean {
    return !this.#shut && this.#owns();
  }
  hold(effect: () => void, dropped: () => void, bytes = 0): boolean {
    this.#held ??= [];
    if (this.#shut || this.#held.length >= HELD || (this.#heldBytes > 0 && this.#heldBytes + bytes > HELD_BYTES)) return false;
    this.#held.push({ effect, dropped });
    this.#heldBytes += bytes;
    return true;
  }
  /** The lease is back: nobody judged us meanwhile, so what was held may leave, in its order. */
  release(): void {
    if (!this.open()) return;
    for (const { effect } of this.#take()) effect();
  }
  /** Nothing of this activation leaves any more; what was held is a dead letter. */
  close(): void {
    this.#shut = true;
    for (const { dropped } of this.#take()) dropped();
  }
  #take(): readonly Held[] {
    const held = this.#held ?? [];
    this.#held = undefined;
    this.#heldBytes = 0;
    return held;
  }
}
