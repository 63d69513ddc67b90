import { NexaError, toNexaError } from '../errors.ts';
import type { Clock } from '../ports/clock.ts';
import type { Codec } from '../ports/codec.ts';
import type { Kv, StoreSpec, Stores } from '../ports/stores.ts';
import { STORES, type StoreName, type Subjects } from './subject.ts';

/** What each layout added. A release that knows a later one creates only what is new and moves `formed` by CAS; it never re-creates a store. */
export const ADDED = [
  { layout: 1, stores: ['AGENTS', 'MEMBERS', 'STATE'] },
  { layout: 2, stores: ['SERVICES'] },
  { layout: 3, stores: ['JOURNAL', 'SNAPSHOTS', 'BLOBS', 'MAILBOX', 'DEAD', 'REMINDERS'] },
] as const satisfies readonly { readonly layout: number; readonly stores: readonly StoreName[] }[];
/** The layout that this release forms. */
export const LAYOUT = 3;
/** Epochs and floors are sequences of these: they start at the time of formation, so a re-created cluster is above all earlier ones. */
const RISING: readonly StoreName[] = ['AGENTS', 'MAILBOX'];
const STREAMS: Readonly<Partial<Record<StoreName, 'journal' | 'mailbox' | 'dead'>>> = {
  JOURNAL: 'journal',
  MAILBOX: 'mailbox',
  DEAD: 'dead',
};

/** Durable messages that wait for one agent; one more is refused. */
const MAILBOX_LIMIT = 10_000;

/** What a store is made from. */
export function storeSpec(subjects: Subjects, store: StoreName, { replicas, firstSequence }: Omit<Formation, 'layout'>): StoreSpec {
  const stream = STREAMS[store];
  return {
    name: subjects.store(store),
    kind: STORES[store],
    replicas,
    ...(RISING.includes(store) ? { firstSequence } : {}),
    ...(store === 'MAILBOX' ? { mostPerSubject: MAILBOX_LIMIT } : {}),
    ...(stream === undefined ? {} : { subjects: [subjects.recordAll(stream)] }),
  };
}

export interface Formation {
  readonly layout: number;
  readonly replicas: number;
  readonly firstSequence: number;
}

interface Forming {
  readonly stores: Stores;
  readonly subjects: Subjects;
  readonly codec: Codec;
  readonly clock: Clock;
  /** From configuration, never from counting servers. Undefined: whatever the cluster was formed with, and 1 for a new one. */
  readonly replicas: number | undefined;
  /** Of a cluster that is formed by this: where its epochs and floors begin at the earliest. Default: at the present time. */
  readonly leastFirstSequence?: number;
  /** For all of it, retries included. */
  readonly timeoutMs: number;
  readonly storeMs: number;
}

/**
 * Formation happens once. Whoever comes first writes what the cluster is to be; everybody, the winner too, reads that back and
 * creates exactly it; then it is marked formed. From then on a missing or foreign store is an error, never a silent re-creation.
 * @throws NexaError `store-misconfigured` (names the store), `unavailable` when the store does not answer within the time.
 */
export async function form(options: Forming): Promise<Formation> {
  const { stores, subjects, clock } = options;
  const deadlineMs = clock.monotonicMs() + options.timeoutMs;
  const within = { timeoutMs: options.storeMs };
  const metaName = subjects.store('META');
  const attempt: Attempt = async (what, run) => {
    let waitMs = 50;
    let last: unknown;
    for (;;) {
      try {
        const value = await run();
        if (value !== undefined) return value;
      } catch (error) {
        if (
          error instanceof NexaError &&
          ['store-misconfigured', 'corrupt-record', 'unknown-version', 'quota-exceeded'].includes(error.code)
        )
          throw error;
        last = error;
      }
      if (clock.monotonicMs() + waitMs > deadlineMs) {
        throw new NexaError('unavailable', `the store did not ${what} within ${options.timeoutMs} ms`, {
          cause: last,
          fix: `Check that JetStream is on and that ${options.replicas ?? 1} server(s) can be reached.`,
          ...(last === undefined ? {} : { where: { last: toNexaError(last, 'internal').message.slice(0, 200) } }),
        });
      }
      await new Promise<void>((resolve) => {
        clock.after(waitMs, resolve);
      });
      waitMs = Math.min(waitMs * 2, 1_000);
    }
  };

  const existing = await attempt('say whether the cluster exists', async () => (await stores.info(metaName, within)) ?? null);
  const meta = stores.kv(metaName);
  const begun =
    existing !== null && (await attempt('show what it was formed as', async () => (await meta.get('forming', within)) ?? null)) !== null;
  if (!begun) {
    await attempt('create its first bucket', async () => {
      const replicas = existing?.spec.replicas ?? options.replicas ?? 1;
      const result = await stores.ensure({ name: metaName, kind: 'kv', replicas }, within);
      if (typeof result === 'object') throw foreign(subjects, 'META', result.different);
      return result === 'unknown' ? undefined : result;
    });
  }
  const forming = await attempt('agree on a formation', () => agree(meta, options));
  if (options.replicas !== undefined && options.replicas !== forming.replicas) {
    throw new NexaError('store-misconfigured', `this cluster was formed with ${forming.replicas} replica(s), not ${options.replicas}`, {
      where: { cluster: subjects.cluster },
      fix: `Start with --replicas ${forming.replicas}, or choose another --cluster name.`,
    });
  }
  if (forming.layout > LAYOUT) {
    throw new NexaError('unknown-version', `this cluster has store layout ${forming.layout}; this release knows ${LAYOUT}`, {
      where: { cluster: subjects.cluster },
      fix: 'Update this node.',
    });
  }
  const restoring = await attempt('say whether it is being restored', async () => (await meta.get('restoring', within)) ?? null);
  if (restoring !== null)
    throw new NexaError('store-misconfigured', RESTORING.message, { where: { cluster: subjects.cluster }, fix: RESTORING.fix });
  const upgraded = await attempt('show its stores', () => complete(meta, forming, options, attempt));
  return { ...forming, layout: Math.max(forming.layout, upgraded) };
}

