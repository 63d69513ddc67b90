import type { Cancel } from '../actor/ref.ts';
import type { Clock } from '../ports/clock.ts';
import type { Logger } from '../ports/logger.ts';
import type { ServiceRecord } from './service.ts';

/** Changes within this time reach a subscriber as one. */
const TOGETHER_MS = 20;

/** One service: its entries by instance, the listing made of those that live, and who wants to hear of it. */
interface Shelf {
  readonly records: Map<string, ServiceRecord>;
  listing: readonly ServiceRecord[] | undefined;
  readonly listeners: Set<(listing: readonly ServiceRecord[]) => void>;
  cancelTelling: Cancel | undefined;
}

/** The entries of a node's copy by service, and the listings that its actors see. */
export interface Listings {
  changed(now: ServiceRecord | undefined, before: ServiceRecord | undefined): void;
  /** Whether one of its entries lives may have changed. */
  doubted(record: ServiceRecord): void;
  /** Those that live, by instance. */
  of(key: string): readonly ServiceRecord[];
  subscribe(key: string, listener: (listing: readonly ServiceRecord[]) => void): Cancel;
  stop(): void;
}

export function serviceListings(options: {
  readonly lives: (record: ServiceRecord) => boolean;
  readonly clock: Clock;
  readonly log: Logger;
}): Listings {
  const shelves = new Map<string, Shelf>();
  const shelfOf = (key: string): Shelf => {
    const known = shelves.get(key);
    if (known !== undefined) return known;
    const shelf: Shelf = { records: new Map(), listing: undefined, listeners: new Set(), cancelTelling: undefined };
    shelves.set(key, shelf);
    return shelf;
  };
  const listingOf = (shelf: Shelf): readonly ServiceRecord[] => {
    shelf.listing ??= [...shelf.records.values()].filter(options.lives).sort((a, b) => (a.instance < b.instance ? -1 : 1));
    return shelf.listing;
  };
  const tell = (shelf: Shelf): void => {
    shelf.cancelTelling = undefined;
    const listing = listingOf(shelf);
    for (const listener of [...shelf.listeners]) {
      try {
        listener(listing);
      } catch (error) {
        options.log.error({ error: String(error) }, 'a listener of services threw');
      }
    }
  };
  const touch = (key: string, shelf: Shelf): void => {
    shelf.listing = undefined;
    if (shelf.records.size === 0 && shelf.listeners.size === 0) shelves.delete(key);
    else if (shelf.listeners.size > 0) shelf.cancelTelling ??= options.clock.after(TOGETHER_MS, () => tell(shelf));
  };
  return {
    changed(now, before) {
      const record = now ?? before;
      if (record === undefined) return;
      const shelf = shelfOf(record.key);
      if (now === undefined) shelf.records.delete(record.instance);
      else shelf.records.set(record.instance, now);
      // A renewal is no news.
      if (now === undefined || now.nonce !== before?.nonce) touch(record.key, shelf);
    },
    doubted(record) {
      const shelf = shelves.get(record.key);
      if (shelf !== undefined) touch(record.key, shelf);
    },
    of(key) {
      const shelf = shelves.get(key);
      return shelf === undefined ? [] : listingOf(shelf);
    },
    subscribe(key, listener) {
      const shelf = shelfOf(key);
      // One that says it once more is another one.
      const own = (listing: readonly ServiceRecord[]): void => listener(listing);
      shelf.listeners.add(own);
      touch(key, shelf);
      return () => {
        if (!shelf.listeners.delete(own)) return;
        if (shelf.listeners.size === 0) shelf.cancelTelling = void shelf.cancelTelling?.();
        if (shelves.get(key) === shelf) touch(key, shelf);
      };
    },
    stop() {
      for (const shelf of shelves.values()) {
        shelf.listeners.clear();
        shelf.cancelTelling?.();
      }
    },
  };
}
