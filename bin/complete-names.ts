import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { argv, cwd, execArgv, execPath } from 'node:process';
import type { Environment } from '../supervisors/config.ts';
import { cacheFile, claim, readCache, writeCache } from './cache.ts';

/** What there is in the cluster to name. */
export interface Names {
  readonly nodes: readonly string[];
  readonly types: readonly string[];
  readonly agents: readonly string[];
  readonly topics: readonly string[];
}

const NONE: Names = { nodes: [], types: [], agents: [], topics: [] };
/** Names older than this are asked for again, */
const FRESH_MS = 5_000;
/** and up to this old they are the answer meanwhile; */
const RECENT_MS = 60_000;
/** older ones only if the cluster says nothing in time. */
const OLD_MS = 600_000;
/** How long a key may wait for the cluster. */
const WAIT_MS = 80;
const LOOK_EVERY_MS = 10;
/** How long asking it may take, in a process of its own. */
const ASK_MS = 3_000;
const MOST = 1_000;

/**
 * The names of the cluster that a command with these words would reach. Asking takes longer than a key may: a process of its own does it
 * and leaves the answer in the cache; `wait`: for so long as a key may, if there is no recent one.
 */
export async function liveNames(words: readonly string[], environment: Environment, { wait }: { readonly wait: boolean }): Promise<Names> {
  const server = serverWords(words);
  const file = fileFor(server, environment);
  const read = async (longestMs: number): Promise<Names | undefined> => namesIn(await readCache(environment, file, longestMs));
  const fresh = await read(FRESH_MS);
  if (fresh !== undefined) return fresh;
  const script = argv[1];
  if (script !== undefined && (await claim(environment, `${file}.asked`, ASK_MS)))
    spawn(execPath, [...execArgv, script, 'complete', '--refresh', ...server], { detached: true, stdio: 'ignore' }).unref();
  const recent = await read(RECENT_MS);
  if (recent !== undefined || !wait) return recent ?? NONE;
  for (let waitedMs = 0; waitedMs < WAIT_MS; waitedMs += LOOK_EVERY_MS) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    const answered = await read(FRESH_MS);
    if (answered !== undefined) return answered;
  }
  return (await read(OLD_MS)) ?? NONE;
}

/** Asks the cluster and keeps what it says; ends by itself, whatever does not answer. */
export async function refreshNames(server: readonly string[], environment: Environment): Promise<void> {
  const file = fileFor(server, environment);
  setTimeout(() => process.exit(1), ASK_MS);
  const given = Object.fromEntries(server.map((word) => [word.slice(2, word.indexOf('=')), word.slice(word.indexOf('=') + 1)]));
  try {
    const { readConfigFile } = await import('../supervisors/config-file.ts');
    const { serverOf } = await import('./options.ts');
    const { connect } = await import('../src/client.ts');
    const { agentsOf, nodesOf, record, typesOf } = await import('./shapes.ts');
    const named = given.config ?? environment.configFile;
    const { config } = await readConfigFile({ folder: cwd(), named, nexa: () => import('../index.ts') });
    const { cluster } = await connect(serverOf(given, environment, config));
    const [agents, nodes, types, said] = await Promise.all([
      cluster.list({ limit: MOST }),
      cluster.nodes(),
      cluster.types(),
      cluster.topics(),
    ]);
    const { topics } = record(said);
    await writeCache(environment, file, {
      agents: agentsOf(agents).map(({ type, id }) => `${type}/${id}`),
      nodes: nodesOf(nodes).flatMap(({ node, state }) => (state === 'gone' ? [] : [node])),
      types: typesOf(types).map(({ type }) => type),
      topics: (Array.isArray(topics) ? topics : []).map((row) => String(record(row).pattern)),
    });
    const asked = cacheFile(environment, `${file}.asked`);
    if (asked !== undefined) await rm(asked, { force: true });
  } catch {
    // Nobody is there to be told; a key asks again when the claim has lapsed.
  }
  // Without leave: nothing waits for an answer any more.
  process.exit();
}

const SERVER = ['--nats', '--cluster', '--config'] as const;
/** What of the words says where the cluster is: `--nats=…`. */
const serverWords = (words: readonly string[]): readonly string[] =>
  SERVER.flatMap((option) => {
    const index = words.indexOf(option);
    const value = index < 0 ? words.find((word) => word.startsWith(`${option}=`))?.slice(option.length + 1) : words[index + 1];
    return value === undefined || value === '' || (option === '--config' && words[0] === 'spawn') ? [] : [`${option}=${value}`];
  });

function fileFor(server: readonly string[], { natsUrl, cluster, configFile }: Environment): string {
  const where = JSON.stringify([cwd(), natsUrl, cluster, configFile, ...server]);
  return `names-${createHash('sha256').update(where).digest('hex').slice(0, 16)}.json`;
}

function namesIn(value: unknown): Names | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const list = (kind: keyof Names): readonly string[] => {
    const found = (value as Record<string, unknown>)[kind];
    return Array.isArray(found) ? found.filter((name) => typeof name === 'string').slice(0, MOST) : [];
  };
  return { nodes: list('nodes'), types: list('types'), agents: list('agents'), topics: list('topics') };
}
