import { chmod, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { chooseTier } from '../../../../chaos/worlds/processes/net/choose-tier.ts';

// A machine whose programs are scripts: what is under test is what becomes of their refusals.
let bin: string;
beforeEach(async () => {
  bin = await mkdtemp(join(tmpdir(), 'nexa-tier-'));
});
afterEach(() => rm(bin, { recursive: true, force: true }));
const program = async (name: string, body: string) => {
  await writeFile(join(bin, name), `#!/bin/sh\n${body}\n`);
  await chmod(join(bin, name), 0o755);
};
const options = () => ({ env: { PATH: bin, HOME: bin } });

test.runIf(process.platform === 'linux')(
  'a machine that refuses namespaces and has no sudo gets proxies, and is told both reasons in a line each',
  async () => {
    await program('unshare', 'echo "unshare: write failed /proc/self/uid_map:" >&2; echo "Operation not permitted" >&2; exit 1');
    expect(await chooseTier(options())).toEqual({
      tier: 'proxies',
      enter: [],
      tools: undefined,
      refused: [
        { tier: 'namespaces', why: 'unshare: write failed /proc/self/uid_map: Operation not permitted' },
        { tier: 'sudo', why: expect.stringMatching(/^cannot run sudo: .*ENOENT/) },
      ],
    });
  },
);

test.runIf(process.platform === 'linux')(
  'sudo that wants a password is no sudo; one that was asked for is refused with what would help',
  async () => {
    await program('sudo', 'echo "sudo: a password is required" >&2; exit 1');
    await expect(chooseTier(options(), 'sudo')).rejects.toMatchObject({
      code: 'unavailable',
      message: 'this machine has no sudo: sudo: a password is required',
      fix: expect.stringContaining('without a password'),
      retryable: false,
    });
  },
);

test('proxies are had anywhere, and nothing is tried for them', async () => {
  expect(await chooseTier(options(), 'proxies')).toMatchObject({ tier: 'proxies', refused: [] });
  expect(await readdir(bin)).toEqual([]);
});
