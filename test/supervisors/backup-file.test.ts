import { appendFile, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type BackupEntry, noCounts } from '../../src/durable/backup/entry.ts';
import { readBackup, writeBackup } from '../../supervisors/backup-file.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nexa-backup-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const header = { cluster: 'shop', createdAtMs: 1, layout: 3, firstSequence: 10 };
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const entries: readonly BackupEntry[] = [
  { kind: 'setting', key: 'k', value: bytes('v') },
  { kind: 'mail', agent: 'a.b', sequence: 12, value: bytes('\u0000\uffff') },
  { kind: 'state', agent: 'a.b', take: 1, value: new Uint8Array(100_000).fill(7) },
  { kind: 'object', agent: 'a.b', take: 1, name: 'o', value: new Uint8Array(0) },
  { kind: 'reminder', agent: 'a.b', take: 1, key: 'a.b.r', value: bytes('r') },
  { kind: 'agent', agent: 'a.b', take: 1, value: undefined, revision: 0, floor: 11 },
];
const counts = { ...noCounts(), setting: 1, mail: 1, state: 1, object: 1, reminder: 1, agent: 1 };
async function written(name: string): Promise<string> {
  const path = join(folder, name);
  const writer = await writeBackup(path);
  await writer.header(header);
  for (const entry of entries) await writer.entry(entry);
  await writer.finish({ counts, highest: 12, corrupt: [] });
  return path;
}
const code = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (error) => error,
  );

test('what is written is read', async () => {
  const path = await written('whole');
  const backup = await readBackup(path);
  expect(backup).toMatchObject({ header, summary: { counts, highest: 12, corrupt: [] } });
  for (let twice = 0; twice < 2; twice++) {
    const read: BackupEntry[] = [];
    for await (const entry of backup.entries()) read.push(entry);
    expect(read).toEqual(entries);
  }
});

test('a file that is there is not written over, and one that is given up leaves nothing', async () => {
  const path = await written('once');
  expect(await code(writeBackup(path))).toMatchObject({ code: 'conflict', definite: true, where: { file: path } });
  const writer = await writeBackup(join(folder, 'never'));
  await writer.header(header);
  await writer.discard();
  expect((await readdir(folder)).filter((name) => name.includes('never') || name.includes('partial'))).toEqual([]);
  expect(await code(writeBackup(join(folder, 'no/such/folder')))).toMatchObject({ code: 'invalid-message' });
  expect(await code(readBackup(join(folder, 'nothing')))).toMatchObject({ code: 'invalid-message' });
});

test('cut off anywhere, or with any byte changed, it is no backup', async () => {
  const whole = await readFile(await written('source'));
  const path = join(folder, 'damaged');
  const refused = { code: 'corrupt-record', definite: true, where: { file: path } };
  for (let cut = 0; cut < whole.length - 1; cut += 997) {
    await writeFile(path, whole.subarray(0, cut));
    expect(await code(readBackup(path)), `cut at ${cut}`).toMatchObject(refused);
  }
  for (let at = 0; at < whole.length - 1; at += 991) {
    const damaged = Buffer.from(whole);
    damaged[at] = (damaged[at] ?? 0) ^ 1;
    await writeFile(path, damaged);
    const error = await code(readBackup(path));
    expect(['corrupt-record', 'unknown-version'], `changed at ${at}`).toContain((error as { code: string } | undefined)?.code);
  }
  await writeFile(path, whole);
  await appendFile(path, '{}\n');
  expect(await code(readBackup(path))).toMatchObject(refused);
  await writeFile(path, '{"nexa":"backup","format":2}\n');
  expect(await code(readBackup(path))).toMatchObject({ code: 'unknown-version' });
  for (const rubbish of ['', 'x', '[]\n', '{}\n', '\u0000'.repeat(2_000_000)]) {
    await writeFile(path, rubbish);
    expect(await code(readBackup(path))).toMatchObject(refused);
  }
});
