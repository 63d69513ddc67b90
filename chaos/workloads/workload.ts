import { type Agents, type AskOptions, type Message, NexaError, type Random } from '../../index.ts';
import type { Operation } from '../history.ts';

/** A user's own workload: what clients do, and what must hold of what they saw. */
export interface Workload<Op extends Message, Result> {
  /** 1 … 64 of letters, digits, `_` and `-`; what `check` finds is reported under it. */
  readonly name: string;
  /** 1 … 1,000; each is asked at most 20 times a second. */
  readonly keys: number;
  /** What the key is asked next, drawn from its own random. A drill with the same seed asks the same. */
  next(random: Random, key: number): Op;
  /** Puts it to whatever stands for the key; `options` go on to the ask. */
  run(agents: Agents, key: number, op: Op, options: AskOptions): Promise<Result>;
  /** Names of violated promises; empty = holds. The history is in the order in which the calls began. */
  check(history: readonly Operation<Op, Result>[]): readonly string[];
}

export const MOST_KEYS = 1_000;
const NAME = /^[A-Za-z0-9_-]{1,64}$/;

/** The same, checked; settles the types of an operation and its result. @throws NexaError `invalid-definition` naming the field. */
export function workload<Op extends Message, Result>(given: Workload<Op, Result>): Workload<Op, Result> {
  const refuse = (field: string, what: string): never => {
    throw new NexaError('invalid-definition', `a workload’s ${field} is ${what}`, { where: { field } });
  };
  if (typeof given?.name !== 'string' || !NAME.test(given.name)) refuse('name', '1 … 64 of letters, digits, _ and -');
  if (!Number.isInteger(given.keys) || given.keys < 1 || given.keys > MOST_KEYS) refuse('keys', `a whole number, 1 … ${MOST_KEYS}`);
  for (const field of ['next', 'run', 'check'] as const) if (typeof given[field] !== 'function') refuse(field, 'a function');
  return given;
}
