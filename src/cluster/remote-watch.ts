import { formatAddress } from '../actor/address.ts';
import { NexaError } from '../errors.ts';
import { type Ended, type Frame, type FrameWriter, PAIRS_PER_FRAME, type Reason, type WatchPair, type WatchSum } from './frame.ts';
import type { ActorAddress, Peer } from './peer.ts';

/** Watches between two incarnations, in one direction, at most; and of one whose record nobody has read yet. */
const MOST_WATCHES = 100_000;
const STRANGERS_WATCHES = 100;

/** The watches of one direction, with a sum that two sides can compare without listing them. */
export class WatchSet {
  private readonly pairs = new Map<string, WatchPair>();
  private hash = 0;

  get size(): number {
    return this.pairs.size;
  }
  sum(): WatchSum {
    return { count: this.pairs.size, hash: this.hash };
  }
  values(): readonly WatchPair[] {
    return [...this.pairs.values()];
  }
  /** False: it was there. */
  add(pair: WatchPair): boolean {
    const key = keyOf(pair);
    if (this.pairs.has(key)) return false;
    this.pairs.set(key, pair);
    this.hash = (this.hash + hashOf(key)) >>> 0;
    return true;
  }
  /** False: it was not there. */
  remove(pair: WatchPair): boolean {
    const key = keyOf(pair);
    if (!this.pairs.delete(key)) return false;
    this.hash = (this.hash - hashOf(key)) >>> 0;
    return true;
  }
  clear(): readonly WatchPair[] {
    const all = this.values();
    this.pairs.clear();
    this.hash = 0;
    return all;
  }
}
const keyOf = ({ target, watcher }: WatchPair): string => `${target.path}#${target.uid} ${formatAddress(watcher)}`;
/** FNV-1a; the sum of it over a set does not depend on an order. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  return hash >>> 0;
}

/** The actors of this node, as far as watching across nodes goes. All of it may be repeated. */
export interface LocalWatches {
  /** Someone elsewhere watches an actor of this node: the reason if that is over, else its end is told to {@link PeerWatches.ended}. */
  watch(watcher: ActorAddress, target: ActorAddress): Reason | undefined;
  unwatch(watcher: ActorAddress, target: ActorAddress): void;
  /** What an actor of this node watched elsewhere is over; said once per watch. */
  terminated(watcher: ActorAddress, target: ActorAddress, reason: Reason): void;
}

/** Both directions of watching between this node and one peer. A frame that is lost is made good by comparing sums. */
export class PeerWatches {
  /** What actors of this node watch there. */
  private readonly outgoing = new WatchSet();
  /** What actors there watch here. */
  private readonly incoming = new WatchSet();
  private everWatched = false;
  private readonly peer: Peer;
  private readonly wire: () => FrameWriter | undefined;
  private readonly local: LocalWatches;
  private readonly known: () => boolean;
  private readonly send: (frame: Uint8Array) => void;

  /** `wire`: undefined as long as the two have no version in common. `known`: it is a member by the records. */
  constructor(
    peer: Peer,
    wire: () => FrameWriter | undefined,
    known: () => boolean,
    local: LocalWatches,
    send: (frame: Uint8Array) => void,
  ) {
    this.peer = peer;
    this.known = known;
    this.wire = wire;
    this.local = local;
    this.send = send;
  }

  get watching(): number {
    return this.outgoing.size;
  }
  get watched(): number {
    return this.incoming.size;
  }
  /** Stated every so often once anything was ever watched: an empty set, too, lets the other side forget. */
  sum(): WatchSum | undefined {
    return this.everWatched ? this.outgoing.sum() : undefined;
  }

  /** @throws NexaError `overloaded` */
  watch(pair: WatchPair): void {
    if (this.outgoing.size >= MOST_WATCHES) {
      throw new NexaError('overloaded', `more than ${MOST_WATCHES} actors of one node are watched`, { where: { node: this.peer.node } });
    }
    this.everWatched = true;
    if (this.outgoing.add(pair)) this.publish((wire) => wire.watch('add', [pair]));
  }
  unwatch(pair: WatchPair): void {
    if (this.outgoing.remove(pair)) this.publish((wire) => wire.watch('remove', [pair]));
  }

  /** All of it again; the other side drops what is not in it. */
  restate(): void {
    if (!this.everWatched) return;
    const pairs = this.outgoing.values();
    for (let from = 0; from === 0 || from < pairs.length; from += PAIRS_PER_FRAME) {
      this.publish((wire) => wire.watch(from === 0 ? 'replace' : 'add', pairs.slice(from, from + PAIRS_PER_FRAME)));
    }
  }

  /** An actor of this node is over. If this is lost, the watch that is stated again finds it so. */
  ended(ended: Ended): void {
    if (this.incoming.remove(ended)) this.publish((wire) => wire.terminated([ended]));
  }

  heard(frame: Extract<Frame, { readonly frame: 'watch' | 'terminated' }>): void {
    if (frame.frame === 'terminated') {
      for (const ended of frame.ends) if (this.outgoing.remove(ended)) this.local.terminated(ended.watcher, ended.target, ended.reason);
    } else if (frame.mode === 'remove') {
      for (const pair of frame.pairs) this.forget(pair);
    } else {
      if (frame.mode === 'replace') this.keepOnly(frame.pairs);
      const ends: Ended[] = [];
      // What is not taken is stated again: the sums differ.
      const most = this.known() ? MOST_WATCHES : STRANGERS_WATCHES;
      for (const pair of frame.pairs) {
        if (this.incoming.size >= most || !this.incoming.add(pair)) continue;
        const reason = this.local.watch(pair.watcher, pair.target);
        if (reason !== undefined && this.incoming.remove(pair)) ends.push({ ...pair, reason });
      }
      if (ends.length > 0) this.publish((wire) => wire.terminated(ends));
    }
  }

  /** Whether the other side's sum is the one of what is known here. */
  agrees(sum: WatchSum): boolean {
    const own = this.incoming.sum();
    return own.count === sum.count && own.hash === sum.hash;
  }

  /** Nothing comes from there any more: `node-lost` if that incarnation is recorded gone, `unknown` if it was not kept. */
  over(reason: 'node-lost' | 'unknown'): void {
    for (const { watcher, target } of this.incoming.clear()) this.local.unwatch(watcher, target);
    for (const { watcher, target } of this.outgoing.clear()) this.local.terminated(watcher, target, reason);
  }

  private publish(write: (wire: FrameWriter) => Uint8Array): void {
    const wire = this.wire();
    if (wire !== undefined) this.send(write(wire));
  }
  private forget(pair: WatchPair): void {
    if (this.incoming.remove(pair)) this.local.unwatch(pair.watcher, pair.target);
  }
  private keepOnly(pairs: readonly WatchPair[]): void {
    const wanted = new Set(pairs.map(keyOf));
    for (const pair of this.incoming.values()) if (!wanted.has(keyOf(pair))) this.forget(pair);
  }
}
