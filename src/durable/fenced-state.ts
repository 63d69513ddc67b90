import { NexaError } from '../errors.ts';
import type { Clock } from '../ports/clock.ts';
import type { Codec } from '../ports/codec.ts';
import type { Random } from '../ports/random.ts';
import { isUnreadable, readStored } from '../ports/stored.ts';
import type { Kv } from '../ports/stores.ts';
import { BackOff } from './back-off.ts';
import type { DurableState } from './durable-state.ts';
import { type Kept, keep, keptByTombstone, keptFields, keptFrom, NOTHING_KEPT } from './kept.ts';
import { MissingStore } from './missing-store.ts';
import { fieldsOf } from './record-fields.ts';
import type { Turn } from './turn.ts';

/** What is stored of an agent with durable state: one record, the last one wins, and it is its own fence. */
export interface StateRecord {
  /** Fresh for every write: the only identity. (epoch, n) is none, two writes of one activation may carry the same pair. */
  readonly recordId: string;
  readonly epoch: number;
  /** Counts the writes, without a gap. */
  readonly n: number;
  /** Of the agent type that wrote it. */
  readonly version: number;
  /** Undefined: the state was deleted (a fenced tombstone). */
  readonly state: unknown;
  readonly kept: Kept;
}
/** Layout 1 knew of requests only. What does not know the rest would forget it, so it may not read layout 2. */
const LAYOUT = 2;

export const encodeState = (record: StateRecord, codec: Codec): Uint8Array =>
  codec.encode([
    LAYOUT,
    record.recordId,
    record.epoch,
    record.n,
    record.version,
    record.state === undefined ? null : [record.state],
    ...keptFields(record.kept),
  ]);

/** @throws NexaError `corrupt-record`, `unknown-version`. */
export function decodeState(bytes: Uint8Array, codec: Codec, key: string): StateRecord {
  const where = { key };
  const [layout, ...fields] = fieldsOf(bytes, codec, 'a state record', [1, LAYOUT], where);
  const [recordId, epoch, n, version, state, requests, ...more] = fields;
  const kept = keptFrom(layout === 1 ? [requests, 0, [], []] : [requests, ...more]);
  if (
    typeof recordId !== 'string' ||
    typeof epoch !== 'number' ||
    typeof n !== 'number' ||
    typeof version !== 'number' ||
    kept === undefined
  ) {
    throw new NexaError('corrupt-record', 'a state record with fields of the wrong kind', { where });
  }
  return { recordId, epoch, n, version, state: Array.isArray(state) ? state[0] : undefined, kept };
}

export interface FenceOptions {
  readonly kv: Kv;
  readonly key: string;
  readonly codec: Codec;
  readonly clock: Clock;
  readonly random: Random;
  /** Longest single store operation. */
  readonly storeMs: number;
  /** Of the activation that writes. */
  readonly epoch: number;
  readonly version: number;
  /** Aborted when this node incarnation is over or the activation was superseded: an unresolved write is given up then. */
  readonly signal: AbortSignal;
}

/** An isolated leader was seen to answer stale reads for 16 s: a store that shows less than was acknowledged is not believed earlier. */
const PATIENCE_MS = 20_000;

type Put = { readonly stored: number } | { readonly foreign: StateRecord; readonly revision: number };

/** The state as one record, the last one wins. Opening it rewrites the record with the new epoch, at the revision read. */
export class FencedState implements DurableState {
  readonly #options: FenceOptions;
  #record: StateRecord;
  #revision: number;

  private constructor(options: FenceOptions, record: StateRecord, revision: number) {
    this.#options = options;
    this.#record = record;
    this.#revision = revision;
  }

  get record(): StateRecord {
    return this.#record;
  }
  get state(): unknown {
    return this.#record.state;
  }
  get kept(): Kept {
    return this.#record.kept;
  }

  /**
   * `prepare` turns what an older version stored into today's state, or gives the initial one; undefined deletes it.
   * @throws NexaError `fenced` (a higher epoch was read), `corrupt-record`, and what `prepare` throws.
   */
  static async open(options: FenceOptions, prepare: (stored: StateRecord | undefined) => unknown): Promise<FencedState> {
    let found = await look(options);
    for (;;) {
      if (found !== undefined && found.record.epoch > options.epoch) throw fencedBy(options, found.record.epoch);
      const record: StateRecord = {
        recordId: options.random.id(),
        epoch: options.epoch,
        n: (found?.record.n ?? 0) + 1,
        version: options.version,
        state: prepare(found?.record),
        kept: keptAt(found?.record),
      };
      const put = await store(options, record, found?.revision);
      if ('stored' in put) return new FencedState(options, record, put.stored);
      found = { record: put.foreign, revision: put.revision };
    }
  }

