import type { Cancel } from '../actor/ref.ts';
import type { Subject } from './transport.ts';

// `no`: a later record was seen (10071 above the expectation). Everything that is neither success nor that is `unknown`.
export type Written = { readonly written: 'yes'; readonly revision: number } | { readonly written: 'no' } | { readonly written: 'unknown' };
/** Compare-and-set records. Reads and watches are hints; only a write decides. */
export interface Kv {
  create(key: string, value: Uint8Array, options: { readonly timeoutMs: number }): Promise<Written>;
  update(key: string, value: Uint8Array, revision: number, options: { readonly timeoutMs: number }): Promise<Written>;
  delete(key: string, revision: number, options: { readonly timeoutMs: number }): Promise<Written>;
  /** Through the leader; still never decides. */
  get(key: string, options: { readonly timeoutMs: number }): Promise<{ readonly value: Uint8Array; readonly revision: number } | undefined>;
  /**
   * Proof that the record of that revision, which was the key's last, was deleted or purged: an answer that knows of the revision and has
   * nothing there. False proves nothing.
   */
  removed(key: string, revision: number, options: { readonly timeoutMs: number }): Promise<boolean>;
  /** The keys that begin so, as the leader knows them; those that were deleted may be among them. */
  keys(prefix: string, options: { readonly timeoutMs: number }): Promise<readonly string[]>;
  /** First everything that is there, then `live`, then changes in order; a gap is healed by starting over with `reset`. */
  watch(
    prefix: string,
    listener: (
      change:
        | { readonly kind: 'put' | 'delete'; readonly key: string; readonly value: Uint8Array; readonly revision: number }
        | { readonly kind: 'live' | 'reset' },
    ) => void,
  ): Cancel;
}
/** Ordered records per subject with an expected last sequence. */
export interface Stream {
  append(
    subject: Subject,
    record: Uint8Array,
    /**
     * No expectation: the mailbox only. `recordId` is unique in the whole stream. A repeat of a stored record answers `yes` with its
     * sequence; with an expectation it may also answer `no`: read the later record before taking it for somebody else's.
     */
    options: { readonly expectedSequence?: number; readonly recordId: string; readonly timeoutMs: number },
  ): Promise<Written>;
  last(
    subject: Subject,
    options: { readonly timeoutMs: number },
  ): Promise<{ readonly record: Uint8Array; readonly sequence: number } | undefined>;
  /** The first record at or after a sequence, through the leader; of several subjects too. */
  next(
    subject: Subject,
    options: { readonly fromSequence: number; readonly timeoutMs: number },
  ): Promise<{ readonly record: Uint8Array; readonly sequence: number } | undefined>;
  /** One ordered consumer; may lag; never decides. Of several subjects each record names its own. */
  read(
    subject: Subject,
    options: { readonly afterSequence: number; readonly signal: AbortSignal },
  ): AsyncIterable<{ readonly record: Uint8Array; readonly sequence: number; readonly subject: Subject }>;
  /** Keeps `belowSequence` itself. */
  purge(subject: Subject, options: { readonly belowSequence: number; readonly timeoutMs: number }): Promise<'yes' | 'unknown'>;
  /** One record of the stream. `yes`: the leader does not have it (any more). */
  remove(sequence: number, options: { readonly timeoutMs: number }): Promise<'yes' | 'unknown'>;
  /** Which subjects have something left, and how much. */
  subjects(filter: Subject, options: { readonly timeoutMs: number }): Promise<ReadonlyMap<string, number>>;
}
/** Immutable objects above 512 kB. */
export interface Blobs {
  put(name: string, value: Uint8Array, options: { readonly timeoutMs: number }): Promise<void>;
  get(name: string, options: { readonly timeoutMs: number }): Promise<Uint8Array | undefined>;
  delete(name: string, options: { readonly timeoutMs: number }): Promise<void>;
}
export interface StoreSpec {
  readonly name: string;
  readonly kind: 'kv' | 'stream' | 'objects';
  readonly replicas: number;
  readonly firstSequence?: number;
  /** Of a stream: records of one subject at most; one more is refused as `mailbox-full`, and nothing is dropped. Default: without a bound. */
  readonly mostPerSubject?: number;
  /** Of a stream: what it stores. Required for kind `stream`, the others make their own. */
  readonly subjects?: readonly Subject[];
}
/** `different`: which settings of the store that is there are not as wanted. */
export type Ensured = 'created' | 'same' | 'unknown' | { readonly different: readonly string[] };
/** The serialising side of the broker, on the control connection. */
export interface Stores {
  ensure(spec: StoreSpec, options: { readonly timeoutMs: number }): Promise<Ensured>;
  info(
    name: string,
    options: { readonly timeoutMs: number },
  ): Promise<{ readonly spec: StoreSpec; readonly createdAtMs: number } | undefined>;
  kv(name: string): Kv;
  stream(name: string): Stream;
  blobs(name: string): Blobs;
  /** Leaves this server for another one. */
  reconnect(): void;
}
