import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { findNatsServer } from '../../src/nats-server/find.ts';
import { obtainNatsServer } from '../../src/nats-server/obtain.ts';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'nexa-find-'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

/** A file at `path` under the root; a script unless told otherwise. */
async function place(path: string, script: string, mode = 0o755): Promise<string> {
  const file = join(root, path);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, script);
  await chmod(file, mode);
  return file;
}
const server = (version: string) => `#!/bin/sh\necho "nats-server: v${version}"\n`;
const find = (env: Record<string, string>, replicated = true) =>
  findNatsServer({ env: { PATH: join(root, 'path'), HOME: join(root, 'home'), ...env }, replicated, folders: [join(root, 'folder')] });

test('NEXA_NATS_SERVER comes before everything else', async () => {
  const chosen = await place('own/nats-server', server('2.15.1'));
  await place('path/nats-server', server('2.15.1'));
  const { binary, candidates } = await find({ NEXA_NATS_SERVER: chosen });
  expect(binary).toEqual({ path: chosen, source: 'NEXA_NATS_SERVER', version: '2.15.1' });
  expect(candidates).toHaveLength(1);
});

test('an unfit NEXA_NATS_SERVER is refused, never replaced by another binary', async () => {
  const chosen = await place('own/nats-server', server('2.9.10'));
  await place('path/nats-server', server('2.15.1'));
  const { binary, candidates } = await find({ NEXA_NATS_SERVER: chosen });
  expect(binary).toBeUndefined();
  expect(candidates).toMatchObject([{ verdict: 'refused', version: '2.9.10', reason: expect.stringContaining('2.11.0') }]);
  await expect(obtainNatsServer({ env: { NEXA_NATS_SERVER: chosen }, replicated: true })).rejects.toMatchObject({
    code: 'store-misconfigured',
    fix: expect.stringContaining('unset'),
  });
});

test('PATH comes before the usual folders, these before the cache, and of the cache the newest', async () => {
  const order = [
    await place('path/nats-server', server('2.9.10')),
    await place('folder/nats-server', server('2.10.27')),
    await place('home/.cache/nexa/nats-server/2.15.1/nats-server', server('2.1.0')),
    await place('home/.cache/nexa/nats-server/2.9.30/nats-server', server('2.12.8')),
  ];
  const { binary, candidates } = await find({});
  expect(candidates.map(({ path }) => path)).toEqual(order);
  expect(candidates.map(({ source, verdict }) => `${source} ${verdict}`)).toEqual([
    'path refused',
    'folder refused',
    'cache refused',
    'cache taken',
  ]);
  expect(binary?.path).toBe(order[3]);
});

test('an older version is good enough, with a warning, where nothing is replicated', async () => {
  await place('path/nats-server', server('2.10.27'));
  expect((await find({}, false)).binary).toMatchObject({ version: '2.10.27', warning: expect.stringContaining('2.12.8') });
  expect((await find({}, true)).binary).toBeUndefined();
});

test('XDG_CACHE_HOME moves the cache, and is ignored if it is relative', async () => {
  const elsewhere = await place('xdg/nexa/nats-server/2.15.1/nats-server', server('2.15.1'));
  expect((await find({ XDG_CACHE_HOME: join(root, 'xdg') })).binary?.path).toBe(elsewhere);
  expect((await find({ XDG_CACHE_HOME: 'xdg' })).binary).toBeUndefined();
});

test('what cannot be a nats-server is refused with its reason', async () => {
  const reasons = async (path: string) => (await find({ NEXA_NATS_SERVER: path })).candidates[0]?.reason;
  expect(await reasons(join(root, 'nothing'))).toBe('does not exist');
  expect(await reasons(root)).toBe('is not a file');
  expect(await reasons(await place('a/nats-server', server('2.15.1'), 0o644))).toBe('is not executable');
  expect(await reasons(await place('b/nats-server', ''))).toMatch(/does not/);
  expect(await reasons(await place('c/nats-server', '#!/bin/sh\necho nginx 2.15.1\n'))).toMatch(/does not answer/);
  expect(await reasons(await place('d/nats-server', '#!/bin/sh\necho nats-server: v2.15.1\nexit 3\n'))).toMatch(/does not answer/);
  expect(await reasons(await place('e/nats-server', '\x7fELF not really'))).toMatch(/does not/);
});

test('relative and empty entries of PATH are not searched', async () => {
  await place('nats-server', server('2.15.1'));
  const { candidates } = await findNatsServer({ env: { PATH: `:.:${join(root, 'none')}`, HOME: root }, replicated: true, folders: [] });
  expect(candidates).toEqual([]);
});

test('without any server the error names what was refused and the exact commands', async () => {
  await place('path/nats-server', server('2.9.10'));
  const osRelease = await place('os-release', 'ID=ubuntu\nVERSION_CODENAME="noble"\n', 0o644);
  const env = { PATH: join(root, 'path'), HOME: join(root, 'home') };
  await expect(obtainNatsServer({ env, replicated: true, folders: [], osRelease })).rejects.toMatchObject({
    code: 'unavailable',
    retryable: false,
    message: expect.stringMatching(/2\.9\.10 is below 2\.11\.0[\s\S]*not a released Debian/),
    fix: expect.stringMatching(/apt-get install[\s\S]*docker compose up/),
  });
});
