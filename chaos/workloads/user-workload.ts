import type { Message } from '../../index.ts';
import { NexaError } from '../../src/errors.ts';
import { verdictOf } from '../checkers/verdict.ts';
import { operationsOf } from './asked.ts';
import { drive } from './drive.ts';
import { keyedWork } from './keyed.ts';
import { outcomesOf } from './outcomes.ts';
import type { WorkKind } from './work.ts';
import { type Workload, workload } from './workload.ts';

/** Keys that are asked at a time; with more of them each is visited, and left for the next. */
const LANES = 12;
const VISIT = 20;
const PER_SECOND = 6;
const CLIENTS = 2;

/**
 * A user's workload as one of ours. It is judged under its own name; a `check` that throws, or answers anything but a list of texts, is an
 * error and not a pass.
 * @throws NexaError `invalid-definition` for one that is none; what `start` and `check` give throws it, too.
 */
export function userWorkload<Op extends Message, Result>(own: Workload<Op, Result>): WorkKind {
  const given = workload(own);
  const { name, keys } = given;
  const lanes = Math.min(LANES, keys);
  return {
    name,
    about: 'a workload of the user',
    start: (scene) =>
      keyedWork<Op, Result>(scene, (calls) => ({
        ...{ name, lanes, perSecond: PER_SECOND, clients: CLIENTS },
        keyOf: (turn) => visited(turn, lanes, keys),
        ...(keys > lanes ? { perTurn: VISIT } : {}),
        prepare: async () => undefined,
        drive: (options) => drive({ ...options, retries: 0, next: (random, key) => trying(name, 'next', () => given.next(random, key)) }),
        ask: (key, op, options) => calls.by(key, (client) => given.run(client, key, op, options)),
        finals: async () => null,
      })),
    check: (record) => {
      const violations: unknown = trying(name, 'check', () => given.check(operationsOf(record)));
      if (!Array.isArray(violations) || violations.some((each) => typeof each !== 'string'))
        throw mistaken(name, 'check', 'answered something that is no list of texts');
      return [{ promise: name, by: 'its own check', verdict: verdictOf(violations as readonly string[]) }, outcomesOf(record)];
    },
  };
}

/** The keys of a lane one after the other, again and again. */
function visited(turn: number, lanes: number, keys: number): number {
  const lane = turn % lanes;
  const ofLane = Math.ceil((keys - lane) / lanes);
  return lane + lanes * (Math.floor(turn / lanes) % ofLane);
}

function trying<T>(name: string, field: string, run: () => T): T {
  try {
    return run();
  } catch (cause) {
    throw mistaken(name, field, `threw: ${cause instanceof Error ? cause.message : String(cause)}`, cause);
  }
}

const mistaken = (name: string, field: string, what: string, cause?: unknown): NexaError =>
  new NexaError('invalid-definition', `${field} of the workload ${name} ${what}`, {
    where: { workload: name, field },
    ...(cause === undefined ? {} : { cause }),
  });
