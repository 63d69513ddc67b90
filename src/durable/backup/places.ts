import { parseAgentKey, type Subjects } from '../../cluster/subject.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Codec } from '../../ports/codec.ts';
import type { Random } from '../../ports/random.ts';
import type { Blobs, Kv, Stores, Stream } from '../../ports/stores.ts';
import type { Subject } from '../../ports/transport.ts';

/** What a backup and a restore work on. */
export interface BackupParts {
  readonly stores: Stores;
  readonly subjects: Subjects;
  readonly codec: Codec;
  readonly clock: Clock;
  readonly random: Random;
  /** Longest single store operation. */
  readonly storeMs: number;
}

/** The stores of a cluster that hold what is durable. MEMBERS and SERVICES are of those who live. */
export interface Places {
  readonly meta: Kv;
  readonly agents: Kv;
  readonly state: Kv;
  readonly snapshots: Kv;
  readonly reminders: Kv;
  readonly members: Kv;
  readonly blobs: Blobs;
  readonly journal: Stream;
  readonly mailbox: Stream;
  readonly dead: Stream;
  /** An agent's subject in a stream, by its key. */
  subject(stream: StreamKind, agent: string): Subject;
  /** Which agents have records in a stream. */
  agentsOf(stream: StreamKind, options: { readonly timeoutMs: number }): Promise<readonly string[]>;
}
type StreamKind = 'journal' | 'mailbox' | 'dead';

export function placesOf({ stores, subjects }: BackupParts): Places {
  const kv = (name: Parameters<Subjects['store']>[0]): Kv => stores.kv(subjects.store(name));
  const stream = (name: 'JOURNAL' | 'MAILBOX' | 'DEAD'): Stream => stores.stream(subjects.store(name));
  const streams = { journal: stream('JOURNAL'), mailbox: stream('MAILBOX'), dead: stream('DEAD') };
  return {
    ...streams,
    meta: kv('META'),
    agents: kv('AGENTS'),
    state: kv('STATE'),
    snapshots: kv('SNAPSHOTS'),
    reminders: kv('REMINDERS'),
    members: kv('MEMBERS'),
    blobs: stores.blobs(subjects.store('BLOBS')),
    subject(kind, agent) {
      const { type, id } = parseAgentKey(agent);
      return subjects.record(kind, type, id);
    },
    async agentsOf(kind, options) {
      const all = subjects.recordAll(kind);
      const found = await streams[kind].subjects(all, options);
      return [...found.keys()].map((subject) => subject.slice(all.length - 1));
    },
  };
}
