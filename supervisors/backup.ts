import { createCodec } from '../src/cluster/codec.ts';
import { LAYOUT } from '../src/cluster/formation.ts';
import { subjects as subjectsOf } from '../src/cluster/subject.ts';
import { backUp } from '../src/durable/backup/collect.ts';
import type { BackupHeader, BackupSummary } from '../src/durable/backup/entry.ts';
import type { BackupParts } from '../src/durable/backup/places.ts';
import { type Restored, restore } from '../src/durable/backup/restore.ts';
import { NexaError } from '../src/errors.ts';
import { connectNats } from '../src/nats/connection.ts';
import type { Logger } from '../src/ports/logger.ts';
import { systemClock as clock } from '../src/system-clock.ts';
import { systemRandom as random } from '../src/system-random.ts';
import { readBackup, writeBackup } from './backup-file.ts';

const CONNECT_MS = 5_000;
const STORE_MS = 5_000;

export interface BackupJob {
  readonly nats: readonly string[];
  readonly cluster: string;
  readonly file: string;
  readonly log: Logger;
  /** How many of how many: agents when it is taken, records when it is restored. */
  readonly onProgress: (done: number, of: number) => void;
}
export interface BackedUp {
  readonly header: BackupHeader;
  readonly summary: BackupSummary;
  readonly bytes: number;
  readonly sha256: string;
}

/**
 * Writes all durable state of a cluster, at work or not, into one file that was not there.
 * @throws NexaError `disconnected`, `conflict`, `invalid-message` (the file), and as {@link backUp}. There is no file then.
 */
export async function takeBackup({ file, onProgress, ...job }: BackupJob): Promise<BackedUp> {
  return connected(job, 'nexa backup', async (parts) => {
    const writer = await writeBackup(file);
    try {
      let header: BackupHeader | undefined;
      let agents = 0;
      let done = 0;
      const summary = await backUp({
        ...parts,
        async onHeader(given, of) {
          header = given;
          agents = of;
          await writer.header(given);
        },
        async onEntry(entry) {
          await writer.entry(entry);
          if (entry.kind === 'agent') onProgress(++done, agents);
        },
      });
      const written = await writer.finish(summary);
      return { header: header as BackupHeader, summary, ...written };
    } catch (error) {
      await writer.discard();
      throw error;
    }
  });
}

export interface RestoreResult extends Restored {
  readonly header: BackupHeader;
  readonly summary: BackupSummary;
}

/**
 * Brings a backup into an empty cluster, which it forms with so many replicas if it is not there.
 * @throws NexaError `disconnected`, `corrupt-record` and `unknown-version` (of the file: nothing was restored), and as {@link restore}.
 */
export async function restoreBackup({
  file,
  onProgress,
  replicas,
  ...job
}: BackupJob & { readonly replicas: number | undefined }): Promise<RestoreResult> {
  const { header, summary, entries } = await readBackup(file);
  if (header.layout > LAYOUT)
    throw new NexaError('unknown-version', `a backup of store layout ${header.layout}; this release knows ${LAYOUT}`, {
      where: { file },
      fix: 'Use a newer release.',
    });
  const of = Object.values(summary.counts).reduce((sum, count) => sum + count, 0);
  let done = 0;
  return connected(job, 'nexa restore', async (parts) => ({
    header,
    summary,
    ...(await restore({ ...parts, replicas, summary, entries, onWritten: () => onProgress(++done, of) })),
  }));
}

async function connected<T>(
  { nats, cluster, log }: Pick<BackupJob, 'nats' | 'cluster' | 'log'>,
  name: string,
  run: (parts: BackupParts) => Promise<T>,
): Promise<T> {
  const subjects = subjectsOf(cluster);
  const link = await connectNats({ servers: nats, name, role: 'client', clock, random, log, connectWithinMs: CONNECT_MS });
  try {
    return await run({ stores: link.stores(), subjects, codec: createCodec(), clock, random, storeMs: STORE_MS });
  } finally {
    await link.close();
  }
}
