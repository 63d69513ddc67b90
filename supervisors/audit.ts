import { createCodec } from '../src/cluster/codec.ts';
import { inParallel } from '../src/cluster/in-parallel.ts';
import { decodeAgent } from '../src/cluster/place.ts';
import { anySubject, parseAgentKey, type StoreName, subjects as subjectsOf } from '../src/cluster/subject.ts';
import { decodeState } from '../src/durable/fenced-state.ts';
import { decodeRecord } from '../src/durable/journal-record.ts';
import { toNexaError } from '../src/errors.ts';
import type { Clock } from '../src/ports/clock.ts';
import type { Codec } from '../src/ports/codec.ts';
import type { Stores } from '../src/ports/stores.ts';

const LOGS = ['AGENTS', 'STATE', 'JOURNAL'] as const satisfies readonly StoreName[];
export type AuditedStore = (typeof LOGS)[number];
type Within = { readonly timeoutMs: number };

/** One durable record of an agent, as it was written. */
export interface Audited {
  /** type/id */
  readonly agent: string;
  /** Of the activation that wrote it; of a record in AGENTS its own revision, which is the epoch of whoever it names. */
  readonly epoch: number;
  /** The node incarnation of that activation, `n1.7`; absent where its record in AGENTS was not seen, or names nobody. */
  readonly by?: string;
  readonly what: string;
  readonly log: AuditedStore;
  /** When it was seen first, on the given clock. */
  readonly atMs: number;
  /** Of a record in AGENTS that names an owner: why it is there. */
  readonly cause?: string;
}

/** Follows what a cluster writes down of its agents, from outside. */
export interface Audit {
  /**
   * Reads through the leader what is there by now, so that nothing that stayed is missed, however late the watches are. Resolves when that is
   * done or `timeoutMs` is over; what could not be read is a doubt.
   */
  finish(options: { readonly timeoutMs: number }): Promise<void>;
  /** In the order of each store, one store after the other: two stores have no order in common. */
  records(): readonly Audited[];
  /** Why it is not the whole truth: records that nobody can read, a store that was rolled back, more than fits. */
  readonly doubts: readonly string[];
  /** Idempotent. */
  close(): void;
}

interface Seen extends Audited {
  readonly revision: number;
  /** What tells this write from any other. */
  readonly recordId: string;
}

/** Sentences kept. */
const MOST_DOUBTS = 100;
/** Leader reads at once, and the longest of them. */
const READS = 16;
const READ_MS = 2_000;
const PAUSE_MS = 200;

/**
 * Watches may begin again after an election or a lost connection, and repeat what they told, or leave out what was overwritten meanwhile. Each record is
 * therefore known by the revision that its store gave it: a repeat is nothing new, and the order is that of the revisions, whenever they were seen.
 *
 * @param options.limit most records that are kept; default 500,000. Beyond it nothing is added, and a doubt says so.
 */
