import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { disk } from '../../../chaos/worlds/processes/stage/limits/disk.ts';
import { obtainNatsServer } from '../../../src/nats-server/obtain.ts';
import { run } from '../../../src/programs/run.ts';
import { report } from '../../live/support.ts';
import { machines } from './support.ts';

test('a server whose disk is full keeps what it acknowledged, acknowledges nothing more, says that it is not well, and goes on when it was freed', async (context) => {
  const namespace = ['-Urmpf', '--kill-child', '--mount-proc'];
  const allowed = await run('unshare', [...namespace, 'true'], { timeoutMs: 10_000 }).catch(() => undefined);
  if (allowed?.code !== 0) return context.skip('this machine lets nobody have mounts of his own');
  const { binary } = await obtainNatsServer({ env: process.env, replicated: false });
  const folder = mkdtempSync(join(tmpdir(), 'nexa-disk-'));
  try {
    const stage = fileURLToPath(new URL('disk-stage.mjs', import.meta.url));
    const ran = await run('unshare', [...namespace, process.execPath, stage, binary.path, folder], { timeoutMs: 90_000 });
    expect(ran.stderr).toBe('');
    report(`a full disk: ${ran.stdout.trim()}`);
    expect(JSON.parse(ran.stdout)).toMatchObject({
      before: { yes: 50 },
      whileFull: { unknown: 5 },
      healthyWhileFull: false,
      pidWhileFull: true,
      after: { yes: 50 },
      acked: 100,
      lost: 0,
    });
    // The disk was the namespace's own.
    expect(readdirSync(join(folder, 's1', 'store'))).toEqual([]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('no disk is filled where mounts would outlive the drill, nor where no plan asked for it', async () => {
  using outside = machines();
  const limit = await disk(outside);
  expect(limit.cannot()).toBe('without a namespace of its own a mount would outlive the drill');
  await expect(limit.apply({ act: 'fill-disk', server: 's1' })).rejects.toMatchObject({ code: 'unavailable' });
  await limit.prepare?.('s1');
  await limit.apply({ act: 'heal' });
  await limit.close?.();
  using unasked = machines({ ownMounts: true, wants: () => false });
  expect((await disk(unasked)).cannot()).toBe('the servers were not started for it');
});
