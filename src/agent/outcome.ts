import type { z } from 'zod';
import type { BaseContext } from '../actor/context.ts';
import type { ReplyTo } from '../actor/ref.ts';
import type { Schedule } from '../durable/schedule.ts';
import { Refused } from '../errors.ts';
import type { CommandSpec, Commands, FieldsOut, OwnMessage, StorableMessage } from './protocol.ts';

/** What a handler may do, and what it knows. `state` is the current one and read-only; the next one is returned. */
export interface AgentContext<C extends Commands, Config, State, R> extends BaseContext<OwnMessage<C>> {
  readonly id: string;
  readonly config: Config;
  readonly state: State;
  /** The fencing token of this activation: unique, rising. Hand it to every side effect outside. 0 where nothing is exclusive. */
  readonly epoch: number;
  /** Whether this node may act for the agent right now. Ask it after an await, before an effect outside. */
  readonly owned: boolean;
  /** For a deferred answer; only with the outcome `{ deferred: true }`. */
  readonly replyTo: ReplyTo<R>;
  /** The reminder whose message is being handled; undefined for any other message. */
  readonly reminder: DueReminder | undefined;
  /**
   * Has the agent send itself a message at some time, wherever it then runs: durable once it resolves, not with the turn's outcome.
   * A name stands for one reminder: declared anew with the same schedule and the same message it keeps its beat (`inMs` counts from
   * now, so that is never the same), with any other it replaces the one before. A due time that was missed is made up for once.
   *
   * `name`: 1 … 64 bytes. `message`: any command but the local ones, at most 16 kB encoded. At most 64 at a time. An agent with durable
   * state is changed at most once by each due time; one without gets it once at least.
   * @throws NexaError `invalid-definition` (the schedule, the name), `invalid-message`, `payload-too-large`, `quota-exceeded`,
   *   `not-encodable`, `fenced`.
   */
  remind(name: string, when: Schedule, message: StorableMessage<C>): Promise<void>;
  /** Deletes that reminder, if there is one. Durable once it resolves. @throws NexaError `invalid-definition`, `fenced`. */
  forget(name: string): Promise<void>;
}
/** Due times that have come, taken together. */
export interface DueReminder {
  readonly name: string;
  /** The latest of them, Unix milliseconds. */
  readonly dueAtMs: number;
  /** How many came before it and were missed; of a cron expression at most 1,000 are counted. */
  readonly missed: number;
}

type RefusalOf<S extends CommandSpec> = {
  [K in keyof S['refusals'] & string]: {
    readonly refused: K;
    readonly details: z.input<S['refusals'][K]>;
    readonly state?: never;
    readonly events?: never;
  };
}[keyof S['refusals'] & string];
/** `stop`: over, until it is spawned again. `passivate`: put away as soon as nothing waits, until its next message. */
type Lifecycle = { readonly next?: 'stop' | 'passivate' };
type Change<State> = Lifecycle & { readonly state?: State };
/** Stored in this order as one record, all or none. */
type Happened<Event> = Lifecycle & { readonly events?: readonly Event[] };

type Answer<S extends CommandSpec, Changed, Reply> =
  | (z.output<S['reply']> extends void ? Changed & { readonly reply?: never } : Changed & { readonly reply: Reply })
  | (Changed & { readonly deferred: true });
type Streamed<S extends CommandSpec, Changed> = Changed & {
  /** Runs outside the turn, once the state is stored; aborted when the reader leaves or this activation ends. */
  readonly stream: (signal: AbortSignal) => AsyncIterable<z.input<S['reply']>>;
};

/**
 * What a handler returns: data, which the runtime carries out in this order: store, become, reply or stream, stop. So a reply
 * never precedes its write, and a handler is tested as a function. Nothing returned = nothing changes (for commands without a reply).
 */
export type StateOutcome<S extends CommandSpec, State> =
  | (S['kind'] extends 'stream' ? Streamed<S, Change<State>> : Answer<S, Change<State>, z.input<S['reply']>>)
  | RefusalOf<S>
  | (z.output<S['reply']> extends void ? void | undefined : never);
/** As {@link StateOutcome} for an event-sourced agent; the reply may be computed from the state that the events led to. */
export type EventOutcome<S extends CommandSpec, State, Event> =
  | (S['kind'] extends 'stream'
      ? Streamed<S, Happened<Event>>
      : Answer<S, Happened<Event>, z.input<S['reply']> | ((state: State) => z.input<S['reply']>)>)
  | RefusalOf<S>
  | (z.output<S['reply']> extends void ? void | undefined : never);

export type Handler<C extends Commands, S extends CommandSpec, Config, State, Result> = (
  context: AgentContext<C, Config, State, z.output<S['reply']>>,
  command: FieldsOut<S['input']>,
) => Result | Promise<Result>;

/** Narrows a caught value to the declared refusals of one command; anything else is undefined: rethrow it. */
export function refusedBy<S extends CommandSpec>(
  spec: S,
  error: unknown,
): { [K in keyof S['refusals'] & string]: Refused<K, z.output<S['refusals'][K]>> }[keyof S['refusals'] & string] | undefined {
  if (!(error instanceof Refused) || !Object.hasOwn(spec.refusals, error.refusal)) return undefined;
  // A newer peer may refuse with details of another shape: what does not fit is no refusal of this command.
  return spec.refusals[error.refusal]?.safeParse(error.details).success ? (error as never) : undefined;
}
