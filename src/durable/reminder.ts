import { NexaError } from '../errors.ts';
import type { Codec } from '../ports/codec.ts';
import { fieldsOf, isWhole } from './record-fields.ts';
import type { FixedSchedule } from './schedule.ts';

/** What is stored of one reminder. Its message is kept encoded, as it was given: it is read again when it is due. */
export interface Reminder {
  /** Of the activation that wrote it last; none of an older epoch may change it. */
  readonly epoch: number;
  /** Fresh for every declaration, kept when it is advanced: due times of one declaration are compared with no other's. */
  readonly declared: string;
  readonly schedule: FixedSchedule;
  readonly message: Uint8Array;
  readonly dueAtMs: number;
  /** The latest due time that was carried out. */
  readonly firedAtMs: number | undefined;
}

/** Names are 1 … 64 bytes. */
export const NAME_BYTES = 64;
/** Of one agent; one more is refused. */
export const MOST_REMINDERS = 64;
/** Of an encoded message. */
export const MESSAGE_BYTES = 16_384;

const LAYOUT = 1;
/** Fields are only ever added at its end. */
export const encodeReminder = ({ epoch, declared, schedule, message, dueAtMs, firedAtMs }: Reminder, codec: Codec): Uint8Array =>
  codec.encode([LAYOUT, epoch, declared, schedule, message, dueAtMs, firedAtMs ?? null]);

/** @throws NexaError `corrupt-record`, `unknown-version`. */
export function decodeReminder(bytes: Uint8Array, codec: Codec, key: string): Reminder {
  const where = { store: 'REMINDERS', key };
  const [, epoch, declared, schedule, message, dueAtMs, firedAtMs] = fieldsOf(bytes, codec, 'a reminder', [LAYOUT], where);
  const declares = isWhole(epoch) && typeof declared === 'string' && isSchedule(schedule) && message instanceof Uint8Array;
  if (!declares || !isWhole(dueAtMs) || !(firedAtMs === null || isWhole(firedAtMs)))
    throw new NexaError('corrupt-record', 'a reminder with fields of the wrong kind', { where });
  return { epoch, declared, schedule, message, dueAtMs, firedAtMs: firedAtMs ?? undefined };
}

function isSchedule(value: unknown): value is FixedSchedule {
  if (typeof value !== 'object' || value === null) return false;
  const { atMs, everyMs, cron, timeZone } = value as Record<string, unknown>;
  if (cron !== undefined) return typeof cron === 'string' && typeof timeZone === 'string';
  return everyMs === undefined ? isWhole(atMs) : isWhole(everyMs) && everyMs > 0;
}
