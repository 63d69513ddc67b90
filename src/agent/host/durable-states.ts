import { agentKey } from '../../cluster/subject.ts';
import type { DurableState } from '../../durable/durable-state.ts';
import { FencedState, type FenceOptions, forgetState } from '../../durable/fenced-state.ts';
import { forgetJournal } from '../../durable/forget-journal.ts';
import { Journal } from '../../durable/journal.ts';
import type { JournalAccess } from '../../durable/journal-place.ts';
import type { SnapshotTroubles } from '../../durable/snapshot-troubles.ts';
import { type AnyAgent, implementationOf } from '../define.ts';
import { foldingOf } from './journaled-state.ts';
import { lifted } from './stored-state.ts';

/** What of an agent is where, and for which epoch. */
export type DurableAccess = JournalAccess;

const fence = (access: DurableAccess, version: number): FenceOptions => ({
  ...access,
  kv: access.stores.kv(access.subjects.store('STATE')),
  key: agentKey(access.type, access.id),
  version,
});

/**
 * Opens an agent's durable state with its fence; undefined of a type that has none. `given` is what it was spawned with, `config` what
 * that came to.
 * @throws NexaError: what is stored cannot be read, or is not ours. Nothing was overwritten then.
 */
export async function openState(
  definition: AnyAgent,
  access: DurableAccess,
  { given, config, troubles }: { readonly given: unknown; readonly config: unknown; readonly troubles: SnapshotTroubles },
): Promise<DurableState | undefined> {
  const { storage, eventSourcing, initial } = implementationOf(definition);
  const { id } = access;
  if (storage !== 'durable') return undefined;
  if (eventSourcing === undefined)
    return FencedState.open(fence(access, definition.version), (stored) => lifted(definition, id, stored, () => initial({ id, config })));
  return Journal.open({ ...access, folding: foldingOf(definition, id, given), snapshotEvery: eventSourcing.snapshotEvery, troubles });
}

/** Deletes it by a tombstone of that epoch; of a type that is not known here whichever is stored. */
export async function deleteState(definition: AnyAgent | undefined, access: DurableAccess): Promise<void> {
  const journaled = definition === undefined ? undefined : implementationOf(definition).eventSourcing !== undefined;
  if (journaled !== true) await forgetState(fence(access, 0));
  if (journaled !== false) await forgetJournal(access);
}
