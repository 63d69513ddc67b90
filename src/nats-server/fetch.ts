import { chmod, copyFile, mkdir, mkdtemp, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NexaError, toNexaError } from '../errors.ts';
import { debianMirror, readRelease } from './debian-mirror.ts';
import { cacheFolder, type Environment, judge, type NatsServerBinary } from './find.ts';
import { INSTALL_HELP } from './install-help.ts';
import { run } from './run.ts';

/** `percent` is of the running step, 0 to 100, where it can be told. */
export interface FetchProgress {
  readonly step: 'mirror' | 'index' | 'download' | 'unpack';
  readonly percent?: number;
}

export interface FetchOptions {
  readonly env: Environment;
  /** The Debian suite to take it from; the package needs nothing newer than this release's C library. */
  readonly suite?: string;
  /** For everything together. Default 180,000. */
  readonly timeoutMs?: number;
  readonly onProgress?: (progress: FetchProgress) => void;
  readonly osRelease?: string;
}

const DEBIAN_KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';
const STAGING = '.staging-';
const STAGING_KEPT_MS = 3_600_000;

/**
 * Fills the project's own cache with Debian's signed nats-server package: with the machine's own mirror, without root and without
 * touching the system's apt or dpkg state. Two processes may do so at once.
 * @throws NexaError `unavailable`, with every other way to get a server as its fix.
 */
export async function fetchNatsServer(options: FetchOptions): Promise<NatsServerBinary> {
  try {
    return await fetchFromDebian(options);
  } catch (thrown) {
    const error = toNexaError(thrown, 'unavailable');
    throw new NexaError('unavailable', `cannot fetch nats-server: ${error.message}`, {
      where: error.where,
      fix: INSTALL_HELP,
      cause: thrown,
    });
  }
}

