import { percentiles } from '../../suite/percentiles.ts';

/** Of the machine: the same clock in all of its processes. */
export const machineMs = (): number => Number(process.hrtime.bigint()) / 1e6;
/** After so long without a message the rest is lost. */
const SILENT_MS = 10_000;

/** What is asked of it: so many in all; latencies are of those from `warm` on. */
export interface Awaited {
  readonly total: number;
  readonly warm: number;
}
export interface Arrived {
  /** In the order of their sender; each that came out of order, twice, or after a gap counts against it. */
  readonly inOrder: number;
  /** Of the last one. */
  readonly lastMs: number;
  /** From when each was to be sent until it was handled; of one receiver alone. */
  readonly latencyMs: { readonly p50: number; readonly p99: number };
}

/** What the receivers of a run have seen. */
export class Arrivals {
  readonly #next: number[] = [];
  readonly #latencies: number[] = [];
  #arrived = 0;
  #wrong = 0;
  #lastMs = 0;
  #total = Number.POSITIVE_INFINITY;
  #finish = (): void => {};

  take(receiver: number, n: number, dueMs: number): void {
    if (n !== (this.#next[receiver] ?? 0)) this.#wrong++;
    this.#next[receiver] = n + 1;
    // Who only counts gives no time: asking for it would be a part of what is measured.
    if (dueMs > 0) {
      this.#lastMs = machineMs();
      this.#latencies.push(this.#lastMs - dueMs);
    }
    if (++this.#arrived === this.#total) this.#finish();
  }

  /** Resolves when so many have come since the start, or no more come. */
  async reached({ total, warm }: Awaited): Promise<Arrived> {
    const all = new Promise<void>((resolve) => {
      this.#finish = resolve;
    });
    this.#total = total;
    if (this.#arrived >= total) this.#finish();
    let before = -1;
    const silent = setInterval(() => {
      if (this.#arrived === before) this.#finish();
      before = this.#arrived;
    }, SILENT_MS);
    await all;
    clearInterval(silent);
    const latencyMs = percentiles(Float64Array.from(this.#latencies.slice(warm)));
    return { inOrder: this.#arrived - 2 * this.#wrong, lastMs: this.#lastMs, latencyMs };
  }
}
