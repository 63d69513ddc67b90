import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { diskCheck, diskFinding } from '../../src/nats-server/disk-check.ts';
import { freePorts, portsCheck, type ServerPorts } from '../../src/nats-server/ports.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nexa-test-disk-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test('a disk that can be written is measured, and nothing is left on it', async () => {
  // How long it takes to sync, the others on this machine have a say in.
  const { verdict, message } = await diskCheck(join(folder, 'new'), { freeBytes: async () => 50_000 * 1_048_576 }).run();
  expect(`${verdict}: ${message}`).toMatch(/^(ok: writable, 49 GiB free, fsync in [\d.]+ ms|warning: an fsync takes \d+ ms; 49 GiB free)$/);
  expect(await readdir(join(folder, 'new'))).toEqual([]);
});

test('a folder that cannot be written is refused with the flag that chooses another', async () => {
  const file = join(folder, 'file');
  const readOnly = join(folder, 'read-only');
  await writeFile(file, '');
  await mkdir(readOnly);
  await chmod(readOnly, 0o500);
  // Whoever may write everywhere may write there too; nobody makes a folder in a file.
  const unwritable = process.getuid?.() === 0 ? join(file, 'data') : readOnly;
  await expect(diskCheck(unwritable).run()).rejects.toMatchObject({ code: 'store-misconfigured', fix: expect.stringContaining('--data') });
});

test('a disk that is nearly full fails, one that gets full is a warning, and so is a slow one', async () => {
  const mebibyte = 1_048_576;
  expect(await diskCheck(folder, { freeBytes: async () => 50 * mebibyte }).run()).toMatchObject({
    verdict: 'failed',
    code: 'quota-exceeded',
    message: 'only 50 MiB free for the data folder',
  });
  expect(diskFinding({ folder, freeBytes: 500 * mebibyte, fsyncMs: 1 }).verdict).toBe('warning');
  expect(diskFinding({ folder, freeBytes: 50_000 * mebibyte, fsyncMs: 900 })).toMatchObject({
    verdict: 'warning',
    message: expect.stringContaining('900 ms'),
  });
});

test('a taken port is a conflict that names it', async () => {
  const check = (ports: readonly ServerPorts[]) => portsCheck(ports, '127.0.0.1', '--nats-port').run();
  // What is free may be taken a moment later, by whoever else is on this machine.
  const looked = async () => (await check(await freePorts(1, '127.0.0.1')).catch(() => undefined))?.verdict;
  await expect.poll(looked, { timeout: 20_000 }).toBe('ok');
  const server = createServer();
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  try {
    const refused = { code: 'conflict', where: { port: String(port) }, fix: expect.stringContaining('--nats-port') };
    await expect(check([{ client: port, cluster: port, monitor: port }])).rejects.toMatchObject(refused);
  } finally {
    server.close();
  }
});
