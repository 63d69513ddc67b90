import { constants } from 'node:fs';
import { access, readdir, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { NexaError } from '../errors.ts';
import { INSTALL_HELP } from './install-help.ts';
import { run } from './run.ts';
import { compareVersions, fitness, formatVersion, parseVersion, type Version } from './version.ts';

/** The environment variables this folder looks at, given by whoever may read the process's own. */
export type Environment = Readonly<Record<string, string | undefined>>;
export type BinarySource = 'NEXA_NATS_SERVER' | 'path' | 'folder' | 'cache';

/** One binary that was looked at, and what became of it. */
export interface Candidate {
  readonly path: string;
  readonly source: BinarySource;
  readonly verdict: 'taken' | 'refused';
  readonly version?: string;
  /** Why it was refused, or what is weaker than recommended. */
  readonly reason?: string;
}

export interface NatsServerBinary {
  readonly path: string;
  readonly source: BinarySource;
  readonly version: string;
  readonly warning?: string;
}

export interface Found {
  readonly binary: NatsServerBinary | undefined;
  /** In the order they were looked at; nothing after the taken one. */
  readonly candidates: readonly Candidate[];
}

export interface FindOptions {
  readonly env: Environment;
  /** Three servers, or one. Three need a newer version. */
  readonly replicated: boolean;
  /** Where package managers put it; PATH is looked at first. */
  readonly folders?: readonly string[];
}

const USUAL_FOLDERS = [
  '/usr/sbin',
  '/usr/bin',
  '/usr/local/bin',
  '/usr/local/sbin',
  '/opt/homebrew/bin',
  '/home/linuxbrew/.linuxbrew/bin',
  '/snap/bin',
];
const LONGEST_PATH_ENTRIES = 128;

/** `<cache>/nexa/nats-server`, holding one folder per version. */
export function cacheFolder(env: Environment): string {
  // XDG: a relative path there is to be ignored.
  const base = env.XDG_CACHE_HOME?.startsWith('/') ? env.XDG_CACHE_HOME : join(env.HOME || homedir(), '.cache');
  return join(base, 'nexa', 'nats-server');
}

/**
 * The first binary that fits: `NEXA_NATS_SERVER`, else PATH and the usual folders, else the project's own cache (newest first).
 * A binary named by `NEXA_NATS_SERVER` is the only one looked at: an explicit choice is obeyed or refused, never replaced.
 */
export async function findNatsServer(options: FindOptions): Promise<Found> {
  const candidates: Candidate[] = [];
  for await (const { path, source } of places(options)) {
    const candidate = await judge(path, source, options.replicated);
    candidates.push(candidate);
    if (candidate.verdict === 'refused') continue;
    const warning = candidate.reason === undefined ? {} : { warning: candidate.reason };
    return { binary: { path, source, version: candidate.version ?? '', ...warning }, candidates };
  }
  return { binary: undefined, candidates };
}

/** @throws NexaError `unavailable` naming every candidate and how to get a server, `store-misconfigured` if the explicit one is unfit. */
export async function requireNatsServer(options: FindOptions): Promise<NatsServerBinary> {
  const { binary, candidates } = await findNatsServer(options);
  if (binary !== undefined) return binary;
  const explicit = candidates.find(({ source }) => source === 'NEXA_NATS_SERVER');
  if (explicit !== undefined) throw explicitRefused(explicit);
  const seen = candidates.map(({ path, reason }) => `\n  ${path}: ${reason}`).join('');
  throw new NexaError('unavailable', `no nats-server that fits was found${seen}`, { retryable: false, fix: INSTALL_HELP });
}

/** What to throw when the binary named by `NEXA_NATS_SERVER` does not do. */
export function explicitRefused({ path, reason }: Candidate): NexaError {
  return new NexaError('store-misconfigured', `NEXA_NATS_SERVER names ${path}: ${reason}`, {
    where: { path },
    fix: 'Point NEXA_NATS_SERVER at a newer nats-server, or unset it so that Nexa looks for one.',
  });
}

async function* places({
  env,
  folders = USUAL_FOLDERS,
}: FindOptions): AsyncIterable<{ readonly path: string; readonly source: BinarySource }> {
  if (env.NEXA_NATS_SERVER) {
    yield { path: resolve(env.NEXA_NATS_SERVER), source: 'NEXA_NATS_SERVER' };
    return;
  }
  const seen = new Set<string>();
  const onPath = (env.PATH ?? '')
    .split(delimiter)
    .filter((folder) => folder.startsWith('/'))
    .slice(0, LONGEST_PATH_ENTRIES);
  const listed = [
    ...onPath.map((folder) => ({ folder, source: 'path' as const })),
    ...folders.map((folder) => ({ folder, source: 'folder' as const })),
  ];
  for (const { folder, source } of listed) {
    const path = join(folder, 'nats-server');
    if (seen.has(path) || !(await exists(path))) continue;
    seen.add(path);
    yield { path, source };
  }
  for (const path of await cached(env)) yield { path, source: 'cache' };
}

async function cached(env: Environment): Promise<readonly string[]> {
  const folder = cacheFolder(env);
  const names = await readdir(folder).catch(() => []);
  return names
    .map((name) => ({ name, version: /^\d/.test(name) ? parseVersion(name) : undefined }))
    .filter((entry): entry is { name: string; version: Version } => entry.version !== undefined)
    .sort((a, b) => compareVersions(b.version, a.version))
    .map(({ name }) => join(folder, name, 'nats-server'));
}

/** Runs it: a file of the right name may be empty, for another machine, or not a server at all. */
export async function judge(path: string, source: BinarySource, replicated: boolean): Promise<Candidate> {
  const refused = (reason: string): Candidate => ({ path, source, verdict: 'refused', reason });
  try {
    await access(path, constants.X_OK);
    if (!(await stat(path)).isFile()) return refused('is not a file');
  } catch {
    return refused((await exists(path)) ? 'is not executable' : 'does not exist');
  }
  const ran = await run(path, ['--version'], { timeoutMs: 5_000 }).catch((error: NexaError) => error);
  if (ran instanceof NexaError) return refused(`does not run: ${ran.message}`);
  const version = ran.code === 0 && /nats-server/i.test(ran.stdout) ? parseVersion(ran.stdout) : undefined;
  if (version === undefined) return refused('does not answer --version as nats-server does');
  const { fit, reason } = fitness(version, { replicated });
  return { path, source, verdict: fit ? 'taken' : 'refused', version: formatVersion(version), ...(reason === undefined ? {} : { reason }) };
}

const exists = (path: string) =>
  stat(path).then(
    () => true,
    () => false,
  );
