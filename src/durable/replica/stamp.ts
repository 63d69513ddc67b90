import { NexaError } from '../../errors.ts';
import { checkReplica, isCount, isReplica, misfit } from './plain.ts';

/**
 * A time of a hybrid logical clock (Kulkarni et al. 2014): the largest wall clock seen, a count within it, and who made it. Later than
 * every stamp its maker had seen, whatever wall clocks do; near real time as long as they are.
 */
export type Stamp = readonly [wallMs: number, count: number, replica: string];

export const compareStamps = (a: Stamp, b: Stamp): number => a[0] - b[0] || a[1] - b[1] || (a[2] < b[2] ? -1 : a[2] > b[2] ? 1 : 0);

/** The next stamp of a replica, after the last one it has seen. A wall clock that went back only makes the count go on. @throws NexaError `bad-id`. */
export function nextStamp(last: Stamp | undefined, nowMs: number, replica: string): Stamp {
  checkReplica(replica);
  const wallMs = Math.max(0, Math.floor(nowMs));
  return last === undefined || wallMs > last[0] ? [wallMs, 0, replica] : [last[0], last[1] + 1, replica];
}

/** @throws NexaError `invalid-message`. */
export function parseStamp(data: unknown, field: string): Stamp {
  if (!Array.isArray(data) || data.length !== 3 || !isCount(data[0]) || !isCount(data[1]) || !isReplica(data[2]))
    throw misfit(field, 'is no stamp [wallMs, count, replica]');
  return data as unknown as Stamp;
}

/** One replica whose clock is far ahead would win over everybody until they reach it. @throws NexaError `invalid-message`. */
export function checkDrift([wallMs, , replica]: Stamp, nowMs: number, mostAheadMs: number): void {
  if (wallMs - nowMs <= mostAheadMs) return;
  throw new NexaError('invalid-message', `a stamp of ${replica} is ${Math.round(wallMs - nowMs)} ms ahead; ${mostAheadMs} ms are allowed`, {
    where: { replica, field: 'at' },
    fix: `Set the clock of ${replica}, or the clock here.`,
  });
}
