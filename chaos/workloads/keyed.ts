import { type Client as Caller, type History, recordHistory } from '../history.ts';
import { type Calls, callsOf } from './calls.ts';
import type { Ask, WorkloadOptions } from './drive.ts';
import { lagMeter } from './lag.ts';
import type { Work, WorkScene } from './work.ts';

/** Operations of one key: more would make the search for their order too large, so another key takes its place. */
const PER_KEY = 300;
/** A drill of eight hours at ten a second fits. */
const MOST_OPERATIONS = 500_000;
const PREPARE_AGAIN_MS = 1_000;

/** What a workload does that asks agents by keys; the rest is the same for all of them. */
export interface Keyed<Op, Result> {
  readonly name: string;
  /** Keys at a time; when one has had its operations, a fresh one takes its place. Default 3. */
  readonly lanes?: number;
  /** Of a key, at most; 1 … 20. Default 5. */
  readonly perSecond?: number;
  /** Calls of one key in flight, 1 … 20. Default 3. */
  readonly clients?: number;
  /** Which key a lane asks at its turn: turn 0 of lane l is l, the next is l + lanes. Default: that number; always one of the same remainder. */
  readonly keyOf?: (turn: number) => number;
  /** Operations of a key at one turn, 1 … 300. Default 300. */
  readonly perTurn?: number;
  /** type/id of the agent that stands for a key; undefined: nobody knows. */
  readonly agentOf?: (key: number) => string;
  /** Spawns what the key needs. @throws NexaError when that cannot be done. */
  readonly prepare: (key: number) => Promise<unknown>;
  readonly ask: Ask<Op, Result>;
  /** One key's operations, under `firstKey`. */
  readonly drive: (options: WorkloadOptions<Op, Result>) => Promise<void>;
  /** Of all keys, once all is quiet. */
  readonly finals: (keys: readonly number[], more: Finishing<Op, Result>) => Promise<unknown>;
  /** Besides how late this process was. */
  readonly notes?: () => object;
  /** For what else has to be seen to work. */
  readonly recovered?: (sinceMs: number) => boolean;
  readonly end?: () => Promise<void>;
}
export interface Finishing<Op, Result> {
  readonly history: History<Op, Result>;
  /** For calls that belong to the history, too. */
  readonly caller: Caller<Op, Result>;
}
/** Of every keyed workload. */
export interface KeyedNotes {
  /** How late the timers of the drill's own process were at most. */
  readonly lagMs: number;
}

export function keyedWork<Op, Result>(scene: WorkScene, make: (calls: Calls) => Keyed<Op, Result>): Work {
  const { clock, signal, timeoutMs } = scene;
  const calls = callsOf(scene);
  const given = make(calls);
  const { lanes = 3, perSecond = 5, clients = 3 } = given;
  const random = scene.random.fork(given.name);
  const agents: Record<number, string> = {};
  const answeredMs = new Map<number, number>();
  const history = recordHistory<Op, Result>({
    clock,
    limit: MOST_OPERATIONS,
    onEnded: (operation) => {
      const { key, outcome, invokedAtMs } = operation;
      if (outcome === 'ok') answeredMs.set(key % lanes, Math.max(invokedAtMs, answeredMs.get(key % lanes) ?? 0));
      scene.onEnded(operation);
    },
  });
  const lag = lagMeter(clock);
  let work: Promise<unknown> = Promise.resolve();
  let finals: unknown = null;

  const keyOf = given.keyOf ?? ((turn) => turn);
  const prepare = async (key: number): Promise<void> => {
    if (given.agentOf !== undefined) agents[key] = given.agentOf(key);
    await given.prepare(key);
  };
  const lane = async (first: number): Promise<void> => {
    for (let turn = first; !signal.aborted; turn += lanes) {
      const key = keyOf(turn);
      if (turn !== first) {
        try {
          await prepare(key);
        } catch {
          // The cluster takes nobody at the moment; the next key is tried.
          delete agents[key];
          await calls.wait(PREPARE_AGAIN_MS);
          continue;
        }
      }
      const { ask } = given;
      const bounds = { keys: 1, firstKey: key, perKey: given.perTurn ?? PER_KEY, perSecond, clients, timeoutMs };
      await given.drive({ ...bounds, clock, history, signal, ask, random: () => random.fork(`k${turn}`) });
    }
  };
  return {
    async begin() {
      const first = [...Array(lanes).keys()];
      await Promise.all(first.map((turn) => prepare(keyOf(turn))));
      work = Promise.all(first.map(lane));
      // Whoever waits for the end hears of it.
      work.catch(() => undefined);
    },
    recovered: (sinceMs) =>
      [...Array(lanes).keys()].every((each) => (answeredMs.get(each) ?? Number.NEGATIVE_INFINITY) >= sinceMs) &&
      (given.recovered?.(sinceMs) ?? true),
    async end() {
      await work;
      await given.end?.();
      lag.stop();
    },
    async finish() {
      finals = await given.finals(Object.keys(agents).map(Number), { history, caller: history.client() });
    },
    record: () => ({
      workload: given.name,
      operations: history.operations(),
      asked: history.asked(),
      agents: { ...agents },
      finals,
      notes: { lagMs: lag.mostMs, ...given.notes?.() },
      untilMs: clock.monotonicMs(),
    }),
  };
}
