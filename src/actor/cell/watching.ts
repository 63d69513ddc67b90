import { type Address, formatAddress } from '../address.ts';
import type { LiveRef } from '../live-ref.ts';
import { asActorRef } from '../live-ref.ts';
import type { Terminated } from '../signal.ts';
import type { Cell } from './cell.ts';

/** Most watches from other nodes on one actor. */
const MOST_REMOTE = 100_000;

interface Watch {
  readonly target: LiveRef;
  /** Told instead of the signal. */
  readonly instead: { readonly message: unknown } | undefined;
}
/** What waits for a turn besides messages: a watched actor's end, or idleness. */
export type Arrived = Terminated | { readonly signal: 'idle' } | { readonly message: unknown };

/** Who watches a cell, whom it watches, and what it has not been told yet; most cells never need any of it. */
export interface Links {
  watchers: Set<Cell> | undefined;
  /** Watchers elsewhere, by the text of their address. */
  remote: Map<string, Address> | undefined;
  /** By the text of the target's address. */
  watching: Map<string, Watch> | undefined;
  arrived: Arrived[] | undefined;
}

export function linksOf(cell: Cell): Links {
  cell.links ??= { watchers: undefined, remote: undefined, watching: undefined, arrived: undefined };
  return cell.links;
}

/** Exactly one `terminated` per watch: whatever arrives finds the watch here, and takes it away (L3). */
export function watch(cell: Cell, target: LiveRef, instead: { readonly message: unknown } | undefined): void {
  const links = linksOf(cell);
  const key = formatAddress(target.address);
  links.watching ??= new Map();
  const known = links.watching.has(key);
  links.watching.set(key, { target, instead });
  if (known) return;
  const { system } = cell;
  const watched = system.resolve(target.address);
  if (watched !== undefined && watched.state !== 'stopped') {
    const theirs = linksOf(watched);
    theirs.watchers ??= new Set();
    theirs.watchers.add(cell);
  } else if (system.isMine(target.address)) {
    targetEnded(
      cell,
      target.address,
      target.address.kind === 'incarnation' ? (system.deaths.of(target.address.uid) ?? 'unknown') : 'unknown',
    );
  } else if (system.elsewhere === undefined) targetEnded(cell, target.address, 'unknown');
  else system.elsewhere.watch(target.address, cell.address);
}

export function unwatch(cell: Cell, target: Address): void {
  if (!cell.links?.watching?.delete(formatAddress(target))) return;
  const watched = cell.system.resolve(target);
  if (watched !== undefined) watched.links?.watchers?.delete(cell);
  else if (!cell.system.isMine(target)) cell.system.elsewhere?.unwatch(target, cell.address);
}

/** A target that `cell` watches has ended. What it does not watch (any more) is nothing to it. */
export function targetEnded(cell: Cell, target: Address, reason: Terminated['reason']): void {
  const links = cell.links;
  const key = formatAddress(target);
  const found = links?.watching?.get(key);
  if (links === undefined || found === undefined || cell.wantsStop) return;
  links.watching?.delete(key);
  arrive(cell, found.instead ?? { signal: 'terminated', ref: asActorRef<never>(found.target.boundTo(cell)), reason });
}

export function arrive(cell: Cell, what: Arrived): void {
  const links = linksOf(cell);
  links.arrived ??= [];
  links.arrived.push(what);
  cell.wake();
}

/** False: too many. */
export function watchedFromElsewhere(cell: Cell, watcher: Address): boolean {
  const links = linksOf(cell);
  links.remote ??= new Map();
  const key = formatAddress(watcher);
  if (links.remote.size >= MOST_REMOTE && !links.remote.has(key)) return false;
  links.remote.set(key, watcher);
  return true;
}

/** The cell is over: every watcher is told once, and it watches nobody any more. */
export function endLinks(cell: Cell): void {
  const { links, system } = cell;
  if (links === undefined) return;
  cell.links = undefined;
  const reason = cell.endReason;
  if (links.watchers !== undefined) for (const watcher of links.watchers) targetEnded(watcher, cell.address, reason);
  if (links.remote !== undefined) for (const watcher of links.remote.values()) system.elsewhere?.terminated(watcher, cell.address, reason);
  if (links.watching === undefined) return;
  for (const { target } of links.watching.values()) {
    const watched = system.resolve(target.address);
    if (watched !== undefined) watched.links?.watchers?.delete(cell);
    else if (!system.isMine(target.address)) system.elsewhere?.unwatch(target.address, cell.address);
  }
}