export function auditStores(options: {
  readonly stores: Stores;
  readonly cluster: string;
  readonly clock: Clock;
  readonly limit?: number;
}): Audit {
  const { stores, clock, limit = 500_000 } = options;
  const subjects = subjectsOf(options.cluster);
  const codec = createCodec();
  const seen = { AGENTS: new Map<number, Seen>(), STATE: new Map<number, Seen>(), JOURNAL: new Map<number, Seen>() };
  const doubts = new Set<string>();
  const closing = new AbortController();
  const doubt = (sentence: string): void => {
    if (doubts.size < MOST_DOUBTS) doubts.add(sentence);
  };

  const take = (log: AuditedStore, key: string, value: Uint8Array, revision: number): void => {
    try {
      const { type, id } = parseAgentKey(key);
      const agent = `${type}/${id}`;
      const read = READERS[log](value, { codec, key, revision });
      const known = seen[log].get(revision);
      if (known !== undefined) {
        if (known.recordId !== read.recordId)
          doubt(`${log} ${revision} was "${known.what}" of ${known.agent} and later "${read.what}" of ${agent}: the store was rolled back`);
      } else if (seen.AGENTS.size + seen.STATE.size + seen.JOURNAL.size >= limit)
        doubt(`more than ${limit} records were written: the rest was not looked at`);
      else seen[log].set(revision, { agent, ...read, log, revision, atMs: clock.monotonicMs() });
    } catch (thrown) {
      const { code, message } = toNexaError(thrown, 'corrupt-record');
      doubt(`${log} ${key} at ${revision}: ${code}: ${message}`);
    }
  };

  const root = subjects.recordAll('journal').slice(0, -1);
  const kv = { AGENTS: stores.kv(subjects.store('AGENTS')), STATE: stores.kv(subjects.store('STATE')) };
  const journal = stores.stream(subjects.store('JOURNAL'));
  const watches = (['AGENTS', 'STATE'] as const).map((log) =>
    kv[log].watch('', (change) => {
      if (change.kind === 'put') take(log, change.key, change.value, change.revision);
    }),
  );
  const follow = async (): Promise<void> => {
    const all = journal.read(subjects.recordAll('journal'), { afterSequence: 0, signal: closing.signal });
    for await (const { subject, record, sequence } of all) take('JOURNAL', subject.slice(root.length), record, sequence);
  };
  follow().catch((thrown) => doubt(`JOURNAL could not be followed: ${toNexaError(thrown).message}`));

  /** Repeats a read until it comes through; undefined: it did not in time. */
  const patiently = async <T>(untilMs: number, run: (within: Within) => Promise<T>): Promise<{ readonly got: T } | undefined> => {
    for (;;) {
      const leftMs = untilMs - clock.monotonicMs();
      if (leftMs <= 0 || closing.signal.aborted) return undefined;
      try {
        return { got: await run({ timeoutMs: Math.min(READ_MS, leftMs) }) };
      } catch {
        await new Promise<void>((resolve) => void clock.after(PAUSE_MS, resolve));
      }
    }
  };

  const present = {
    AGENTS: kvRecords('AGENTS'),
    STATE: kvRecords('STATE'),
    JOURNAL: {
      names: async (within: Within) => [...(await journal.subjects(subjects.recordAll('journal'), within)).keys()],
      read: async (subject: string, within: Within) => {
        const last = await journal.last(anySubject(subject), within);
        if (last !== undefined) take('JOURNAL', subject.slice(root.length), last.record, last.sequence);
      },
    },
  };
  function kvRecords(log: 'AGENTS' | 'STATE') {
    return {
      names: (within: Within) => kv[log].keys('', within),
      read: async (key: string, within: Within) => {
        const found = await kv[log].get(key, within);
        if (found !== undefined) take(log, key, found.value, found.revision);
      },
    };
  }

  return {
    get doubts() {
      return [...doubts];
    },
    finish: async ({ timeoutMs }) => {
      const untilMs = clock.monotonicMs() + timeoutMs;
      for (const log of LOGS) {
        const { names, read } = present[log];
        const listed = await patiently(untilMs, names);
        if (listed === undefined) doubt(`${log} did not say within ${timeoutMs} ms what it has`);
        await inParallel(listed?.got ?? [], READS, async (name) => {
          if ((await patiently(untilMs, (within) => read(name, within))) === undefined)
            doubt(`${log} ${name} could not be read within ${timeoutMs} ms`);
        });
      }
    },
    records: () => {
      const owners = new Map([...seen.AGENTS.values()].map(({ agent, epoch, by }) => [`${agent} ${epoch}`, by]));
      return LOGS.flatMap((log) =>
        [...seen[log].values()]
          .sort((a, b) => a.revision - b.revision)
          .map(({ revision: _, recordId: __, ...record }) => {
            const by = owners.get(`${record.agent} ${record.epoch}`);
            return by === undefined ? record : { ...record, by };
          }),
      );
    },
    close: () => {
      closing.abort();
      for (const cancel of watches) cancel();
    },
  };
}

/** What is to be known of a record, from its bytes. @throws NexaError `corrupt-record`, `unknown-version`. */
const READERS: Readonly<
  Record<
    AuditedStore,
    (
      bytes: Uint8Array,
      at: { readonly codec: Codec; readonly key: string; readonly revision: number },
    ) => Pick<Seen, 'epoch' | 'by' | 'what' | 'cause' | 'recordId'>
  >
> = {
  AGENTS: (bytes, { codec, key, revision }) => {
    const { owner, nonce, desired, cause } = decodeAgent(bytes, codec, key);
    const what = owner === undefined ? `${desired}, nobody's` : 'ownership';
    if (owner === undefined) return { epoch: revision, what, recordId: nonce };
    return { epoch: revision, by: `${owner.node}.${owner.incarnation}`, what, cause, recordId: nonce };
  },
  STATE: (bytes, { codec, key }) => {
    const { epoch, n, state, recordId } = decodeState(bytes, codec, key);
    return { epoch, what: state === undefined ? `deletion ${n}` : `state ${n}`, recordId };
  },
  JOURNAL: (bytes, { codec, key }) => {
    const { epoch, n, deleted, recordId } = decodeRecord(bytes, codec, { key });
    return { epoch, what: deleted === undefined ? `journal record ${n}` : `journal deletion ${n}`, recordId };
  },
};
