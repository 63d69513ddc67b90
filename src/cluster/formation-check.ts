import { NexaError } from '../errors.ts';
import type { Finding } from '../ports/check.ts';
import type { Clock } from '../ports/clock.ts';
import type { Codec } from '../ports/codec.ts';
import type { Stores } from '../ports/stores.ts';
import { ADDED, type Formation, type Formed, RESTORING, storeSpec } from './formation.ts';
import { STORES, type StoreName, type Subjects } from './subject.ts';

interface Parts {
  readonly stores: Stores;
  readonly subjects: Subjects;
  readonly codec: Codec;
  readonly clock: Clock;
  readonly storeMs: number;
}
/** One store against the record of the formation. Foreign: somebody else deleted and created it again. */
export interface StoreState {
  readonly store: StoreName;
  readonly state: 'ok' | 'missing' | 'foreign' | 'different' | 'to-come';
  readonly message: string;
}
export interface FormationState {
  /** Undefined: it never began, or its record is lost. */
  readonly formation: Formation | undefined;
  readonly stores: readonly StoreState[];
  readonly finding: Finding;
}

/** A server that lags may not know of a store: one that is missing is asked for so often. */
const ASKED = 5;
const AGAIN_MS = 200;
const KNOWN = ADDED.flatMap(({ stores }): readonly StoreName[] => stores);

/** Compares the record of the formation with the stores that are there. Changes nothing. @throws NexaError `unavailable`. */
export async function inspectFormation(parts: Parts): Promise<FormationState> {
  const { stores, subjects, codec, storeMs } = parts;
  const within = { timeoutMs: storeMs };
  const cluster = { cluster: subjects.cluster };
  const metaName = subjects.store('META');
  if ((await shown(parts, metaName)) === undefined) {
    const present = await Promise.all(
      KNOWN.map(async (store) => ((await stores.info(subjects.store(store), within)) === undefined ? [] : [store])),
    );
    const left = present.flat();
    const finding: Finding =
      left.length === 0
        ? { verdict: 'warning', message: 'this cluster was never formed', fix: 'Start a node: the first one forms it.', where: cluster }
        : {
            verdict: 'failed',
            message: `META is missing, though ${left.join(', ')} are there: nobody can say what this cluster was formed as`,
            fix: 'Restore a backup under another --cluster name.',
            where: cluster,
          };
    return { formation: undefined, stores: [], finding };
  }
  const meta = stores.kv(metaName);
  const [forming, formed] = await Promise.all([meta.get('forming', within), meta.get('formed', within)]);
  if (forming === undefined || formed === undefined) {
    const finding: Finding = {
      verdict: 'warning',
      message: 'the formation was begun and not finished',
      fix: 'Start a node: it goes on with it.',
      where: cluster,
    };
    return { formation: undefined, stores: [], finding };
  }
  const formation = codec.decode(forming.value) as Formation;
  if ((await meta.get('restoring', within)) !== undefined)
    return { formation, stores: [], finding: { verdict: 'failed', ...RESTORING, where: cluster } };
  const { created = {} } = codec.decode(formed.value) as Partial<Formed>;
  const states = await Promise.all(KNOWN.map((store) => stateOf(parts, store, formation, created[store])));
  return { formation, stores: states, finding: judged(states, formation, cluster) };
}

async function stateOf(parts: Parts, store: StoreName, { replicas }: Formation, createdAtMs: number | undefined): Promise<StoreState> {
  if (createdAtMs === undefined)
    return { store, state: 'to-come', message: `${store} is new in this release: the next node that starts creates it` };
  const info = await shown(parts, parts.subjects.store(store));
  if (info === undefined) return { store, state: 'missing', message: `${store} is missing` };
  if (info.createdAtMs !== createdAtMs)
    return { store, state: 'foreign', message: `${store} was deleted and created again by somebody else` };
  if (info.spec.replicas !== replicas || info.spec.kind !== STORES[store])
    return {
      store,
      state: 'different',
      message: `${store} is a ${info.spec.kind} with ${info.spec.replicas} replica(s) instead of a ${STORES[store]} with ${replicas}`,
    };
  return { store, state: 'ok', message: `${store} is as it was formed` };
}

