import type { Cancel } from '../actor/ref.ts';
import { Link } from './link.ts';
import type { Broker } from './network.ts';

export type Status = 'up' | 'down' | 'slow-consumer';

/** One client's side of the broker: what is addressed to it passes here, so that it can be paused, cut off or ended as a whole. */
export class Endpoint {
  readonly name: string;
  /** Under way from it and not yet handed over. */
  sentBytes = 0;
  up = true;
  ended = false;
  readonly #broker: Broker;
  readonly #links = new Map<Endpoint | string, Link>();
  readonly #listeners = new Set<(status: Status) => void>();
  readonly #cleanups = new Set<() => void>();
  readonly #waiting = new Set<() => void>();
  #held: { readonly run: () => void; readonly bytes: number }[] | undefined;
  #paused = false;
  #pendingBytes = 0;
  #slow = false;

  constructor(broker: Broker, name: string) {
    this.#broker = broker;
    this.name = name;
  }

  /** One ordered way: to another endpoint, or one with a name (`requests`, `answers`). */
  link(to: Endpoint | string): Link {
    let link = this.#links.get(to);
    if (link === undefined) {
      link = new Link(this.#broker.clock, this.#broker.soon);
      this.#links.set(to, link);
      if (typeof to !== 'string') to.onEnd(() => this.#links.delete(to));
    }
    return link;
  }

  /** Room for what is on its way here. False: too much waits already, it is lost. */
  reserve(bytes: number): boolean {
    if (this.#pendingBytes + bytes > this.#broker.pendingLimitBytes) {
      if (!this.#slow) this.#tell('slow-consumer');
      this.#slow = true;
      return false;
    }
    this.#pendingBytes += bytes;
    return true;
  }

  release(bytes: number): void {
    this.#pendingBytes -= bytes;
    if (this.#slow && this.#pendingBytes * 2 < this.#broker.pendingLimitBytes) this.#slow = false;
  }

  /** Hands over what was reserved, behind what a pause holds back. */
  take(run: () => void, bytes: number): void {
    if (this.ended) return;
    if (this.#held !== undefined) this.#held.push({ run, bytes });
    else this.#hand(run, bytes);
  }

  /** What a close has to settle; a crash does not. */
  waiting(settle: () => void): Cancel {
    this.#waiting.add(settle);
    return () => void this.#waiting.delete(settle);
  }

  pause(): void {
    this.#paused = true;
    this.#held ??= [];
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#broker.soon(this.#catchUp);
  }

  onStatus(listener: (status: Status) => void): Cancel {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  setUp(up: boolean): void {
    if (this.up === up || this.ended) return;
    this.up = up;
    if (!up) for (const link of this.#links.values()) link.clear();
    this.#tell(up ? 'up' : 'down');
  }

  onEnd(cleanup: () => void): Cancel {
    this.#cleanups.add(cleanup);
    return () => void this.#cleanups.delete(cleanup);
  }

  close(): void {
    for (const settle of [...this.#waiting]) settle();
    this.end();
  }

  /** Nothing more is handed over, to listeners and to whoever waits for an answer. What it sent still arrives. */
  end(): void {
    if (this.ended) return;
    this.ended = true;
    this.up = false;
    for (const cleanup of [...this.#cleanups]) cleanup();
    this.#cleanups.clear();
    this.#waiting.clear();
    this.#listeners.clear();
    this.#held = undefined;
  }

  readonly #catchUp = (): void => {
    while (!this.#paused && this.#held !== undefined) {
      const next = this.#held.shift();
      if (next === undefined) this.#held = undefined;
      else this.#hand(next.run, next.bytes);
    }
  };

  #hand(run: () => void, bytes: number): void {
    this.release(bytes);
    this.#broker.guarded(run);
  }

  #tell(status: Status): void {
    this.#broker.soon(() =>
      this.take(() => {
        for (const listener of [...this.#listeners]) listener(status);
      }, 0),
    );
  }
}
