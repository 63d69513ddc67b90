import type { DurableState } from './durable-state.ts';
import { type Folded, type Folding, foldRecord } from './folding.ts';
import { append } from './journal-append.ts';
import { type Found, type JournalAccess, JournalPlace } from './journal-place.ts';
import type { JournalRecord } from './journal-record.ts';
import { counted, type Replayed, replay } from './journal-replay.ts';
import { type Kept, keep } from './kept.ts';
import { patiently } from './misfit.ts';
import type { SnapshotTroubles } from './snapshot-troubles.ts';
import { Snapshots } from './snapshots.ts';
import type { Turn } from './turn.ts';

export interface JournalOptions extends JournalAccess {
  readonly folding: Folding;
  /** After so many events, or bytes of records, since the last one. */
  readonly snapshotEvery: { readonly events: number; readonly bytes: number };
  /** Of all journals of the node. */
  readonly troubles: SnapshotTroubles;
}

/**
 * The state as the fold of a journal, one record a turn. Opening it appends a fence behind the last record replayed: what the owner
 * before appends from then on does not meet its expectation.
 */
export class Journal implements DurableState {
  readonly #options: JournalOptions;
  readonly #place: JournalPlace;
  readonly #snapshots: Snapshots;
  #replayed: Replayed;

  private constructor(options: JournalOptions, place: JournalPlace, replayed: Replayed) {
    this.#options = options;
    this.#place = place;
    this.#replayed = replayed;
    this.#snapshots = new Snapshots(place, options.folding.version, replayed.snapshot, options.troubles);
    this.#snapshotIfDue();
  }

  get state(): unknown {
    return this.#replayed.folded.state;
  }
  get kept(): Kept {
    return this.#replayed.folded.kept;
  }

  /**
   * @throws NexaError `fenced` (a higher epoch was read, or the activation is over); `corrupt-record`, `unknown-version` naming stream,
   *   subject and sequence, or bucket and key: nothing was written then.
   */
  static open(options: JournalOptions): Promise<Journal> {
    const { folding, epoch, random } = options;
    const place = new JournalPlace(options);
    return patiently(place, async () => {
      let replayed = await replay(place, folding);
      for (;;) {
        const { folded } = replayed;
        const record: JournalRecord = {
          recordId: random.id(),
          epoch,
          n: folded.n + 1,
          version: folding.version,
          ...(folded.state === undefined ? { begins: { config: folding.config } } : {}),
          events: [],
        };
        const appended = await append(place, record, folded.sequence);
        if ('stored' in appended) {
          const found = { record, sequence: appended.stored, bytes: appended.bytes };
          return new Journal(options, place, counted(replayed, found, foldRecord(place, folding, folded, found)));
        }
        // Somebody was faster: what was appended meanwhile is replayed, and the fence tried anew behind it.
        for (let found: Found | undefined = appended.foreign; found !== undefined; found = await place.next(found.sequence + 1))
          replayed = counted(replayed, found, foldRecord(place, folding, replayed.folded, found));
      }
    });
  }

  async commit(turn: Turn): Promise<void> {
    const { folding, epoch, random } = this.#options;
    const { folded } = this.#replayed;
    const record: JournalRecord = {
      recordId: random.id(),
      epoch,
      n: folded.n + 1,
      version: folding.version,
      events: turn.events ?? [],
      request: turn.request,
      source: turn.source,
    };
    const appended = await append(this.#place, record, folded.sequence);
    if (!('stored' in appended)) throw this.#place.fencedBy(appended.foreign.record.epoch);
    const { recordId, n } = record;
    const found = { record, sequence: appended.stored, bytes: appended.bytes };
    const after: Folded = { recordId, epoch, n, sequence: appended.stored, state: turn.state, kept: keep(folded.kept, turn) };
    this.#replayed = counted(this.#replayed, found, after);
    this.#snapshotIfDue();
  }

  /** Resolves when no snapshot is under way. */
  settled(): Promise<void> {
    return this.#snapshots.settled();
  }

  #snapshotIfDue(): void {
    const { snapshotEvery } = this.#options;
    const { events, bytes, folded } = this.#replayed;
    if (events < snapshotEvery.events && bytes < snapshotEvery.bytes) return;
    if (this.#snapshots.begin(folded)) this.#replayed = { ...this.#replayed, events: 0, bytes: 0 };
  }
}