/** A store that is not found is no proof until it was asked for some times. */
async function shown({ stores, clock, storeMs }: Parts, name: string): ReturnType<Stores['info']> {
  for (let asked = 1; ; asked++) {
    const info = await stores.info(name, { timeoutMs: storeMs });
    if (info !== undefined || asked === ASKED) return info;
    await new Promise<void>((resolve) => void clock.after(AGAIN_MS, resolve));
  }
}

function judged(states: readonly StoreState[], { layout, replicas }: Formation, where: Readonly<Record<string, string>>): Finding {
  const wrong = states.filter(({ state }) => state !== 'ok' && state !== 'to-come');
  if (wrong.length === 0) return { verdict: 'ok', message: `layout ${layout}, ${replicas} replica(s), ${states.length} stores as formed` };
  const fix = wrong.some(({ state }) => state === 'missing')
    ? 'Restore a backup under another --cluster name. If there is none, stop the nodes and run `nexa doctor --repair`: it creates a missing store, empty.'
    : 'Restore a backup under another --cluster name, or form a new cluster there.';
  return { verdict: 'failed', message: wrong.map(({ message }) => message).join('; '), fix, where };
}

/** What is lost with each store, for whoever has to say yes to an empty one. */
export const LOST: Readonly<Partial<Record<StoreName, string>>> = {
  AGENTS: 'which agents there are: none will run until it is spawned again; their states stay',
  MEMBERS: 'who is a member: running nodes end and their launchers start them anew',
  STATE: 'the state of every durable agent: each begins with its initial one',
  SERVICES: 'who offers which service: their owners register again',
  JOURNAL: 'the events of every event-sourced agent since its last snapshot',
  SNAPSHOTS: 'what event-sourced agents had when their older events were deleted: those are quarantined',
  BLOBS: 'large snapshots: their agents are quarantined',
  MAILBOX: 'durable messages that were stored and not handled yet',
  DEAD: 'durable messages that failed too often',
  REMINDERS: 'what agents wanted to be reminded of',
};

/**
 * Creates a store that is missing, empty, and marks it as the cluster's own. Only of one that {@link inspectFormation} found missing.
 * A rising one begins at the present time, so that its epochs are above all earlier ones (C3).
 * @throws NexaError `store-misconfigured` if it is there after all, `conflict` if the record changed meanwhile, `unavailable`.
 */
export async function createMissing(parts: Parts, store: StoreName): Promise<void> {
  const { stores, subjects, codec, clock, storeMs } = parts;
  const within = { timeoutMs: storeMs };
  const meta = stores.kv(subjects.store('META'));
  const { formation, stores: states } = await inspectFormation(parts);
  const where = { store: subjects.store(store), cluster: subjects.cluster };
  const formed = await meta.get('formed', within);
  if (formation === undefined || formed === undefined || states.find((each) => each.store === store)?.state !== 'missing')
    throw new NexaError('store-misconfigured', `${store} is not missing`, { where, fix: 'Run `nexa doctor` again.' });
  const spec = storeSpec(subjects, store, { replicas: formation.replicas, firstSequence: Math.floor(clock.wallMs()) });
  const made = await stores.ensure(spec, within);
  const info = made === 'created' ? await stores.info(spec.name, within) : undefined;
  if (info === undefined)
    throw new NexaError('unavailable', `${store} could not be created: ${made}`, { where, fix: 'Run `nexa doctor` again.' });
  const record = codec.decode(formed.value) as Formed;
  const value = codec.encode({ ...record, created: { ...record.created, [store]: info.createdAtMs } });
  const written = await meta.update('formed', value, formed.revision, within);
  if (written.written !== 'yes')
    throw new NexaError('conflict', 'the record of the formation was changed by somebody else meanwhile', {
      where,
      fix: 'Run `nexa doctor` again.',
    });
}
