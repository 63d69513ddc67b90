import { mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ownedBy } from '../../../chaos/worlds/processes/owner.ts';

const NOBODY = { uid: 65_534, gid: 65_534 };

test.runIf(process.geteuid?.() === 0)('a folder is given away with all that is in it, and nothing that a link in it leads to', () => {
  const folder = mkdtempSync(join(tmpdir(), 'nexa-owner-'));
  try {
    mkdirSync(join(folder, 'theirs', 'deep'), { recursive: true });
    writeFileSync(join(folder, 'theirs', 'deep', 'file'), '');
    writeFileSync(join(folder, 'ours'), '');
    symlinkSync(join(folder, 'ours'), join(folder, 'theirs', 'link'));
    ownedBy(NOBODY)(join(folder, 'theirs'));
    for (const path of ['theirs', 'theirs/deep', 'theirs/deep/file']) expect(statSync(join(folder, path))).toMatchObject(NOBODY);
    expect(statSync(join(folder, 'ours')).uid).toBe(0);
    ownedBy(undefined)(join(folder, 'ours'));
    expect(statSync(join(folder, 'ours')).uid).toBe(0);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
