import { type Formation, form } from '../../cluster/formation.ts';
import { decodeMember } from '../../cluster/member.ts';
import { decodeAgent, encodeAgent } from '../../cluster/place.ts';
import { NexaError } from '../../errors.ts';
import type { Kv } from '../../ports/stores.ts';
import { type AgentEntry, type BackupEntry, type BackupSummary, noCounts } from './entry.ts';
import { KeyedQueue } from './keyed-queue.ts';
import { type Persistent, persistent } from './persistent.ts';
import { type BackupParts, type Places, placesOf } from './places.ts';

/** Writes under way at once. */
const WIDTH = 128;
const FORM_MS = 60_000;

export interface RestoreOptions extends BackupParts {
  /** For a cluster that is not formed yet. */
  readonly replicas: number | undefined;
  readonly summary: BackupSummary;
  /** The entries, from the beginning each time; it is read twice. @throws NexaError `corrupt-record`, at its end at the latest. */
  readonly entries: () => AsyncIterable<BackupEntry>;
  readonly onWritten: () => void;
}
export interface Restored {
  readonly formation: Formation;
  readonly counts: BackupSummary['counts'];
  /** Messages that the states of their agents had handled already. */
  readonly handled: number;
}

/**
 * Writes a backup into an empty cluster, which it forms if need be. The backup is read to its end before anything is written, and agents
 * come last and without owners: whoever joins then claims them. While it is under way nobody may join.
 * @throws NexaError `conflict`: the cluster is not empty, or its epochs would not be above those of the backup (definite, nothing was
 *   written), or somebody wrote into it meanwhile; `unavailable`; `corrupt-record` of the backup (definite).
 */
export async function restore(options: RestoreOptions): Promise<Restored> {
  const { codec, random, summary } = options;
  const final = await finalTakes(options.entries());
  const store = persistent(options);
  const within = { timeoutMs: options.storeMs };
  const formation = await form({ ...options, timeoutMs: FORM_MS, leastFirstSequence: summary.highest + 1 });
  const places = placesOf(options);
  await requireEmpty(options, places, store, formation);
  const mark = codec.encode({ id: random.id(), atMs: Math.floor(options.clock.wallMs()) });
  await put(store, places.meta, 'restoring', mark, within);

  const counts = noCounts();
  let handled = 0;
  const sequences = new Map<string, number>();
  const write = async (entry: Exclude<BackupEntry, AgentEntry>): Promise<void> => {
    switch (entry.kind) {
      case 'setting':
        return put(store, places.meta, entry.key, entry.value, within);
      case 'state':
        return put(store, places.state, entry.agent, entry.value, within);
      case 'snapshot':
        return put(store, places.snapshots, entry.agent, entry.value, within);
      case 'reminder':
        return put(store, places.reminders, entry.key, entry.value, within);
      case 'object':
        return store.read('take an object', () => places.blobs.put(entry.name, entry.value, within));
      case 'mail':
      case 'dead':
        return append(entry.kind === 'mail' ? 'mailbox' : 'dead', entry.agent, entry.value);
      case 'journal':
        return append('journal', entry.agent, entry.value);
    }
  };
  const append = async (kind: 'journal' | 'mailbox' | 'dead', agent: string, value: Uint8Array): Promise<void> => {
    const subject = places.subject(kind, agent);
    const expectedSequence = sequences.get(subject) ?? 0;
    const recordId = random.id();
    let sequence: number | undefined;
    await store.write(
      `take a record of the ${kind} of ${agent}`,
      async () => {
        const written = await places[kind].append(subject, value, { expectedSequence, recordId, ...within });
        if (written.written === 'yes') sequence = written.revision;
        return written;
      },
      async () => {
        const last = await places[kind].last(subject, within);
        if (last === undefined || last.sequence <= expectedSequence) return undefined;
        sequence = last.sequence;
        return Buffer.compare(last.record, value) === 0;
      },
    );
    sequences.set(subject, sequence ?? 0);
  };

  const queue = new KeyedQueue(WIDTH);
  for await (const entry of options.entries()) {
    if (entry.kind === 'agent') continue;
    const agent = 'agent' in entry ? final.get(entry.agent) : undefined;
    if ('take' in entry && entry.take !== agent?.take) continue;
    if (entry.kind === 'mail' && entry.sequence <= (agent?.floor ?? 0)) {
      handled++;
      continue;
    }
    await queue.add('agent' in entry ? entry.agent : entry.key, async () => {
      await write(entry);
      counts[entry.kind]++;
      options.onWritten();
    });
  }
  await queue.drained();
  for await (const entry of options.entries()) {
    if (entry.kind !== 'agent' || entry.value === undefined) continue;
    const value = withoutOwner(entry.agent, entry.value, options);
    await queue.add(entry.agent, async () => {
      await put(store, places.agents, entry.agent, value, within);
      counts.agent++;
      options.onWritten();
    });
  }
  await queue.drained();
  await finish(places, store, mark, within);
  return { formation, counts, handled };
}