async function fetchFromDebian({
  env,
  suite = 'forky',
  timeoutMs = 180_000,
  onProgress = () => {},
  osRelease,
}: FetchOptions): Promise<NatsServerBinary> {
  const release = await readRelease(osRelease);
  if (release?.id !== 'debian' || release.codename === '') throw new NexaError('unavailable', 'this machine is not a released Debian');
  const deadline = performance.now() + timeoutMs;
  const left = () => Math.max(1, Math.ceil(deadline - performance.now()));
  const work = await mkdtemp(join(tmpdir(), 'nexa-apt-'));
  try {
    const apt = await privateApt(work, env, left);
    onProgress({ step: 'mirror' });
    const mirror = (await debianMirror(release, { env, timeoutMs: left() })) ?? (await askMirrors(work, apt, release, env, left));
    if (mirror === undefined)
      throw new NexaError('unavailable', `no source labelled Debian with codename ${release.codename} is among this machine's apt sources`);
    const signedBy = await stat(DEBIAN_KEYRING).then(
      () => `[signed-by=${DEBIAN_KEYRING}] `,
      () => '',
    );
    await writeFile(join(work, 'sources.list'), `deb ${signedBy}${mirror} ${suite} main\n`);
    await apt('index', ['update'], onProgress, [
      `Dir::Etc::SourceList=${join(work, 'sources.list')}`,
      `Dir::Etc::SourceParts=${join(work, 'none')}`,
    ]);
    await apt('download', ['download', 'nats-server'], onProgress, [
      `Dir::Etc::SourceList=${join(work, 'sources.list')}`,
      `Dir::Etc::SourceParts=${join(work, 'none')}`,
    ]);
    onProgress({ step: 'unpack' });
    const packageFile = (await readdir(work)).find((name) => name.startsWith('nats-server_') && name.endsWith('.deb'));
    if (packageFile === undefined) throw new NexaError('unavailable', 'apt-get download left no package');
    await must('unpack', 'dpkg', ['-x', join(work, packageFile), join(work, 'tree')], { env, timeoutMs: left() });
    return await intoCache(join(work, 'tree', 'usr', 'sbin', 'nats-server'), cacheFolder(env));
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

type Apt = (
  step: FetchProgress['step'],
  args: readonly string[],
  onProgress: (progress: FetchProgress) => void,
  settings: readonly string[],
) => Promise<void>;

/** apt-get with lists, cache and preferences of its own; the machine's proxy and mirror settings stay in force. */
async function privateApt(work: string, env: Environment, left: () => number): Promise<Apt> {
  for (const folder of ['lists/partial', 'cache/archives/partial', 'none', 'tree']) await mkdir(join(work, folder), { recursive: true });
  const quoted = (path: string) => `"${join(work, path)}"`;
  const config = [
    // Hooks of container images that empty the system's package cache.
    '#clear APT::Update::Pre-Invoke;',
    '#clear APT::Update::Post-Invoke;',
    '#clear APT::Update::Post-Invoke-Success;',
    '#clear DPkg::Post-Invoke;',
    `Dir::State::Lists ${quoted('lists')};`,
    `Dir::Cache ${quoted('cache')};`,
    'Dir::Etc::Preferences "/dev/null";',
    `Dir::Etc::PreferencesParts ${quoted('none')};`,
    // As root apt would hand the transfer to a user who cannot see this folder; signatures are checked either way.
    'APT::Sandbox::User "root";',
    'APT::Status-Fd "3";',
    'Acquire::Languages "none";',
    'Acquire::PDiffs "false";',
    'Acquire::Retries "2";',
    'Acquire::http::Timeout "20";',
    'Acquire::https::Timeout "20";',
  ];
  await writeFile(join(work, 'apt.conf'), `${config.join('\n')}\n`);
  return async (step, args, onProgress, settings) => {
    onProgress({ step });
    const flags = ['-q', '-c', join(work, 'apt.conf'), ...settings.flatMap((setting) => ['-o', setting])];
    await must(step, 'apt-get', [...flags, ...args], {
      env,
      cwd: work,
      timeoutMs: left(),
      onStatus: (line) => {
        const percent = Number(/^dlstatus:\d+:([\d.]+):/.exec(line)?.[1]);
        if (Number.isFinite(percent)) onProgress({ step, percent: Math.min(100, percent) });
      },
    });
  };
}

/** On a machine that never fetched an index (a fresh container) apt cannot yet tell which source is Debian's: fetch it, privately. */
async function askMirrors(
  work: string,
  apt: Apt,
  release: { readonly id: string; readonly codename: string },
  env: Environment,
  left: () => number,
) {
  // A third-party source may be down; what counts is whether Debian's answered.
  await apt('mirror', ['update'], () => {}, []).catch(() => {});
  return debianMirror(release, { env, aptOptions: ['-c', join(work, 'apt.conf')], timeoutMs: left() });
}

async function must(step: string, command: string, args: readonly string[], options: Parameters<typeof run>[2]): Promise<void> {
  const ran = await run(command, args, { ...options, env: { ...options.env, LC_ALL: 'C', DEBIAN_FRONTEND: 'noninteractive' } });
  if (ran.code !== 0) {
    const said = (ran.stderr || ran.stdout).trim().slice(-800);
    throw new NexaError('unavailable', `${command} ${args.at(-1) === 'nats-server' ? 'download' : step} ended with ${ran.code}: ${said}`, {
      where: { step },
    });
  }
}

/** Atomic: a reader of the cache sees a whole binary or none; whoever comes second keeps the first one's if it runs. */
async function intoCache(unpacked: string, cache: string): Promise<NatsServerBinary> {
  const judged = await judge(unpacked, 'cache', false);
  if (judged.verdict === 'refused' || judged.version === undefined)
    throw new NexaError('unavailable', `the fetched nats-server ${judged.reason}`);
  await mkdir(cache, { recursive: true });
  await removeStale(cache);
  const folder = join(cache, judged.version);
  const path = join(folder, 'nats-server');
  const staging = await mkdtemp(join(cache, STAGING));
  try {
    // Copied, not renamed: the temporary folder may be on another file system.
    await copyFile(unpacked, join(staging, 'nats-server'));
    await chmod(join(staging, 'nats-server'), 0o755);
    await chmod(staging, 0o755);
    for (let attempt = 0; ; attempt += 1) {
      if ((await judge(path, 'cache', false)).verdict === 'taken') break;
      // Something broken is in the way: moved aside first, so that two repairers never delete each other's result.
      await rename(folder, `${staging}-broken`).catch(() => {});
      if (await renamed(staging, folder)) break;
      if (attempt === 5) throw new NexaError('unavailable', `cannot put nats-server into ${folder}`);
    }
  } finally {
    await rm(staging, { recursive: true, force: true });
    await rm(`${staging}-broken`, { recursive: true, force: true });
  }
  return { path, source: 'cache', version: judged.version, ...(judged.reason === undefined ? {} : { warning: judged.reason }) };
}

const renamed = (from: string, to: string) =>
  rename(from, to).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOTEMPTY' || error.code === 'EEXIST') return false;
      throw error;
    },
  );

/** What processes that were killed half-way left behind. */
async function removeStale(cache: string): Promise<void> {
  for (const name of (await readdir(cache)).filter((entry) => entry.startsWith(STAGING))) {
    const { mtimeMs } = await stat(join(cache, name)).catch(() => ({ mtimeMs: Number.POSITIVE_INFINITY }));
    if (Date.now() - mtimeMs > STAGING_KEPT_MS) await rm(join(cache, name), { recursive: true, force: true });
  }
}
