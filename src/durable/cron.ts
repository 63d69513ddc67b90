import { Cron } from 'croner';
import { NexaError } from '../errors.ts';

/** The instants that a cron expression names, by a calendar with time zones. */
export interface CronTimes {
  /** The first one later than this, to the second; undefined: there is none. */
  after(ms: number): number | undefined;
}

/** Five or six fields of plain cron. Left out: `?`, which means the moment of reading, and dates. */
const FIELDS = /^[-0-9A-Za-z*,/#+]+( [-0-9A-Za-z*,/#+]+){4,5}$/;
const NICKNAMES = /^@(yearly|annually|monthly|weekly|daily|midnight|hourly)$/;
const LONGEST = 128;
/** What a calendar can say at all. */
const LAST_MS = 8.64e15;

/**
 * Where clocks are put forward, a time of day that is left out comes with the first instant after the gap; where they are put back
 * it comes once. A list or a step (`0,30 * * * *`) follows the hands: nothing in a gap, and twice in the hour that comes twice.
 * @throws NexaError `invalid-definition` for what is no expression, no time zone, or never comes.
 */
export function cronTimes(expression: string, timeZone: string, nowMs: number): CronTimes {
  const refuse = (problem: string, cause?: unknown): never => {
    throw new NexaError('invalid-definition', `the cron expression ${JSON.stringify(expression.slice(0, LONGEST))} ${problem}`, {
      where: { cron: expression.slice(0, LONGEST), timeZone: timeZone.slice(0, 64) },
      fix: 'Give five fields (minute, hour, day, month, weekday) or six (second first), and a time zone such as Europe/Berlin.',
      ...(cause === undefined ? {} : { cause }),
    });
  };
  if (expression.length > LONGEST || !(FIELDS.test(expression) || NICKNAMES.test(expression))) refuse('is none');
  const spelled = (): Cron => {
    try {
      const cron = new Cron(expression, { timezone: timeZone, paused: true, mode: '5-or-6-parts' });
      if (cron.nextRun(new Date(nowMs)) === null) refuse('never comes');
      return cron;
    } catch (error) {
      if (error instanceof NexaError) throw error;
      return refuse(`cannot be read: ${error instanceof Error ? error.message : String(error)}`.slice(0, 400), error);
    }
  };
  const cron = spelled();
  return { after: (ms) => (ms >= LAST_MS ? undefined : cron.nextRun(new Date(ms))?.getTime()) };
}
