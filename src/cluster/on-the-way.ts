import { type Held, WaitingRoom } from './waiting-room.ts';

const MOST = 20_000;
const MOST_BYTES = 67_108_864;

/** Asks of this node to agents elsewhere, remembered so that one that is refused as "not here" can go on: the oldest are forgotten first. */
export class OnTheWay<Entry extends Held & { readonly expiresAtMs: number }> {
  readonly #asks = new Map<number, Entry>();
  readonly #room = new WaitingRoom(MOST_BYTES);

  get(id: number): Entry | undefined {
    return this.#asks.get(id);
  }
  add(id: number, entry: Entry, nowMs: number): void {
    if (this.#asks.size >= MOST) this.#prune(nowMs);
    for (const oldest of this.#asks.keys()) {
      if (this.#asks.size < MOST && this.#room.enter(entry)) break;
      this.delete(oldest);
    }
    this.#room.enter(entry);
    this.#asks.set(id, entry);
  }
  delete(id: number): void {
    const entry = this.#asks.get(id);
    if (entry === undefined) return;
    this.#asks.delete(id);
    this.#room.leave(entry);
  }
  #prune(nowMs: number): void {
    for (const [id, entry] of this.#asks) if (entry.expiresAtMs <= nowMs) this.delete(id);
  }
}
