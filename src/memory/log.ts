import type { Cancel } from '../actor/ref.ts';
import { NexaError } from '../errors.ts';
import type { StoreSpec, Written } from '../ports/stores.ts';
import { matchesSubject } from './subject-tree.ts';

export interface LogRecord {
  readonly sequence: number;
  readonly subject: string;
  readonly value: Uint8Array;
  /** A deletion: it has a sequence as every record, and no value. */
  readonly deleted: boolean;
}

export interface Append {
  readonly expected?: number;
  readonly recordId?: string;
  /** A repeat that has an expectation meets that first, and is refused: so do unreplicated streams, while replicated ones look at the id first. */
  readonly expectationFirst?: boolean;
  readonly deleted?: boolean;
  readonly nowMs: number;
}

const UNKNOWN: Written = { written: 'unknown' };
/** As JetStream's default: for so long a repeated record id is the same record. */
const DUPLICATE_WINDOW_MS = 120_000;
/** Older states per subject that a stale read may find. */
const REMEMBERED = 4;
const OVERHEAD_BYTES = 64;

/** What JetStream keeps of one stream: records in one rising sequence, compare-and-set per subject, record ids. No time and no faults in it. */
export class Log {
  readonly spec: StoreSpec;
  readonly createdAtMs: number;
  readonly #limitBytes: number;
  readonly #history: number;
  readonly #bySubject = new Map<string, LogRecord[]>();
  readonly #former = new Map<string, (LogRecord | undefined)[]>();
  readonly #ids = new Map<string, { readonly sequence: number; readonly atMs: number }>();
  readonly #listeners = new Set<(record: LogRecord) => void>();
  #lastSequence: number;
  #bytes = 0;

  constructor(spec: StoreSpec, options: { readonly createdAtMs: number; readonly limitBytes: number; readonly remembers: boolean }) {
    this.spec = spec;
    this.createdAtMs = options.createdAtMs;
    this.#limitBytes = options.limitBytes;
    this.#history = options.remembers ? REMEMBERED : 0;
    this.#lastSequence = (spec.firstSequence ?? 1) - 1;
  }

  /** @throws NexaError `quota-exceeded`, `mailbox-full` */
  append(subject: string, value: Uint8Array, options: Append): Written {
    const { expected, recordId, nowMs } = options;
    if (this.spec.kind === 'stream' && !this.spec.subjects?.some((filter) => matchesSubject(filter, subject))) return UNKNOWN;
    const stored = recordId === undefined ? undefined : this.#stored(recordId, nowMs);
    if (stored !== undefined && options.expectationFirst !== true) return { written: 'yes', revision: stored };
    const last = this.last(subject);
    const present = last?.sequence ?? 0;
    if (expected !== undefined && expected !== present) return present > expected ? { written: 'no' } : UNKNOWN;
    if (stored !== undefined) return { written: 'yes', revision: stored };
    const { mostPerSubject = Number.POSITIVE_INFINITY, name } = this.spec;
    if ((this.#bySubject.get(subject)?.length ?? 0) >= mostPerSubject)
      throw new NexaError('mailbox-full', `store ${name} holds as much of this subject as it may`, { where: { store: name } });
    const replaced = this.spec.kind === 'kv' && last !== undefined ? last.value.length + OVERHEAD_BYTES : 0;
    const grown = this.#bytes + value.length + OVERHEAD_BYTES - replaced;
    if (grown > this.#limitBytes)
      throw new NexaError('quota-exceeded', `store ${this.spec.name} is full`, { where: { store: this.spec.name } });
    this.#bytes = grown;
    const record: LogRecord = { sequence: ++this.#lastSequence, subject, value: value.slice(), deleted: options.deleted === true };
    this.#remember(subject, last);
    const records = this.#bySubject.get(subject);
    if (records === undefined || this.spec.kind === 'kv') this.#bySubject.set(subject, [record]);
    else records.push(record);
    if (recordId !== undefined) this.#ids.set(recordId, { sequence: record.sequence, atMs: nowMs });
    for (const listener of [...this.#listeners]) listener(record);
    return { written: 'yes', revision: record.sequence };
  }

  get lastSequence(): number {
    return this.#lastSequence;
  }
  last(subject: string): LogRecord | undefined {
    return this.#bySubject.get(subject)?.at(-1);
  }

  /** What `last` may have answered some time ago: `age` from 1, the newest of the past. Absence is as old as anything. */
  former(subject: string, age: number): LogRecord | undefined {
    if (this.spec.kind !== 'kv') return this.#bySubject.get(subject)?.at(-1 - age);
    return this.#former.get(subject)?.at(-age);
  }

  /** The first one at or after a sequence, on any subject that the filter matches. */
  next(filter: string, fromSequence: number): LogRecord | undefined {
    const literal = this.#bySubject.get(filter);
    if (literal !== undefined) return literal[firstAt(literal, fromSequence)];
    let first: LogRecord | undefined;
    for (const [subject, records] of this.#bySubject) {
      if (!matchesSubject(filter, subject)) continue;
      const found = records[firstAt(records, fromSequence)];
      if (found !== undefined && (first === undefined || found.sequence < first.sequence)) first = found;
    }
    return first;
  }

  /** Everything there is on the subjects that a test lets pass, in order. */
  records(wanted: (subject: string) => boolean, fromSequence = 0): LogRecord[] {
    const found: LogRecord[] = [];
    for (const [subject, records] of this.#bySubject) if (wanted(subject)) found.push(...records.slice(firstAt(records, fromSequence)));
    return found.sort((one, other) => one.sequence - other.sequence);
  }

  counts(filter: string): Map<string, number> {
    const counts = new Map<string, number>();
    for (const [subject, records] of this.#bySubject) if (matchesSubject(filter, subject)) counts.set(subject, records.length);
    return counts;
  }

  purge(filter: string, belowSequence: number): void {
    for (const [subject, records] of this.#bySubject) {
      if (!matchesSubject(filter, subject)) continue;
      for (const gone of records.splice(0, firstAt(records, belowSequence))) this.#bytes -= gone.value.length + OVERHEAD_BYTES;
      if (records.length === 0) this.#bySubject.delete(subject);
    }
  }

  remove(sequence: number): void {
    for (const [subject, records] of this.#bySubject) {
      const at = firstAt(records, sequence);
      if (records[at]?.sequence !== sequence) continue;
      for (const gone of records.splice(at, 1)) this.#bytes -= gone.value.length + OVERHEAD_BYTES;
      if (records.length === 0) this.#bySubject.delete(subject);
      return;
    }
  }

  onAppend(listener: (record: LogRecord) => void): Cancel {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  #stored(recordId: string, nowMs: number): number | undefined {
    for (const [id, { atMs }] of this.#ids) {
      if (nowMs - atMs < DUPLICATE_WINDOW_MS) break;
      this.#ids.delete(id);
    }
    return this.#ids.get(recordId)?.sequence;
  }

  #remember(subject: string, last: LogRecord | undefined): void {
    if (this.#history === 0 || this.spec.kind !== 'kv') return;
    const former = this.#former.get(subject) ?? [];
    this.#former.set(subject, former);
    former.push(last);
    if (former.length > this.#history) former.shift();
  }
}

function firstAt(records: readonly LogRecord[], sequence: number): number {
  let low = 0;
  let high = records.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((records[middle] as LogRecord).sequence < sequence) low = middle + 1;
    else high = middle;
  }
  return low;
}