/** Which take of each agent counts, and up to where its mail was handled. Reads the backup to its end: a damaged one is found here. */
async function finalTakes(
  entries: AsyncIterable<BackupEntry>,
): Promise<ReadonlyMap<string, { readonly take: number; readonly floor: number }>> {
  const final = new Map<string, { readonly take: number; readonly floor: number }>();
  for await (const entry of entries) if (entry.kind === 'agent') final.set(entry.agent, { take: entry.take, floor: entry.floor });
  return final;
}

/** @throws NexaError `conflict` (definite). What is not found here and there all the same is refused by the writes themselves. */
async function requireEmpty(parts: RestoreOptions, places: Places, store: Persistent, formation: Formation): Promise<void> {
  const { subjects, codec, summary } = parts;
  const within = { timeoutMs: parts.storeMs };
  const refused = (problem: string, fix: string): NexaError =>
    new NexaError('conflict', `${problem}; nothing was written`, { where: { cluster: subjects.cluster }, fix });
  const elsewhere = 'Choose another --cluster name, or delete the streams of this one (`nats stream ls`).';
  if (formation.firstSequence <= summary.highest)
    throw refused(
      `this cluster counts from ${formation.firstSequence}, the backup went to ${summary.highest}: an epoch could come a second time`,
      'Restore into a cluster that is not formed yet.',
    );
  for (const name of ['agents', 'state', 'snapshots', 'reminders'] as const) {
    for (const key of await store.read('list what is there', () => places[name].keys('', within))) {
      if ((await store.read('show what is there', () => places[name].get(key, within))) !== undefined)
        throw refused(`this cluster is not empty: ${key} is in ${name.toUpperCase()}`, elsewhere);
    }
  }
  for (const stream of ['journal', 'mailbox', 'dead'] as const) {
    const [agent] = await store.read('list what is there', () => places.agentsOf(stream, within));
    if (agent !== undefined) throw refused(`this cluster is not empty: ${agent} has records in ${stream.toUpperCase()}`, elsewhere);
  }
  for (const node of await store.read('list who is there', () => places.members.keys('', within))) {
    const found = await store.read('show who is there', () => places.members.get(node, within));
    if (found !== undefined && decodeMember(found.value, codec, node).state !== 'gone')
      throw refused(`node ${node} is a member of this cluster`, 'Stop its nodes first.');
  }
}

type Within = { readonly timeoutMs: number };
async function put(store: Persistent, kv: Kv, key: string, value: Uint8Array, within: Within): Promise<void> {
  await store.write(
    `take ${key}`,
    () => kv.create(key, value, within),
    async () => {
      const found = await kv.get(key, within);
      return found === undefined ? undefined : Buffer.compare(found.value, value) === 0;
    },
  );
}

/** Nobody owns it, so that anybody may claim it. A temporary agent ends with its node, and its node is none of this cluster's. */
function withoutOwner(key: string, value: Uint8Array, { codec, random }: BackupParts): Uint8Array {
  const record = decodeAgent(value, codec, key);
  const ended = record.restart === 'temporary' && record.desired === 'running';
  return encodeAgent(
    {
      ...record,
      nonce: random.id(),
      owner: undefined,
      prefer: undefined,
      desired: ended ? 'stopped' : record.desired,
      why: ended ? 'it was temporary, and came from a backup' : 'it came from a backup',
    },
    codec,
  );
}

/** From now on nodes may join. */
async function finish(places: Places, store: Persistent, mark: Uint8Array, within: Within): Promise<void> {
  await put(store, places.meta, 'restored', mark, within);
  await store.write(
    'end the restore',
    async () => {
      const found = await places.meta.get('restoring', within);
      return found === undefined ? { written: 'unknown' } : places.meta.delete('restoring', found.revision, within);
    },
    async () => ((await places.meta.get('restoring', within)) === undefined ? true : undefined),
  );
}