const misfitOf = (subjects: Subjects, store: StoreName, what: string, where: Readonly<Record<string, string>> = {}): NexaError =>
  new NexaError('store-misconfigured', `${store} ${what}`, {
    where: { store: subjects.store(store), cluster: subjects.cluster, ...where },
    fix: 'Restore a backup under another --cluster name, or form a new cluster there; Nexa never re-creates a store by itself.',
  });
/** It was there before the cluster was formed: somebody else made it. */
const foreign = (subjects: Subjects, store: StoreName, settings: readonly string[]): NexaError =>
  misfitOf(subjects, store, `exists with other settings: ${settings.join(', ')}`, { settings: settings.join(', ') });

/** What is said of a cluster for as long as META has `restoring`. */
export const RESTORING = {
  message: 'this cluster is being restored from a backup, or a restore of it was broken off',
  fix: 'Wait until `nexa restore` has ended; if it was broken off, restore under another --cluster name.',
} as const;

type Attempt = <T>(what: string, run: () => Promise<T | undefined>) => Promise<T>;
/** What is marked as there: the layout that the stores have by now, and when each was created. */
export interface Formed {
  readonly layout: number;
  readonly created: Readonly<Record<string, number>>;
}

/**
 * Creates what is not marked as created, checks what is, and marks it; the layout that is then there. Undefined when somebody else
 * marked something meanwhile: then it starts over with what that says.
 */
async function complete(meta: Kv, forming: Formation, options: Forming, attempt: Attempt): Promise<number | undefined> {
  const { stores, subjects, codec } = options;
  const within = { timeoutMs: options.storeMs };
  const found = (await attempt('say whether the cluster is formed', async () => (await meta.get('formed', within)) ?? null)) ?? undefined;
  const formed = found === undefined ? undefined : (codec.decode(found.value) as Partial<Formed>);
  const created: Record<string, number> = { ...formed?.created };
  let fresh = false;
  for (const store of ADDED.flatMap(({ stores }) => stores)) {
    const spec = storeSpec(subjects, store, forming);
    const { name } = spec;
    const misfit = (what: string): NexaError => misfitOf(subjects, store, what);
    const then = created[store];
    if (then === undefined) {
      await attempt(`create ${store}`, async () => {
        const result = await stores.ensure(spec, within);
        if (typeof result === 'object') throw foreign(subjects, store, result.different);
        return result === 'unknown' ? undefined : result;
      });
    }
    // Not found right after it was created, or by a server that lags, is no proof: it is asked for again until the deadline.
    let asked = 0;
    const info = await attempt(`show ${store}`, async () => {
      const found = await stores.info(name, within);
      if (found === undefined && then !== undefined && ++asked >= 5) throw misfit('is missing');
      return found;
    });
    if (info.spec.replicas !== forming.replicas) throw misfit(`has ${info.spec.replicas} replica(s) instead of ${forming.replicas}`);
    if (then !== undefined && then !== info.createdAtMs) throw misfit('was deleted and created again by somebody else');
    created[store] = info.createdAtMs;
    fresh ||= then === undefined;
  }
  const layout = Math.max(formed?.layout ?? 0, LAYOUT);
  if (!fresh) return layout;
  const value = codec.encode({ ...forming, ...formed, layout, created });
  const written =
    found === undefined ? await meta.create('formed', value, within) : await meta.update('formed', value, found.revision, within);
  return written.written === 'yes' ? layout : undefined;
}

async function agree(meta: Kv, options: Forming): Promise<Formation | undefined> {
  const within = { timeoutMs: options.storeMs };
  const found = await meta.get('forming', within);
  if (found !== undefined) return options.codec.decode(found.value) as Formation;
  const firstSequence = Math.max(Math.floor(options.clock.wallMs()), options.leastFirstSequence ?? 1);
  const mine: Formation = { layout: LAYOUT, replicas: options.replicas ?? 1, firstSequence };
  await meta.create('forming', options.codec.encode(mine), within);
  // Whatever the outcome was: what counts is what is there, read back.
  const agreed = await meta.get('forming', within);
  return agreed === undefined ? undefined : (options.codec.decode(agreed.value) as Formation);
}
