import type { Client } from '../../src/client.ts';
import type { SeededRandom } from '../../src/memory/random.ts';
import type { Clock } from '../../src/ports/clock.ts';
import type { Judged } from '../checkers/judged.ts';
import type { Asked, Operation } from '../history.ts';

/** What a workload works with; the same in both worlds. */
export interface WorkScene {
  /** Of the key: clients stand at different servers, and one that got no answer is replaced by the next (`moveOn`). */
  client(key: number): Client;
  moveOn(key: number): void;
  readonly clock: Clock;
  readonly random: SeededRandom;
  /** Aborted when enough was asked for. */
  readonly signal: AbortSignal;
  /** Of every call. */
  readonly timeoutMs: number;
  /** Each outcome as it is recorded. */
  readonly onEnded: (operation: Operation<unknown, unknown>) => void;
}

/** A workload at work. */
export interface Work {
  /** Spawns what it needs, and starts; before any fault. Resolves when it is under way. */
  begin(): Promise<void>;
  /** Whether all of it was seen to work since. */
  recovered(sinceMs: number): boolean;
  /** After the signal: resolves when what it asked for is answered or given up, and nothing more will be. */
  end(): Promise<void>;
  /** Reads what it ended with, once all is quiet. */
  finish(): Promise<void>;
  /** All that is needed to judge it, there and then or years later. */
  record(): WorkRecord;
}

/** What a workload leaves behind; `finals` and `notes` are JSON of its own. */
export interface WorkRecord {
  readonly workload: string;
  readonly operations: readonly Operation<unknown, unknown>[];
  readonly asked: readonly Asked[];
  /** type/id of the agent that stands for each key. */
  readonly agents: Readonly<Record<number, string>>;
  readonly finals: unknown;
  readonly notes: unknown;
  /** When the observation ended. */
  readonly untilMs: number;
}

/** W1 … W8, and those of users. */
export interface WorkKind {
  readonly name: string;
  /** One sentence for a list of them. */
  readonly about: string;
  start(scene: WorkScene): Work;
  /** Of the record alone. */
  check(record: WorkRecord): readonly Judged[];
}
