import { stat } from 'node:fs/promises';
import { delimiter, join, resolve } from 'node:path';
import type { Environment } from '../programs/cache.ts';
import { cachedBinaries, serverCache } from './cached.ts';
import { type BinarySource, type Candidate, judge } from './candidate.ts';

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
  for (const path of await cachedBinaries(serverCache(env))) yield { path, source: 'cache' };
}

const exists = (path: string) =>
  stat(path).then(
    () => true,
    () => false,
  );
