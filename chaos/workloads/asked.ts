import type { Verdict } from '../checkers/verdict.ts';
import type { Operation } from '../history.ts';
import type { Calls } from './calls.ts';
import type { WorkloadOptions } from './drive.ts';
import { type Keyed, keyedWork } from './keyed.ts';
import { outcomesOf } from './outcomes.ts';
import type { WorkKind, WorkRecord } from './work.ts';

/** A workload of plain asks to one agent for each key; `finals` are the answers to `final` by key. */
export function askedWork<Op extends object, Result>(given: {
  readonly name: string;
  readonly about: string;
  readonly type: string;
  readonly promise: string;
  /** The checker's name. */
  readonly by: string;
  readonly drive: (options: WorkloadOptions<Op, Result>) => Promise<void>;
  /** Asked of each when all is quiet. */
  readonly final: Op;
  readonly judge: (operations: readonly Operation<Op, Result>[], finals: ReadonlyMap<number, Result>) => Verdict;
}): WorkKind {
  const { name, about, type } = given;
  return {
    name,
    about,
    start: (scene) =>
      keyedWork<Op, Result>(scene, (calls) => ({
        name,
        ...agentPerKey(calls, type),
        drive: given.drive,
        ask: (key, op, { timeoutMs, requestId }) =>
          calls.by(key, (client) => client.askRaw(type, `k${key}`, op, { timeoutMs, requestId }) as Promise<Result>),
        finals: (keys) =>
          finalsOf(calls, keys, (key, client) => client.askRaw(type, `k${key}`, given.final, { timeoutMs: scene.timeoutMs })),
      })),
    check: (record) => [
      { promise: given.promise, by: given.by, verdict: given.judge(operationsOf(record), byKeyOf<Result>(record.finals)) },
      outcomesOf(record),
    ],
  };
}

/** One spawned agent for each key. */
export const agentPerKey = (calls: Calls, type: string): Required<Pick<Keyed<never, never>, 'agentOf' | 'prepare'>> => ({
  agentOf: (key) => `${type}/k${key}`,
  prepare: (key) => calls.spawn(key, { agent: type, id: `k${key}` }),
});

/** Who has not been asked by then says nothing. */
const FINALS_MS = 35_000;

/** What each key says at the end; one that says nothing is left out. */
export async function finalsOf<Final>(
  calls: Calls,
  keys: readonly number[],
  read: (key: number, client: Parameters<Parameters<Calls['by']>[1]>[0]) => Promise<Final>,
): Promise<Record<number, Final>> {
  const finals: Record<number, Final> = {};
  const untilMs = calls.nowMs() + FINALS_MS;
  for (const key of keys) {
    if (calls.nowMs() >= untilMs) break;
    const said = await calls.patiently(key, untilMs, (client) => read(key, client));
    if (said !== undefined) finals[key] = said;
  }
  return finals;
}

/** @throws NexaError what it came to instead. */
export async function resultOf<Op, Result>(running: Promise<Operation<Op, Result>>): Promise<Result> {
  const operation = await running;
  if (operation.outcome !== 'ok') throw operation.error;
  return operation.result;
}

export const operationsOf = <Op, Result>({ operations }: WorkRecord): readonly Operation<Op, Result>[] =>
  operations as readonly Operation<Op, Result>[];

/** `finals` by key, as they are after JSON. */
export const byKeyOf = <Final>(finals: unknown): ReadonlyMap<number, Final> =>
  new Map(Object.entries((finals ?? {}) as Record<string, Final>).map(([key, final]) => [Number(key), final]));
