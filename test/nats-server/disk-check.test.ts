import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { diskCheck, diskFinding } from '../../src/nats-server/disk-check.ts';
import { freePorts, portsCheck } from '../../src/nats-server/ports.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nexa-test-disk-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test('a disk that can be written is measured, and nothing is left on it', async () => {
  expect(await diskCheck(join(folder, 'new')).run()).toMatchObject({
    verdict: 'ok',
    message: expect.stringMatching(/free, fsync in [\d.]+ ms$/),
  });
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
  const ports = await freePorts(1, '127.0.0.1');
  expect(await portsCheck(ports, '127.0.0.1', '--nats-port').run()).toMatchObject({ verdict: 'ok' });
  const server = createServer();
  await new Promise<void>((resolve) => void server.listen(ports[0]?.client, '127.0.0.1', resolve));
  try {
    const refused = { code: 'conflict', where: { port: String(ports[0]?.client) }, fix: expect.stringContaining('--nats-port') };
    await expect(portsCheck(ports, '127.0.0.1', '--nats-port').run()).rejects.toMatchObject(refused);
  } finally {
    server.close();
  }
});
