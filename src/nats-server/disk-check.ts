import { mkdtemp, open, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import type { Check, Finding } from '../ports/check.ts';
import { requireWritable } from './data-folder.ts';

const CHECK_MS = 10_000;
const WRITES = 3;
const WRITE_BYTES = 4_096;
const MEBIBYTE = 1_048_576;
/** A server whose disk is full loses what it was asked to keep: it is not started on one that nearly is. */
const FREE_BYTES = { failed: 100 * MEBIBYTE, warning: 1_024 * MEBIBYTE } as const;
/** Every acknowledged write of class fsync waits for one; a lease is renewed each second. */
const FSYNC_MS = 250;

/** What was seen of the disk below a folder. Pure judgement. */
export function diskFinding(seen: { readonly folder: string; readonly freeBytes: number; readonly fsyncMs: number }): Finding {
  const { folder, freeBytes, fsyncMs } = seen;
  const where = { folder };
  const free = `${freeBytes >= 10 * 1_024 * MEBIBYTE ? `${Math.round(freeBytes / MEBIBYTE / 1_024)} GiB` : `${Math.round(freeBytes / MEBIBYTE)} MiB`} free`;
  const fix = 'Free some space, or choose a folder on another disk with --data.';
  if (freeBytes < FREE_BYTES.failed)
    return { verdict: 'failed', code: 'quota-exceeded', message: `only ${free} for the data folder`, fix, where };
  if (freeBytes < FREE_BYTES.warning) return { verdict: 'warning', message: `only ${free} for the data folder`, fix, where };
  if (fsyncMs > FSYNC_MS)
    return {
      verdict: 'warning',
      message: `an fsync takes ${Math.round(fsyncMs)} ms; ${free}`,
      fix: 'Use a faster disk for the data folder, above all with --fsync.',
      where,
    };
  return { verdict: 'ok', message: `writable, ${free}, fsync in ${fsyncMs.toFixed(1)} ms`, where };
}

/** Whether servers of ours can keep their state below a folder: it can be written, has room, and syncs in time. */
export function diskCheck(folder: string, look: { readonly freeBytes?: (folder: string) => Promise<number> } = {}): Check {
  const freeBytes = look.freeBytes ?? freeBytesOf;
  return {
    name: 'disk',
    required: true,
    timeoutMs: CHECK_MS,
    async run() {
      await requireWritable(folder);
      return diskFinding({ folder, freeBytes: await freeBytes(folder), fsyncMs: await fsyncMsOf(folder) });
    },
  };
}

async function freeBytesOf(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}

/** The median of three writes of one page. */
async function fsyncMsOf(folder: string): Promise<number> {
  const trial = await mkdtemp(join(folder, '.fsync-'));
  try {
    const file = await open(join(trial, 'page'), 'w', 0o600);
    try {
      const took: number[] = [];
      for (let write = 0; write < WRITES; write++) {
        const fromMs = performance.now();
        await file.write(Buffer.alloc(WRITE_BYTES, write), 0, WRITE_BYTES, 0);
        await file.sync();
        took.push(performance.now() - fromMs);
      }
      return took.sort((a, b) => a - b)[Math.floor(WRITES / 2)] as number;
    } finally {
      await file.close();
    }
  } finally {
    await rm(trial, { recursive: true, force: true });
  }
}
