import { readdir, rm, stat } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { NexaError, toNexaError } from '../errors.ts';
import { cacheFolder, type Environment, placesOf, stagingFolder, storeInCache } from './cache.ts';
import { readRelease } from './debian-mirror.ts';
import { type FetchOptions, unpackPackage } from './unpack-package.ts';

/** A file of a Debian package that something here needs: a program, or a library to be loaded into one. */
export interface Tool {
  /** The Debian package. */
  readonly package: string;
  /** Its path in that package, without the first slash; `*` stands for the machine's own folder of libraries. */
  readonly file: string;
  /** Why it does not do; undefined: it does. */
  readonly judge: (found: FoundTool) => Promise<string | undefined>;
}

export interface FoundTool {
  readonly path: string;
  /** What a process that uses it needs in its environment; empty for one that is installed. */
  readonly env: Readonly<Record<string, string>>;
}

const LONGEST_PATH_ENTRIES = 128;

/** One that does: installed on the machine, else in the project's own cache. */
export async function findTool(tool: Tool, { env, osRelease }: Pick<FetchOptions, 'env' | 'osRelease'>): Promise<FoundTool | undefined> {
  for (const path of await installed(tool, env)) {
    const found = { path, env: {} };
    if ((await tool.judge(found)) === undefined) return found;
  }
  for (const tree of placesOf(await treeOf(tool, env, osRelease))) {
    const cached = await inTree(tool, tree);
    if (cached !== undefined && (await tool.judge(cached)) === undefined) return cached;
  }
  return undefined;
}

/**
 * One that is there, else one from Debian's signed package, unpacked into the project's own cache without root.
 * @throws NexaError `unavailable`, `cancelled` by `signal`.
 */
export async function obtainTool(tool: Tool, options: FetchOptions): Promise<FoundTool> {
  return (await findTool(tool, options)) ?? (await fetchTool(tool, options));
}

async function fetchTool(tool: Tool, options: FetchOptions): Promise<FoundTool> {
  const { env, osRelease } = options;
  const folder = await treeOf(tool, env, osRelease);
  try {
    const staging = await stagingFolder(cacheFolder(env, 'tools'));
    try {
      const tree = await unpackPackage(tool.package, staging, options);
      await required(tool, tree);
      const works = async (place: string) => (await required(tool, place).catch(() => undefined)) !== undefined;
      return await required(tool, await storeInCache(tree, folder, works));
    } finally {
      await rm(staging, { recursive: true, force: true });
    }
  } catch (thrown) {
    const { code, message, where } = toNexaError(thrown, 'unavailable');
    if (code === 'cancelled') throw thrown;
    throw new NexaError('unavailable', `${tool.file} is not on this machine, and cannot be fetched: ${message}`, {
      where,
      retryable: false,
      fix: `Install it: apt-get install ${tool.package}`,
      cause: thrown,
    });
  }
}

async function required(tool: Tool, tree: string): Promise<FoundTool> {
  const found = await inTree(tool, tree);
  if (found === undefined) throw new NexaError('unavailable', `${tool.package} has no ${tool.file}`);
  const reason = await tool.judge(found);
  if (reason !== undefined) throw new NexaError('unavailable', `the fetched ${tool.file} ${reason}`);
  return found;
}

/** Of this machine's release and processor: what was fetched for another fits no library here. */
async function treeOf(tool: Tool, env: Environment, osRelease?: string): Promise<string> {
  const release = await readRelease(osRelease);
  return join(cacheFolder(env, 'tools'), `${release?.codename || 'unknown'}-${process.arch}-${tool.package}`);
}

async function installed({ file }: Tool, env: Environment): Promise<readonly string[]> {
  const name = file.slice(file.lastIndexOf('/') + 1);
  const onPath = file.includes('*')
    ? []
    : (env.PATH ?? '')
        .split(delimiter)
        .filter((folder) => folder.startsWith('/'))
        .slice(0, LONGEST_PATH_ENTRIES)
        .map((folder) => join(folder, name));
  const places = [...new Set([...onPath, ...(await expanded('/', file))])];
  const there = await Promise.all(places.map(isFile));
  return places.filter((_, index) => there[index]);
}

async function inTree({ file }: Tool, tree: string): Promise<FoundTool | undefined> {
  for (const path of await expanded(tree, file)) {
    if (!(await isFile(path))) continue;
    const libraries = [...(await libraryFolders(tree)), join(tree, 'usr/lib'), join(tree, 'lib')];
    return { path, env: { LD_LIBRARY_PATH: libraries.join(delimiter) } };
  }
  return undefined;
}

const expanded = async (root: string, file: string): Promise<readonly string[]> => {
  const [before = '', after] = file.split('*/');
  if (after === undefined) return [join(root, file)];
  return (await libraryFolders(root)).filter((folder) => folder.startsWith(join(root, before))).map((folder) => join(folder, after));
};

/** Debian has them one below the other, by processor: /usr/lib/x86_64-linux-gnu. */
async function libraryFolders(root: string): Promise<readonly string[]> {
  const folders = ['usr/lib', 'lib'].map((folder) => join(root, folder));
  const named = await Promise.all(
    folders.map(async (folder) =>
      (await readdir(folder).catch(() => [])).filter((name) => name.includes('-linux-gnu')).map((name) => join(folder, name)),
    ),
  );
  return named.flat();
}

const isFile = (path: string) =>
  stat(path).then(
    (found) => found.isFile(),
    () => false,
  );
