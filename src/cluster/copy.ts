import { type NexaError, toNexaError } from '../errors.ts';
import type { Logger } from '../ports/logger.ts';
import { readStored } from '../ports/stored.ts';
import type { Kv } from '../ports/stores.ts';

export interface Entry<T> {
  readonly key: string;
  readonly value: T;
  readonly revision: number;
}
/** One key changed. `now` is undefined for a deleted one, `before` for one that was not there. */
export type CopyListener<T> = (key: string, now: Entry<T> | undefined, before: Entry<T> | undefined) => void;

/** Deleted keys remembered, so that an older put that arrives late does not bring one back. */
const TOMBSTONES = 10_000;
/** Leader reads under way for hints; further hints wait for the watch. */
const READS = 256;

/**
 * A watched copy of one bucket: a hint, never a decision. It is late but not wrong, because every key only ever moves to a higher
 * revision, whether the news came by the watch, by a hint and a leader read, or by a write of our own.
 */
export interface Copy<T> {
  /** Everything that was there has arrived at least once since the watch (re)started. */
  readonly live: boolean;
  get(key: string): Entry<T> | undefined;
  /** The highest revision that was seen of it, deletions that are still remembered included; 0: none. */
  known(key: string): number;
  entries(): IterableIterator<Entry<T>>;
  readonly size: number;
  /** Takes what a read or a write of one's own showed; undefined for a deletion. */
  apply(key: string, value: T | undefined, revision: number): void;
  /** Somebody says that the key has this revision: reads it through the leader if the copy is behind. */
  hint(key: string, revision: number): void;
  /** Reads the key through the leader; resolves when the copy has what was found, or when the read failed. */
  refresh(key: string): Promise<void>;
  close(): void;
}

export function watchedCopy<T>(options: {
  readonly kv: Kv;
  readonly prefix: string;
  readonly decode: (value: Uint8Array, key: string) => T;
  /** `AGENTS` …, for whoever has to look at a record that cannot be read. */
  readonly store: string;
  /** What stands for such a record, if anything: it is nobody's to act on, and it must be seen. */
  readonly unreadable?: (key: string, error: NexaError) => T | undefined;
  readonly onChange: CopyListener<T>;
  readonly onLive: () => void;
  /** The watch started over. */
  readonly onReset: () => void;
  readonly storeMs: number;
  readonly log: Logger;
}): Copy<T> {
  const { kv, onChange, log } = options;
  const entries = new Map<string, Entry<T>>();
  const tombstones = new Map<string, number>();
  const reading = new Map<string, Promise<void>>();
  let live = false;
  let closed = false;
  /** The keys replayed since the watch (re)started, until it is live; what is older and not among them is deleted. */
  let replayed: Set<string> | undefined = new Set();
  let newest = 0;

  const known = (key: string): number => entries.get(key)?.revision ?? tombstones.get(key) ?? 0;
  const apply = (key: string, value: T | undefined, revision: number): void => {
    if (closed || known(key) >= revision) return;
    const before = entries.get(key);
    if (value === undefined) {
      entries.delete(key);
      tombstones.set(key, revision);
      const oldest = tombstones.keys().next();
      if (tombstones.size > TOMBSTONES && oldest.done !== true) tombstones.delete(oldest.value);
    } else {
      tombstones.delete(key);
      entries.set(key, { key, value, revision });
    }
    onChange(key, entries.get(key), before);
  };
  /** One that cannot be read must not stop the others. */
  const unreadable = (key: string, error: NexaError): T | undefined => {
    log.error({ ...error.toJSON() }, 'a record in the store cannot be read; it is left alone');
    try {
      return options.unreadable?.(key, error);
    } catch {
      return undefined;
    }
  };
  const put = (key: string, bytes: Uint8Array, revision: number): void => {
    if (known(key) >= revision) return;
    let value: T | undefined;
    try {
      value = readStored({ store: options.store, key, revision }, () => options.decode(bytes, key));
    } catch (error) {
      value = unreadable(key, toNexaError(error, 'corrupt-record'));
    }
    if (value !== undefined) apply(key, value, revision);
  };
  const replayEnded = (): void => {
    const present = replayed;
    replayed = undefined;
    live = true;
    if (present !== undefined)
      for (const [key, entry] of entries) if (!present.has(key) && entry.revision <= newest) apply(key, undefined, newest + 0.5);
    options.onLive();
  };
  const stop = kv.watch(options.prefix, (change) => {
    if (closed) return;
    switch (change.kind) {
      case 'reset':
        replayed = new Set();
        // A replay may come from a server that lags: what it has not got to yet is not missing.
        newest = 0;
        live = false;
        return options.onReset();
      case 'live':
        return replayEnded();
      default:
        replayed?.add(change.key);
        newest = Math.max(newest, change.revision);
        if (change.kind === 'delete') apply(change.key, undefined, change.revision);
        else put(change.key, change.value, change.revision);
    }
  });
  const read = async (key: string): Promise<void> => {
    try {
      const found = await kv.get(key, { timeoutMs: options.storeMs });
      if (found !== undefined) put(key, found.value, found.revision);
    } catch (error) {
      log.debug({ key, error: String(error) }, 'a record could not be read; the watch will bring it');
    }
    reading.delete(key);
  };
  const refresh = (key: string): Promise<void> => {
    const under = reading.get(key);
    if (under !== undefined) return under;
    const begun = read(key);
    reading.set(key, begun);
    return begun;
  };
  return {
    get live() {
      return live;
    },
    get size() {
      return entries.size;
    },
    get: (key) => entries.get(key),
    known,
    entries: () => entries.values(),
    apply,
    hint(key, revision) {
      if (!closed && known(key) < revision && reading.size < READS) void refresh(key);
    },
    refresh,
    close() {
      closed = true;
      stop();
    },
  };
}
