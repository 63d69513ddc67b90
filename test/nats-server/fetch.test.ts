import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type FetchProgress, fetchNatsServer } from '../../src/nats-server/fetch.ts';
import { findNatsServer } from '../../src/nats-server/find.ts';
import { type AptAnswers, FakeApt } from '../support/fake-apt.ts';

let machine: FakeApt;
const download = ': > nats-server_2.15.1-1_amd64.deb';
const apt = (answers: AptAnswers) => machine.answer({ download, ...answers });
beforeEach(async () => {
  machine = await FakeApt.open({ download });
  await machine.tool(
    'dpkg',
    'mkdir -p "$3/usr/sbin"; printf "#!/bin/sh\\necho nats-server: v2.15.1\\n" > "$3/usr/sbin/nats-server"; chmod 755 "$3/usr/sbin/nats-server"',
  );
});
afterEach(() => machine.close());

const fetchIt = (options: { onProgress?: (progress: FetchProgress) => void; timeoutMs?: number; signal?: AbortSignal } = {}) =>
  fetchNatsServer({ env: machine.env, osRelease: machine.osRelease, ...options });
const cache = () => join(machine.env.HOME, '.cache/nexa/nats-server');

test('the machine’s own mirror and the given suite are used, and every step is reported', async () => {
  const steps: string[] = [];
  const binary = await fetchIt({ onProgress: ({ step, percent }) => steps.push(percent === undefined ? step : `${step} ${percent}`) });
  expect(binary).toEqual({ path: join(cache(), '2.15.1/nats-server'), source: 'cache', version: '2.15.1' });
  expect(await machine.source()).toMatch(/^deb (\[signed-by=\S+\] )?http:\/\/mirror\.test\/debian\/ forky main\n$/);
  expect(steps).toEqual(['mirror', 'index', 'download', 'download 50.5', 'unpack']);
  expect(await machine.calls()).toContain('indextargets Label: Debian Codename: bookworm Created-By: Packages');
  expect(await readdir(cache())).toEqual(['2.15.1']);
  expect((await findNatsServer({ env: machine.env, replicated: true, folders: [] })).binary?.path).toBe(binary.path);
});

test('a machine that never fetched an index asks its sources privately first', async () => {
  await apt({
    targets: `case "$*" in *lists.conf*) echo "Repo-URI: http://late.test/debian/";; esac`,
    update: `case "$*" in *lists.conf*) exit 100;; esac`,
  });
  await fetchIt();
  expect(await machine.source()).toContain('http://late.test/debian/ forky');
});

test('every apt-get that writes uses lists, cache and sources of its own', async () => {
  await fetchIt();
  for (const call of (await machine.calls()).split('\n').filter((line) => /update|download/.test(line)))
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
  await machine.tool('dpkg', 'mkdir -p "$3/usr/sbin"; : > "$3/usr/sbin/nats-server"; chmod 755 "$3/usr/sbin/nats-server"');
  await expect(fetchIt()).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringContaining('the fetched nats-server does not'),
  });
  expect(await readdir(cache())).toEqual([]);
});

test('a fetch that hangs ends at its bound, and one that is cancelled ends at once', async () => {
  await apt({ update: 'sleep 30 & wait' });
  // Enough for what comes before it.
  await expect(fetchIt({ timeoutMs: 2_000 })).rejects.toMatchObject({
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

test('a broken binary in the cache is passed over, by several at once too', async () => {
  await mkdir(join(cache(), '2.15.1'), { recursive: true });
  await writeFile(join(cache(), '2.15.1/nats-server'), 'half a download');
  const fetched = await Promise.all([fetchIt(), fetchIt(), fetchIt()]);
  const { binary } = await findNatsServer({ env: machine.env, replicated: true, folders: [] });
  expect(binary).toMatchObject({ path: join(cache(), '2.15.1_2/nats-server'), version: '2.15.1' });
  expect(new Set(fetched.map(({ path }) => path))).toEqual(new Set([binary?.path]));
  expect(await readdir(cache())).toEqual(['2.15.1', '2.15.1_2']);
});

test('a cache in which every place has a broken one says what to remove', async () => {
  for (const suffix of ['', '_2', '_3', '_4', '_5']) {
    await mkdir(join(cache(), `2.15.1${suffix}`), { recursive: true });
    await writeFile(join(cache(), `2.15.1${suffix}/nats-server`), 'half a download');
  }
  await expect(fetchIt()).rejects.toMatchObject({ code: 'unavailable', message: expect.stringContaining('does not run') });
  expect(await readdir(cache())).toHaveLength(5);
});

test('a cache that cannot be written is a clear error', async () => {
  await writeFile(machine.env.HOME, 'a file');
  await expect(fetchIt()).rejects.toMatchObject({ code: 'unavailable', message: expect.stringContaining('cannot fetch nats-server') });
});
