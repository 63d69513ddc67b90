import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type FetchProgress, fetchNatsServer } from '../../src/nats-server/fetch.ts';
import { findNatsServer } from '../../src/nats-server/find.ts';

// apt-get and dpkg are scripts here: what is under test is what we ask of them and what becomes of their answers.
let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'nexa-fetch-'));
  await mkdir(join(root, 'bin'));
  await writeFile(join(root, 'os-release'), 'PRETTY_NAME="Debian"\nID=debian\nVERSION_CODENAME=bookworm\n');
  await tool(
    'dpkg',
    'mkdir -p "$3/usr/sbin"; printf "#!/bin/sh\\necho nats-server: v2.15.1\\n" > "$3/usr/sbin/nats-server"; chmod 755 "$3/usr/sbin/nats-server"',
  );
  await apt();
});
afterEach(() => rm(root, { recursive: true, force: true }));

async function tool(name: string, body: string): Promise<void> {
  await writeFile(join(root, 'bin', name), `#!/bin/sh\necho "${name} $*" >> "${root}/calls"\n${body}\n`);
  await chmod(join(root, 'bin', name), 0o755);
}
/** An apt-get whose system knows its mirror at once or only after an update of one's own lists. */
async function apt({
  targets = 'echo "Repo-URI: http://mirror.test/debian/"',
  update = ':',
  download = ': > nats-server_2.15.1-1_amd64.deb',
} = {}): Promise<void> {
  await tool(
    'apt-get',
    `case "$*" in *indextargets*) ${targets};; *update*) ${update};; *download*) cp sources.list "${root}/sources.list"; echo 'dlstatus:1:50.5:x' >&3; ${download};; esac`,
  );
}
const env = () => ({ PATH: `${join(root, 'bin')}:/usr/bin:/bin`, HOME: join(root, 'home') });
const fetchIt = (options: { onProgress?: (progress: FetchProgress) => void; timeoutMs?: number; signal?: AbortSignal } = {}) =>
  fetchNatsServer({ env: env(), osRelease: join(root, 'os-release'), ...options });
const cache = () => join(root, 'home/.cache/nexa/nats-server');
const calls = () => readFile(join(root, 'calls'), 'utf8');

test('the machine’s own mirror and the given suite are used, and every step is reported', async () => {
  const steps: string[] = [];
  const binary = await fetchIt({ onProgress: ({ step, percent }) => steps.push(percent === undefined ? step : `${step} ${percent}`) });
  expect(binary).toEqual({ path: join(cache(), '2.15.1/nats-server'), source: 'cache', version: '2.15.1' });
  expect(await readFile(join(root, 'sources.list'), 'utf8')).toMatch(
    /^deb (\[signed-by=\S+\] )?http:\/\/mirror\.test\/debian\/ forky main\n$/,
  );
  expect(steps).toEqual(['mirror', 'index', 'download', 'download 50.5', 'unpack']);
  expect(await calls()).toContain('indextargets Label: Debian Codename: bookworm Created-By: Packages');
  expect(await readdir(cache())).toEqual(['2.15.1']);
  expect((await findNatsServer({ env: env(), replicated: true, folders: [] })).binary?.path).toBe(binary.path);
});

test('a machine that never fetched an index asks its sources privately first', async () => {
  await apt({
    targets: `case "$*" in *lists.conf*) echo "Repo-URI: http://late.test/debian/";; esac`,
    update: `case "$*" in *lists.conf*) exit 100;; esac`,
  });
  await fetchIt();
  expect(await readFile(join(root, 'sources.list'), 'utf8')).toContain('http://late.test/debian/ forky');
});

test('every apt-get that writes uses lists, cache and sources of its own', async () => {
  await fetchIt();
  for (const call of (await calls()).split('\n').filter((line) => /update|download/.test(line)))
    expect(call).toMatch(/-c \S+\.staging-\S+\/source\.conf/);
});

test.each([
  ['no Debian source', { targets: ':' }, /no apt source of this machine is Debian's bookworm/],
  ['a mirror that is no word', { targets: 'echo "Repo-URI: http://a b"' }, /no apt source/],
  [
    'a mirror that cannot be reached',
    { update: 'echo "E: Could not resolve" >&2; exit 100' },
    /apt-get update ended with 100: E: Could not resolve/,
  ],
  ['no such package', { download: 'echo "E: Unable to locate package" >&2; exit 100' }, /apt-get download ended with 100: E: Unable/],
  ['no file after a download', { download: ':' }, /left no package/],
])('%s is one clear error with the other ways as its fix, and leaves nothing behind', async (_, broken, message) => {
  await apt(broken);
  await expect(fetchIt()).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringMatching(message),
    fix: expect.stringContaining('brew install'),
  });
  expect(await readdir(cache())).toEqual([]);
});

test('a package whose server does not run is not kept', async () => {
  await tool('dpkg', 'mkdir -p "$3/usr/sbin"; : > "$3/usr/sbin/nats-server"; chmod 755 "$3/usr/sbin/nats-server"');
  await expect(fetchIt()).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringContaining('the fetched nats-server does not'),
  });
  expect(await readdir(cache())).toEqual([]);
});

test('a fetch that hangs ends at its bound, and one that is cancelled ends at once', async () => {
  await apt({ update: 'sleep 30 & wait' });
  await expect(fetchIt({ timeoutMs: 300 })).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringContaining('was not done'),
  });
  const controller = new AbortController();
  const fetching = fetchIt({ signal: controller.signal, onProgress: ({ step }) => step === 'index' && controller.abort() });
  await expect(fetching).rejects.toMatchObject({ code: 'cancelled' });
  expect(await readdir(cache())).toEqual([]);
});

test('fetches at the same time agree on one whole binary', async () => {
  const binaries = await Promise.all([fetchIt(), fetchIt(), fetchIt(), fetchIt()]);
  expect(new Set(binaries.map(({ path }) => path)).size).toBe(1);
  expect(await readdir(cache())).toEqual(['2.15.1']);
});

test('a broken binary in the cache is replaced, by several at once too', async () => {
  await mkdir(join(cache(), '2.15.1'), { recursive: true });
  await writeFile(join(cache(), '2.15.1/nats-server'), 'half a download');
  await Promise.all([fetchIt(), fetchIt(), fetchIt()]);
  expect((await findNatsServer({ env: env(), replicated: true, folders: [] })).binary?.version).toBe('2.15.1');
  expect(await readdir(cache())).toEqual(['2.15.1']);
});

test('a cache that cannot be written is a clear error', async () => {
  await writeFile(join(root, 'home'), 'a file');
  await expect(fetchIt()).rejects.toMatchObject({ code: 'unavailable', message: expect.stringContaining('cannot fetch nats-server') });
});
