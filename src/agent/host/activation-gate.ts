import type { Gate } from '../../actor/elsewhere.ts';

/** Effects that wait for the lease; one more is refused. */
const HELD = 1_000;

/** The gate of one activation: open while the lease lasts, shut for good when the activation is over. */
export class ActivationGate implements Gate {
  readonly epoch: number;
  readonly #owns: () => boolean;
  #held: (() => void)[] = [];
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
  hold(effect: () => void): boolean {
    if (this.#shut || this.#held.length >= HELD) return false;
    this.#held.push(effect);
    return true;
  }
  /** The lease is back: nobody judged us meanwhile, so what was held may leave, in its order. */
  release(): void {
    if (!this.open()) return;
    for (const effect of this.#held.splice(0)) effect();
  }
  /** Nothing of this activation leaves any more. @returns how many held effects were dropped. */
  close(): number {
    this.#shut = true;
    return this.#held.splice(0).length;
  }
}
