import { NexaError } from '../../errors.ts';
import type { Contents } from './contents.ts';
import type { BackupEntry } from './entry.ts';
import type { Persistent } from './persistent.ts';
import type { BackupParts, Places } from './places.ts';

/** How often an agent is taken before it is given up: each time somebody changed what frames its state meanwhile. */
const MOST_TAKES = 50;

/** Resolves, once it was taken, with what is in it. */
export type Emit = (entry: BackupEntry) => Promise<Contents>;
type Found = { readonly value: Uint8Array; readonly revision: number } | undefined;

/**
 * One agent, as a crash at one instant would have left it. Its mail is read before its state: what was handled in between is in both, and
 * the floor of the state says so. Its reminders and its snapshot are read before and after its state, and only if nobody changed them
 * meanwhile do they belong together; otherwise all but the mail is taken again.
 * @throws NexaError `unavailable`, `unknown-version`, `conflict` for one that never comes to rest.
 */
export async function takeAgent(parts: BackupParts, places: Places, store: Persistent, agent: string, emit: Emit): Promise<void> {
  const within = { timeoutMs: parts.storeMs };
  const read = <T>(run: () => Promise<T>): Promise<T> => store.read(`give what it has of ${agent}`, run);

  const records = async function* (stream: 'journal' | 'mailbox' | 'dead') {
    const subject = places.subject(stream, agent);
    for (let from = 1; ; ) {
      const found = await read(() => places[stream].next(subject, { fromSequence: from, ...within }));
      if (found === undefined) return;
      yield found;
      from = found.sequence + 1;
    }
  };
  const reminders = async (): Promise<ReadonlyMap<string, NonNullable<Found>>> => {
    const found = new Map<string, NonNullable<Found>>();
    for (const key of (await read(() => places.reminders.keys(`${agent}.`, within))).toSorted()) {
      const entry = await read(() => places.reminders.get(key, within));
      if (entry !== undefined) found.set(key, entry);
    }
    return found;
  };
  /** A snapshot whose object is missing or damaged is corrupt, and is so after a restore. */
  const objectAt = (name: string): Promise<Uint8Array | undefined> =>
    read(() => places.blobs.get(name, within)).catch((error) => {
      if (error instanceof NexaError && error.code === 'corrupt-record') return undefined;
      throw error;
    });
  const snapshot = (): Promise<Found> => read(() => places.snapshots.get(agent, within));

  for await (const { sequence, record } of records('mailbox')) await emit({ kind: 'mail', agent, sequence, value: record });
  for await (const { sequence, record } of records('dead')) await emit({ kind: 'dead', agent, sequence, value: record });
  for (let take = 1; take <= MOST_TAKES; take++) {
    const before = { reminders: await reminders(), snapshot: await snapshot() };
    let floor = 0;
    let name: string | undefined;
    const put = async (entry: BackupEntry): Promise<void> => {
      const contents = await emit(entry);
      floor = Math.max(floor, contents.floor);
      name ??= contents.object;
    };
    const state = await read(() => places.state.get(agent, within));
    if (state !== undefined) await put({ kind: 'state', agent, take, value: state.value });
    if (before.snapshot !== undefined) await put({ kind: 'snapshot', agent, take, value: before.snapshot.value });
    for await (const { record } of records('journal')) await put({ kind: 'journal', agent, take, value: record });
    const object = name === undefined ? undefined : await objectAt(name);
    const after = { reminders: await reminders(), snapshot: await snapshot() };
    if (!sameRevisions(before.reminders, after.reminders) || before.snapshot?.revision !== after.snapshot?.revision) continue;
    if (name !== undefined && object !== undefined) await emit({ kind: 'object', agent, take, name, value: object });
    for (const [key, { value }] of before.reminders) await emit({ kind: 'reminder', agent, take, key, value });
    const found = await read(() => places.agents.get(agent, within));
    await emit({ kind: 'agent', agent, take, value: found?.value, revision: found?.revision ?? 0, floor });
    return;
  }
  throw new NexaError('conflict', `${agent} changed its reminders or its snapshot whenever it was looked at`, {
    where: { agent },
    retryable: true,
    fix: 'Start the backup again when the agent has less to do.',
  });
}

const sameRevisions = (a: ReadonlyMap<string, NonNullable<Found>>, b: ReadonlyMap<string, NonNullable<Found>>): boolean =>
  a.size === b.size && [...a].every(([key, { revision }]) => b.get(key)?.revision === revision);
