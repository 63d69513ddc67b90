import { type Formation, LAYOUT } from '../../cluster/formation.ts';
import { inParallel } from '../../cluster/in-parallel.ts';
import { parseAgentKey } from '../../cluster/subject.ts';
import { NexaError } from '../../errors.ts';
import { type Contents, contentsOf } from './contents.ts';
import { type BackupEntry, type BackupHeader, type BackupSummary, noCounts } from './entry.ts';
import { type Persistent, persistent } from './persistent.ts';
import { type BackupParts, type Places, placesOf } from './places.ts';
import { takeAgent } from './take.ts';

/** Agents that are read at once. */
const WIDTH = 16;
const MOST_NAMED = 100;
/** Of META: of the cluster that is, not of what it knows. */
const NO_SETTINGS: readonly string[] = ['forming', 'formed', 'backup', 'restoring', 'restored'];

export interface BackupOptions extends BackupParts {
  /** Called once, before the first entry. */
  readonly onHeader: (header: BackupHeader, agents: number) => Promise<void>;
  /** The next one comes once this one was taken. */
  readonly onEntry: (entry: BackupEntry) => Promise<void>;
}

/**
 * Reads all durable state of a cluster that may be at work: what was acknowledged before it began is in it, each agent as a crash at one
 * instant would have left it. Nothing is changed but a note in META, which shows before and after that the store's quorum is in reach.
 * @throws NexaError `store-misconfigured` (no such cluster), `unknown-version` (of a newer release), `unavailable`, and what the callbacks throw.
 */
export async function backUp(options: BackupOptions): Promise<BackupSummary> {
  const { clock, codec, subjects } = options;
  const store = persistent(options);
  const places = placesOf(options);
  const within = { timeoutMs: options.storeMs };
  const { layout, firstSequence } = await formationOf(options, places, store);
  await reachQuorum(options, places, store);
  const createdAtMs = Math.floor(clock.wallMs());
  const corrupt = new Set<string>();
  const agents = await agentsIn(options, places, store, corrupt);
  await options.onHeader({ cluster: subjects.cluster, createdAtMs, layout, firstSequence }, agents.length);

  const counts = noCounts();
  let highest = 0;
  let taken: Promise<void> = Promise.resolve();
  const emit = async (given: BackupEntry): Promise<Contents> => {
    const contents = contentsOf(given, codec);
    if (contents === undefined && 'agent' in given) corrupt.add(given.agent);
    // A record that cannot be read cannot lose its owner either: what the agent left is kept without it.
    const entry = contents === undefined && given.kind === 'agent' ? { ...given, value: undefined } : given;
    counts[entry.kind]++;
    highest = Math.max(highest, contents?.highest ?? 0);
    taken = taken.then(() => options.onEntry(entry));
    await taken;
    return contents ?? { floor: 0, highest: 0 };
  };
  for (const key of await store.read('list its settings', () => places.meta.keys('', within))) {
    const found = NO_SETTINGS.includes(key) ? undefined : await store.read('give a setting', () => places.meta.get(key, within));
    if (found !== undefined) await emit({ kind: 'setting', key, value: found.value });
  }
  await inParallel(agents, WIDTH, (agent) => takeAgent(options, places, store, agent, emit));
  await reachQuorum(options, places, store);
  return { counts, highest, corrupt: [...corrupt].sort().slice(0, MOST_NAMED) };
}

async function formationOf({ codec, subjects, storeMs }: BackupParts, { meta }: Places, store: Persistent): Promise<Formation> {
  const within = { timeoutMs: storeMs };
  const found = await store.read('say whether there is a cluster', async () => ({
    formed: await meta.get('formed', within),
    forming: await meta.get('forming', within),
    restoring: await meta.get('restoring', within),
  }));
  const where = { cluster: subjects.cluster };
  if (found.formed === undefined || found.forming === undefined)
    throw new NexaError('store-misconfigured', 'there is no cluster of this name', { where, fix: 'Name it with --cluster.' });
  if (found.restoring !== undefined)
    throw new NexaError('store-misconfigured', 'this cluster is being restored itself', { where, fix: 'Wait for that, or start it over.' });
  const { firstSequence, replicas } = codec.decode(found.forming.value) as Formation;
  const { layout } = codec.decode(found.formed.value) as { readonly layout: number };
  if (layout > LAYOUT)
    throw new NexaError('unknown-version', `this cluster has store layout ${layout}; this release knows ${LAYOUT}`, {
      where,
      fix: 'Use a newer release.',
    });
  if (layout < LAYOUT)
    throw new NexaError('store-misconfigured', `this cluster has store layout ${layout}, and not all stores of ${LAYOUT}`, {
      where,
      fix: 'Start one node of this release: it adds them.',
    });
  return { layout, replicas, firstSequence };
}

/** A server that is cut off from the others answers reads from what it had; it cannot take a write. @throws NexaError `unavailable` */
async function reachQuorum({ codec, clock, random, storeMs }: BackupParts, { meta }: Places, store: Persistent): Promise<void> {
  const within = { timeoutMs: storeMs };
  const value = codec.encode({ atMs: Math.floor(clock.wallMs()), id: random.id() });
  await store.write(
    'take a note of the backup',
    async () => {
      const found = await meta.get('backup', within);
      return found === undefined ? meta.create('backup', value, within) : meta.update('backup', value, found.revision, within);
    },
    async () => undefined,
  );
}

/** Every agent of which anything is stored. */
async function agentsIn({ storeMs }: BackupParts, places: Places, store: Persistent, corrupt: Set<string>): Promise<readonly string[]> {
  const within = { timeoutMs: storeMs };
  const found = new Set<string>();
  const list = async (run: () => Promise<readonly string[]>, agentOf = (key: string) => key): Promise<void> => {
    for (const key of await store.read('list what it has', run)) found.add(agentOf(key));
  };
  await list(() => places.agents.keys('', within));
  await list(() => places.state.keys('', within));
  await list(() => places.snapshots.keys('', within));
  await list(
    () => places.reminders.keys('', within),
    (key) => key.slice(0, Math.max(0, key.lastIndexOf('.'))),
  );
  for (const stream of ['journal', 'mailbox', 'dead'] as const) await list(() => places.agentsOf(stream, within));
  return [...found].sort().filter((agent) => {
    if (isAgent(agent)) return true;
    corrupt.add(agent);
    return false;
  });
}

/** Whoever may write into the stores may have left anything there. */
function isAgent(key: string): boolean {
  try {
    parseAgentKey(key);
    return true;
  } catch {
    return false;
  }
}