  /** After an unknown outcome it repeats this same record until it is acknowledged, found, or overtaken. */
  async commit(turn: Turn): Promise<void> {
    const before = this.#record;
    const record: StateRecord = {
      ...before,
      recordId: this.#options.random.id(),
      n: before.n + 1,
      state: turn.state,
      kept: keep(before.kept, turn),
    };
    const put = await store(this.#options, record, this.#revision);
    if (!('stored' in put)) throw fencedBy(this.#options, put.foreign.epoch);
    this.#record = record;
    this.#revision = put.stored;
  }
}

const keptAt = (record: StateRecord | undefined): Kept => {
  if (record === undefined) return NOTHING_KEPT;
  return record.state === undefined ? keptByTombstone(record.kept) : record.kept;
};

/**
 * Deletes an agent's state by a tombstone of the given epoch; a higher epoch means that it lives again, and stays. So is deleted what nobody can
 * read, for no owner wrote it; what a later release wrote is left to that.
 */
export async function forgetState(options: FenceOptions): Promise<void> {
  try {
    await FencedState.open(options, () => undefined);
  } catch (error) {
    if (!(error instanceof NexaError)) throw error;
    if (error.code === 'corrupt-record') await bury(options, Number(error.where.revision));
    else if (error.code !== 'fenced') throw error;
  }
}
async function bury(options: FenceOptions, revision: number): Promise<void> {
  const { epoch, version } = options;
  const record = { recordId: options.random.id(), epoch, n: 1, version, state: undefined, kept: NOTHING_KEPT };
  await store(options, record, revision);
}

const fencedBy = (options: FenceOptions, epoch: number): NexaError =>
  new NexaError('fenced', `epoch ${options.epoch} was overtaken by ${epoch}`, { where: { key: options.key } });

async function look(options: FenceOptions): Promise<{ readonly record: StateRecord; readonly revision: number } | undefined> {
  const backOff = new BackOff(options);
  const missing = new MissingStore();
  for (;;) {
    if (options.signal.aborted) throw new NexaError('fenced', 'the activation is over', { where: { key: options.key } });
    try {
      const found = await options.kv.get(options.key, { timeoutMs: options.storeMs });
      if (found === undefined) return undefined;
      const { value, revision } = found;
      const { key, codec } = options;
      return { record: readStored({ store: 'STATE', key, revision }, () => decodeState(value, codec, key)), revision };
    } catch (error) {
      if (isUnreadable(error)) throw error;
      missing.heard(error);
    }
    await backOff.pause();
  }
}

/** As far as the store can say: no answer is no proof. */
const isRemoved = ({ kv, key, storeMs }: FenceOptions, revision: number): Promise<boolean> =>
  kv.removed(key, revision, { timeoutMs: storeMs }).catch(() => false);

const holdsLess = ({ key }: FenceOptions): NexaError =>
  new NexaError('store-misconfigured', 'the store STATE holds less than it acknowledged: it was created again, or rolled back', {
    where: { store: 'STATE', key },
    fix: 'Restore it from a backup; see `nexa doctor`.',
    definite: false,
  });

/** Nobody may tell what it held: whoever wants the agent to begin anew says so. */
const wasRemoved = ({ key }: FenceOptions, revision: number): NexaError =>
  new NexaError('corrupt-record', 'the state that was acknowledged is no longer in the store: somebody deleted or purged it', {
    where: { store: 'STATE', key, revision: String(revision) },
    fix: 'Restore it from a backup, or spawn the agent again: it begins anew.',
    definite: false,
  });

async function store(options: FenceOptions, record: StateRecord, expected: number | undefined): Promise<Put> {
  const bytes = encodeState(record, options.codec);
  const within = { timeoutMs: options.storeMs };
  /** Made when it is needed: nearly never. */
  let backOff: BackOff | undefined;
  let lessSinceMs: number | undefined;
  for (let tries = 0; ; tries++) {
    if (options.signal.aborted) throw new NexaError('fenced', 'the activation is over', { where: { key: options.key } });
    try {
      const { kv, key } = options;
      const written = expected === undefined ? await kv.create(key, bytes, within) : await kv.update(key, bytes, expected, within);
      if (written.written === 'yes') return { stored: written.revision };
    } catch (refused) {
      // A full store refuses for good. After a doubtful try that says nothing: the first copy may still land, and is waited for.
      if (tries === 0) throw refused;
    }
    const found = await look(options);
    if (found?.record.recordId === record.recordId) return { stored: found.revision };
    // Only a later record that was read proves the loss; a read that shows less is late, and the same write is repeated.
    if (found !== undefined && found.revision > (expected ?? 0)) return { foreign: found.record, revision: found.revision };
    if (expected === undefined || found?.revision === expected) lessSinceMs = undefined;
    else {
      if (expected !== undefined && found === undefined && (await isRemoved(options, expected))) throw wasRemoved(options, expected);
      lessSinceMs ??= options.clock.monotonicMs();
      if (options.clock.monotonicMs() - lessSinceMs > PATIENCE_MS) throw holdsLess(options);
    }
    backOff ??= new BackOff(options);
    await backOff.pause();
  }
}
