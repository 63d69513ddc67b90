import { REPLY_PATH, windowOf } from '../actor/address.ts';
import { type Peer, samePeer } from './peer.ts';

/** Where the answer of an ask, or the items of a stream, come back. */
export const isWayBack = (path: string): boolean => path === REPLY_PATH || windowOf(path) !== undefined;

/** Most asks remembered; past it the oldest only miss being told early that their node is lost. */
const MOST = 100_000;
const PRUNE_MS = 5_000;

/** Which ask of this node went to which incarnation and is not answered yet, so that losing one settles its asks at once. */
export class AsksUnderWay {
  private readonly asks = new Map<number, { readonly peer: Peer; readonly deadlineMs: number }>();
  private prunedAtMs = 0;

  add(id: number, peer: Peer, deadlineMs: number): void {
    if (this.asks.size >= MOST) {
      const oldest = this.asks.keys().next();
      if (oldest.done !== true) this.asks.delete(oldest.value);
    }
    this.asks.set(id, { peer, deadlineMs });
  }
  delete(id: number): void {
    this.asks.delete(id);
  }

  /** Where it went, if it was not answered yet. */
  take(id: number): Peer | undefined {
    const ask = this.asks.get(id);
    this.asks.delete(id);
    return ask?.peer;
  }

  takeAll(peer: Peer): readonly number[] {
    const ids = [...this.asks].filter(([, ask]) => samePeer(ask.peer, peer)).map(([id]) => id);
    for (const id of ids) this.asks.delete(id);
    return ids;
  }

  /** Forgets those past their deadline; looks every 5 s at most. */
  prune(nowMs: number): void {
    if (nowMs - this.prunedAtMs < PRUNE_MS) return;
    this.prunedAtMs = nowMs;
    for (const [id, ask] of this.asks) if (ask.deadlineMs < nowMs) this.asks.delete(id);
  }
}
