import { chmod, mkdir, readdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { run } from '../../src/programs/run.ts';
import { type FoundTool, findTool, obtainTool, type Tool } from '../../src/programs/tool.ts';
import { FakeApt } from '../support/fake-apt.ts';

let machine: FakeApt;
beforeEach(async () => {
  machine = await FakeApt.open({
    simulate: 'echo "Inst libsaw4 (4.1 Debian:12/stable [amd64])"; echo "Inst saw (1.0 Debian:12/stable [amd64])"; echo "Conf saw (1.0)"',
    download: 'for name in $(echo "$*" | sed "s/.* download //"); do : > "$name"_1_amd64.deb; done',
  });
  // Each package has its own files; the program runs only where it finds the library.
  await machine.tool(
    'dpkg',
    `case "$2" in */saw_*) mkdir -p "$3/usr/sbin"; printf '#!/bin/sh\\n[ -n "$LD_LIBRARY_PATH" ] && [ -e "\${LD_LIBRARY_PATH%%%%:*}/libsaw.so.4" ] && echo saw 1\\n' > "$3/usr/sbin/saw"; chmod 755 "$3/usr/sbin/saw";;
     */libsaw4_*) mkdir -p "$3/usr/lib/test-linux-gnu/saw"; : > "$3/usr/lib/test-linux-gnu/libsaw.so.4"; : > "$3/usr/lib/test-linux-gnu/saw/teeth.so";; esac`,
  );
});
afterEach(() => machine.close());

const works = async ({ path, env }: FoundTool) =>
  (await run(path, [], { timeoutMs: 5_000, env })).stdout === 'saw 1\n' ? undefined : 'does not saw';
const saw: Tool = { package: 'saw', file: 'usr/sbin/saw', judge: works };
const options = () => ({ env: machine.env, osRelease: machine.osRelease });
const cache = () => join(machine.env.HOME, '.cache/nexa/tools');

test('a package is taken from the machine’s own release with the libraries that the machine lacks, once', async () => {
  expect(await findTool(saw, options())).toBeUndefined();
  const found = await obtainTool(saw, options());
  expect(found.path).toBe(join(cache(), `bookworm-${process.arch}-saw/usr/sbin/saw`));
  expect(await works(found)).toBeUndefined();
  expect(await machine.source()).toMatch(/ http:\/\/mirror\.test\/debian\/ bookworm main\n$/);
  const calls = await machine.calls();
  expect(calls).toMatch(/download saw libsaw4\n/);
  expect(await obtainTool(saw, options())).toEqual(found);
  expect(await machine.calls()).toBe(calls);
  expect(await readdir(cache())).toHaveLength(1);
});

test('one that is installed is taken as it is, unless it does not do', async () => {
  await machine.tool('saw', 'echo saw 1');
  expect(await obtainTool(saw, options())).toEqual({ path: join(machine.root, 'bin/saw'), env: {} });
  await machine.tool('saw', 'echo blunt');
  expect((await obtainTool(saw, options())).path).toContain(cache());
});

test('a library is found in the folder of the machine’s processor', async () => {
  const teeth: Tool = { package: 'libsaw4', file: 'usr/lib/*/saw/teeth.so', judge: async () => undefined };
  expect((await obtainTool(teeth, options())).path).toMatch(/libsaw4\/usr\/lib\/test-linux-gnu\/saw\/teeth\.so$/);
});

test('what is broken in the cache is passed over, by several at once too', async () => {
  const path = join(cache(), `bookworm-${process.arch}-saw/usr/sbin/saw`);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, 'half a download');
  await chmod(path, 0o755);
  const found = await Promise.all([1, 2, 3].map(() => obtainTool(saw, options())));
  for (const each of found) expect(await works(each)).toBeUndefined();
  expect(new Set(found.map((each) => each.path)).size).toBe(1);
  expect(await readdir(cache())).toHaveLength(2);
  expect(await obtainTool(saw, options())).toEqual(found[0]);
});

test.each([
  ['no network', { update: 'echo "E: Could not resolve" >&2; exit 100' }, /Could not resolve/],
  ['a package that cannot be installed', { simulate: 'echo "E: unmet dependencies" >&2; exit 100' }, /unmet dependencies/],
  ['a package without the file', { download: ': > saw_1_amd64.deb' }, /the fetched usr\/sbin\/saw does not saw/],
  ['half of an operating system', { simulate: 'for n in $(seq 40); do echo "Inst lib$n (1)"; done' }, /needs 40 packages/],
])('%s is a reason, names how to install it, and leaves nothing behind', async (_, broken, message) => {
  await machine.answer(broken);
  await expect(obtainTool(saw, options())).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringMatching(message),
    fix: 'Install it: apt-get install saw',
  });
  expect(await readdir(cache())).toEqual([]);
});
