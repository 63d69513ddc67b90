import { NexaError } from '../errors.ts';
import { BackOff } from './back-off.ts';
import type { Folded } from './folding.ts';
import type { JournalPlace } from './journal-place.ts';
import { readSnapshot, type StoredSnapshot } from './journal-replay.ts';
import { decodeSnapshot, encodeSnapshot, type SnapshotRecord } from './snapshot-record.ts';
import type { SnapshotTroubles } from './snapshot-troubles.ts';

/** A larger snapshot keeps its state in an object of its own. */
export const INLINE_BYTES = 524_288;
/** Then it is left to the next one that is due. */
const TRIES = 5;

/**
 * Writes an agent's snapshots, one at a time and beside its turns, and purges what they hold from its journal: after the snapshot was
 * acknowledged, below its last record, never that itself.
 */
export class Snapshots {
  readonly #place: JournalPlace;
  readonly #version: number;
  readonly #troubles: SnapshotTroubles;
  #stored: StoredSnapshot | undefined;
  #writing: Promise<void> | undefined = undefined;

  constructor(place: JournalPlace, version: number, stored: StoredSnapshot | undefined, troubles: SnapshotTroubles) {
    this.#place = place;
    this.#version = version;
    this.#troubles = troubles;
    this.#stored = stored;
  }

  /** False: one is under way. Whatever becomes of it, nothing is lost by it, and its troubles are told. */
  begin(folded: Folded): boolean {
    if (this.#writing !== undefined) return false;
    this.#writing = this.#write(folded)
      .then(
        () => this.#troubles.stored(),
        (error) => this.#troubles.failed(error, this.#place.snapshotAt),
      )
      .finally(() => {
        this.#writing = undefined;
      });
    return true;
  }
  /** Resolves when none is under way. */
  async settled(): Promise<void> {
    await this.#writing;
  }

  async #write(folded: Folded): Promise<void> {
    const place = this.#place;
    const { recordId, epoch, n, sequence, kept } = folded;
    const { codec } = place.access;
    const state = codec.encode(folded.state);
    const inline = state.byteLength <= INLINE_BYTES;
    // The record names it, so what is written under it is always the same.
    const object = `${place.key}.${recordId}`;
    if (!inline) await place.blobs.put(object, state, place.within);
    const record: SnapshotRecord = { recordId, epoch, n, version: this.#version, sequence, state: inline ? state : object, kept };
    const outcome = await this.#store(record, encodeSnapshot(record, codec));
    this.#stored = outcome.stored;
    if (outcome.stored.record.recordId !== recordId) {
      if (!inline) await place.blobs.delete(object, place.within);
      return;
    }
    await place.stream.purge(place.subject, { belowSequence: sequence, ...place.within });
    const former = outcome.replaced?.record.state;
    if (typeof former === 'string' && former !== object) await place.blobs.delete(former, place.within);
  }

  /** What is stored by then: this one, or a later one. @throws NexaError `unavailable`: nobody knows. */
  async #store(
    record: SnapshotRecord,
    bytes: Uint8Array,
  ): Promise<{ readonly stored: StoredSnapshot; readonly replaced?: StoredSnapshot | undefined }> {
    const place = this.#place;
    const backOff = new BackOff(place.access);
    let present = this.#stored;
    for (let tries = 0; tries < TRIES; tries++) {
      place.requireLife();
      if (present !== undefined && isLater(present.record, record)) return { stored: present };
      const written =
        present === undefined
          ? await place.snapshots.create(place.key, bytes, place.within)
          : await place.snapshots.update(place.key, bytes, present.revision, place.within);
      if (written.written === 'yes') return { stored: { record, revision: written.revision }, replaced: present };
      const found = await readSnapshot(place);
      if (found?.record.recordId === record.recordId) return { stored: found, replaced: present };
      // A read that shows less than before is late.
      if (found !== undefined && found.revision > (present?.revision ?? 0)) present = found;
      else await backOff.pause();
    }
    throw new NexaError('unavailable', `the store did not say ${TRIES} times whether it has it`, {
      definite: false,
      where: place.snapshotAt,
    });
  }

  /** Deletes what is stored, an object included. @throws NexaError if that is not known to be done. */
  static async delete(place: JournalPlace): Promise<void> {
    const backOff = new BackOff(place.access);
    for (let tries = 0; tries < TRIES; tries++) {
      const found = await place.snapshots.get(place.key, place.within);
      if (found === undefined) return;
      const object = objectIn(place, found.value);
      const deleted = await place.snapshots.delete(place.key, found.revision, place.within);
      if (deleted.written === 'yes' && object !== undefined) await place.blobs.delete(object, place.within);
      if (deleted.written === 'yes') return;
      await backOff.pause();
    }
    throw new NexaError('unavailable', 'a snapshot of deleted state may be left', { definite: false, where: place.snapshotAt });
  }
}

const isLater = (one: SnapshotRecord, other: SnapshotRecord): boolean =>
  one.epoch > other.epoch || (one.epoch === other.epoch && one.n >= other.n);

/** The object that a snapshot names; what cannot be read names none. */
function objectIn(place: JournalPlace, value: Uint8Array): string | undefined {
  try {
    const { state } = decodeSnapshot(value, place.access.codec, place.snapshotAt);
    return typeof state === 'string' ? state : undefined;
  } catch {
    return undefined;
  }
}
