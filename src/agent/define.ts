/** Lifecycle hooks, all optional. `started` runs after the state was loaded; `stopping` has 5 s. */
export interface AgentHooks<C extends Commands, Config, State> {
  readonly started?: (context: AgentContext<C, Config, State, never>) => void | Promise<void>;
  readonly stopping?: (context: AgentContext<C, Config, State, never>) => void | Promise<void>;
  readonly terminated?: (context: AgentContext<C, Config, State, never>, terminated: Terminated) => void | Promise<void>;
}
/** How the runtime treats agents of this type. Every value has a default; all of it is shown by `nexa types`. */
export interface AgentOptions {
  readonly summary?: string;
  readonly limits?: MailboxOptions & { readonly stateBytes?: number; readonly handlerMs?: number };
  /** For its children. */
  readonly strategy?: Strategy;
  /** After a failure: permanent (default) always, transient only after a crash, temporary never. */
  readonly restart?: 'permanent' | 'transient' | 'temporary';
  readonly placement?: { readonly strategy?: 'least-loaded' | 'rendezvous' | 'local'; readonly labels?: Readonly<Record<string, string>> };
  /** `spawned` (default): must be spawned. `on-demand`: the first message to an unknown id spawns it; idle ones passivate. */
  readonly activation?: 'spawned' | { readonly onDemand: true; readonly idleMs?: number };
}

/** `ConfigInput`: what a spawner must give; void if nothing. */
export interface AgentDefinition<C extends Commands = Commands, out ConfigInput = unknown> extends Protocol<C>, AgentOptions {
  readonly config: z.ZodType<unknown, ConfigInput>;
  /** What the runtime runs; opaque to users. */
  readonly [implementation]: unknown;
}
declare const implementation: unique symbol;
export type AnyAgent = AgentDefinition<Commands, unknown>;

interface AgentSpec<C extends Commands, Config, ConfigInput, State> extends AgentOptions {
  readonly type: string;
  readonly version: number;
  readonly commands: C;
  /** What a spawn may configure; stored in the agent's spec. */
  readonly config?: z.ZodType<Config, ConfigInput>;
  readonly state: z.ZodType<State>;
  /** The value (frozen), or a function of what it was spawned with. */
  readonly initial: NoInfer<State> | ((spawned: { readonly id: string; readonly config: NoInfer<Config> }) => NoInfer<State>);
}

/**
 * An agent whose state is one record, the last value wins. `durable` (default) stores it on a quorum, fenced by the epoch,
 * before the reply; `memory` loses it with the node, and with `exclusive: false` may exist twice but answers without a quorum.
 *
 * The behaviour is a second call on purpose: every type is settled by then, so literals keep their types, completion works and
 * errors name the field.
 * @throws NexaError `invalid-definition`, at once: a reserved command or field name, a schema without a JSON form.
 */
export declare function defineAgent<C extends Commands, State, Config = void, ConfigInput = Config>(
  spec: AgentSpec<C, Config, ConfigInput, State> & {
    readonly storage?: 'durable' | 'memory';
    /** Only with `memory`. Default true: at most one activation in the cluster (C2). */
    readonly exclusive?: boolean;
    /** From version n to n + 1, for stored states of older versions. */
    readonly upcast?: Readonly<Record<number, (state: unknown) => unknown>>;
  },
): {
  handle(
    handlers: { readonly [K in keyof C]: Handler<C, C[K], Config, State, StateOutcome<C[K], State>> },
