import { decodeAgent } from '../../cluster/place.ts';
import { NexaError } from '../../errors.ts';
import type { Codec } from '../../ports/codec.ts';
import { decodeState } from '../fenced-state.ts';
import { decodeRecord, type JournalRecord } from '../journal-record.ts';
import { decodeReminder } from '../reminder.ts';
import { decodeSnapshot } from '../snapshot-record.ts';
import type { BackupEntry } from './entry.ts';

/** What a backup has to know of a record that it takes as it is. */
export interface Contents {
  /** Mail up to this sequence was handled. */
  readonly floor: number;
  /** The highest epoch or sequence in it. */
  readonly highest: number;
  /** The object that a snapshot names. */
  readonly object?: string;
}
const NOTHING: Contents = { floor: 0, highest: 0 };

/**
 * Undefined: it is corrupt. It is taken all the same, and its agent is quarantined after a restore as it is before.
 * @throws NexaError `unknown-version`: what a newer release wrote cannot be judged.
 */
export function contentsOf(entry: BackupEntry, codec: Codec): Contents | undefined {
  try {
    return read(entry, codec);
  } catch (error) {
    if (error instanceof NexaError && error.code === 'unknown-version') throw error;
    return undefined;
  }
}

function read(entry: BackupEntry, codec: Codec): Contents {
  switch (entry.kind) {
    case 'state': {
      const { epoch, kept } = decodeState(entry.value, codec, entry.agent);
      return { floor: kept.floor, highest: Math.max(epoch, kept.floor) };
    }
    case 'snapshot': {
      const { epoch, kept, state } = decodeSnapshot(entry.value, codec, { agent: entry.agent });
      return { floor: kept.floor, highest: Math.max(epoch, kept.floor), ...(typeof state === 'string' ? { object: state } : {}) };
    }
    case 'journal': {
      const record = decodeRecord(entry.value, codec, { agent: entry.agent });
      const floor = floorOf(record);
      return { floor, highest: Math.max(record.epoch, floor) };
    }
    case 'reminder':
      return { floor: 0, highest: decodeReminder(entry.value, codec, entry.key).epoch };
    case 'mail':
    case 'dead':
      return { floor: 0, highest: entry.kind === 'mail' ? entry.sequence : 0 };
    case 'agent':
      if (entry.value !== undefined) decodeAgent(entry.value, codec, entry.agent);
      return { floor: entry.floor, highest: entry.revision };
    default:
      return NOTHING;
  }
}

const floorOf = ({ source, deleted }: JournalRecord): number =>
  Math.max(deleted?.floor ?? 0, source !== undefined && 'mail' in source ? source.mail.sequence : 0);
