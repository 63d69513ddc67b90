import { agentKey, type Subjects } from '../cluster/subject.ts';
import { NexaError } from '../errors.ts';
import type { Clock } from '../ports/clock.ts';
import type { Codec } from '../ports/codec.ts';
import type { Random } from '../ports/random.ts';
import type { Blobs, Kv, Stores, Stream } from '../ports/stores.ts';
import type { Subject } from '../ports/transport.ts';
import { BackOff } from './back-off.ts';
import { decodeRecord, type JournalRecord } from './journal-record.ts';
import { MissingStore } from './missing-store.ts';

export interface JournalAccess {
  readonly stores: Stores;
  readonly subjects: Subjects;
  readonly type: string;
  readonly id: string;
  readonly codec: Codec;
  readonly clock: Clock;
  readonly random: Random;
  /** Longest single store operation. */
  readonly storeMs: number;
  /** Of the activation. */
  readonly epoch: number;
  /** Aborted when this node incarnation is over or the activation was superseded: what is unresolved is given up then. */
  readonly signal: AbortSignal;
}

/** A record where it was read. */
export interface Found {
  readonly record: JournalRecord;
  readonly sequence: number;
  readonly bytes: number;
}

/** Where one agent's journal and snapshot are, with reads that are repeated until they are answered. */
export class JournalPlace {
  readonly access: JournalAccess;
  readonly stream: Stream;
  readonly subject: Subject;
  readonly snapshots: Kv;
  readonly blobs: Blobs;
  readonly key: string;

  constructor(access: JournalAccess) {
    const { stores, subjects, type, id } = access;
    this.access = access;
    this.stream = stores.stream(subjects.store('JOURNAL'));
    this.subject = subjects.record('journal', type, id);
    this.snapshots = stores.kv(subjects.store('SNAPSHOTS'));
    this.blobs = stores.blobs(subjects.store('BLOBS'));
    this.key = agentKey(type, id);
  }

  get within(): { readonly timeoutMs: number } {
    return { timeoutMs: this.access.storeMs };
  }
  /** What an error about a record names. */
  at(sequence: number): Readonly<Record<string, string>> {
    return { stream: this.access.subjects.store('JOURNAL'), subject: this.subject, sequence: String(sequence) };
  }
  get snapshotAt(): Readonly<Record<string, string>> {
    return { bucket: this.access.subjects.store('SNAPSHOTS'), key: this.key };
  }

  /** The last record, as far as the leader knows. */
  last(): Promise<Found | undefined> {
    return this.persistent(async () => this.found(await this.stream.last(this.subject, this.within)));
  }
  /** The first record at or after a sequence, as far as the leader knows. */
  next(fromSequence: number): Promise<Found | undefined> {
    return this.persistent(async () => this.found(await this.stream.next(this.subject, { fromSequence, ...this.within })));
  }
  found(read: { readonly record: Uint8Array; readonly sequence: number } | undefined): Found | undefined {
    if (read === undefined) return undefined;
    const record = decodeRecord(read.record, this.access.codec, this.at(read.sequence));
    return { record, sequence: read.sequence, bytes: read.record.byteLength };
  }

  /** Repeats what the store did not answer, until the activation is over; what is wrong with the answer is thrown. */
  async persistent<T>(read: () => Promise<T>): Promise<T> {
    const backOff = new BackOff(this.access);
    const missing = new MissingStore();
    for (;;) {
      this.requireLife();
      try {
        return await read();
      } catch (error) {
        if (!(error instanceof NexaError) || !['unavailable', 'disconnected', 'overloaded'].includes(error.code)) throw error;
        missing.heard(error);
      }
      await backOff.pause();
    }
  }
  /** @throws NexaError `fenced` once the activation is over. */
  requireLife(): void {
    if (this.access.signal.aborted) throw new NexaError('fenced', 'the activation is over', { where: { subject: this.subject } });
  }
  fencedBy(epoch: number): NexaError {
    return new NexaError('fenced', `epoch ${this.access.epoch} was overtaken by ${epoch}`, { where: { subject: this.subject } });
  }
}
