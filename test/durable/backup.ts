import { createCodec } from '../../src/cluster/codec.ts';
import { subjects } from '../../src/cluster/subject.ts';
import { backUp } from '../../src/durable/backup/collect.ts';
import type { BackupEntry, BackupHeader, BackupSummary } from '../../src/durable/backup/entry.ts';
import type { BackupParts } from '../../src/durable/backup/places.ts';
import { type Restored, restore } from '../../src/durable/backup/restore.ts';
import type { MemoryNetwork } from '../../src/memory/network.ts';
import { seededRandom } from '../../src/memory/random.ts';
import type { Clock } from '../../src/ports/clock.ts';

/** A backup in memory. */
export interface Kept {
  readonly header: BackupHeader;
  readonly entries: readonly BackupEntry[];
  readonly summary: BackupSummary;
}
export const parts = (network: MemoryNetwork, clock: Clock, cluster: string): BackupParts => ({
  stores: network.connect('backup').stores,
  subjects: subjects(cluster),
  codec: createCodec(),
  clock,
  random: seededRandom(7),
  storeMs: 1_000,
});

export async function keepAll(from: BackupParts): Promise<Kept> {
  const entries: BackupEntry[] = [];
  let header: BackupHeader | undefined;
  const summary = await backUp({
    ...from,
    onHeader: async (given) => {
      header = given;
    },
    onEntry: async (entry) => void entries.push(entry),
  });
  if (header === undefined) throw new Error('a backup without a header');
  return { header, entries, summary };
}
export const restoreAll = (into: BackupParts, kept: Kept): Promise<Restored> =>
  restore({
    ...into,
    replicas: 1,
    summary: kept.summary,
    entries: async function* () {
      yield* kept.entries;
    },
    onWritten: () => undefined,
  });
