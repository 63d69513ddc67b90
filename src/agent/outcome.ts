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
  /** Durable: survives failover; the same name replaces; missed ones coalesce to one. `message` is validated and stored. */
  remind(name: string, when: Schedule, message: StorableMessage<C>): Promise<void>;
  forget(name: string): Promise<void>;
}
export type Schedule =
  | { readonly inMs: number }
  | { readonly atMs: number }
  | { readonly everyMs: number }
  | { readonly cron: string; readonly timeZone?: string };

type RefusalOf<S extends CommandSpec> = {
  [K in keyof S['refusals'] & string]: { readonly refused: K; readonly details: z.input<S['refusals'][K]>; readonly state?: never; readonly events?: never };
}[keyof S['refusals'] & string];
type Answer<S extends CommandSpec, Rest> =
  | (z.output<S['reply']> extends void ? Rest & { readonly reply?: never } : Rest & { readonly reply: z.input<S['reply']> })
  | (Rest & { readonly deferred: true });
type Lifecycle = { readonly next?: 'stop' | 'passivate' };

/**
 * What a handler returns: data, which the runtime carries out in this order: store, become, reply, stop. So a reply never
 * precedes its write, and a handler is tested as a function. Nothing returned = nothing changes (for commands without a reply).
 */
export type StateOutcome<S extends CommandSpec, State> =
  | (S['kind'] extends 'stream'
      ? Lifecycle & { readonly state?: State; readonly stream: (signal: AbortSignal) => AsyncIterable<z.input<S['reply']>> }
      : Answer<S, Lifecycle & { readonly state?: State }>)
  | RefusalOf<S>
  | (z.output<S['reply']> extends void ? void | undefined : never);
/** As above for an event-sourced agent; the reply may be computed from the state that the events produced. */
export type EventOutcome<S extends CommandSpec, State, Event> =
  | (S['kind'] extends 'stream'
      ? Lifecycle & { readonly events?: readonly Event[]; readonly stream: (signal: AbortSignal) => AsyncIterable<z.input<S['reply']>> }
      : z.output<S['reply']> extends void
        ? Lifecycle & { readonly events?: readonly Event[]; readonly reply?: never }
        : Lifecycle & { readonly events?: readonly Event[] } & ({ readonly reply: z.input<S['reply']> | ((state: State) => z.input<S['reply']>) } | { readonly deferred: true }))
  | RefusalOf<S>
  | (z.output<S['reply']> extends void ? void | undefined : never);

type Handler<C extends Commands, S extends CommandSpec, Config, State, Result> = (
  context: AgentContext<C, Config, State, z.output<S['reply']>>,
  command: FieldsOut<S['input']>,
) => Result | Promise<Result>;

/** Lifecycle hooks, all optional. `started` runs after the state was loaded; `stopping` has 5 s. */
