import { z } from 'zod';
import type { MailboxOptions } from '../actor/props.ts';
import type { Terminated } from '../actor/signal.ts';
import type { Strategy } from '../actor/strategy.ts';
import { checkJsonForm, checkProtocol, invalid } from './check.ts';
import { type Implementation, implement } from './implementation.ts';
import type { AgentContext, Handler, StateOutcome } from './outcome.ts';
import type { Commands, Protocol } from './protocol.ts';

/** Lifecycle hooks, all optional. `started` runs after the state was loaded; `stopping` has 5 s. */
export interface AgentHooks<C extends Commands, Config, State> {
  readonly started?: (context: AgentContext<C, Config, State, never>) => void | Promise<void>;
  readonly stopping?: (context: AgentContext<C, Config, State, never>) => void | Promise<void>;
  readonly terminated?: (context: AgentContext<C, Config, State, never>, terminated: Terminated) => void | Promise<void>;
}
/** How the runtime treats agents of this type. Every value has a default; all of it is shown by `nexa types`. */
export interface AgentOptions {
  readonly summary?: string;
  /**
   * The mailbox; `stateBytes` of the stored state (default 256 kB, and at most that; of an event-sourced agent at most 1 MB); `handlerMs`
   * after which a handler is reported slow (default 1,000); `tries` of one stored message before it is put aside (default 5, most 1,000).
   */
  readonly limits?: MailboxOptions & { readonly stateBytes?: number; readonly handlerMs?: number; readonly tries?: number };
  /** For its children. */
  readonly strategy?: Strategy;
  /** After a failure: permanent (default) always, transient only after a crash, temporary never. */
  readonly restart?: 'permanent' | 'transient' | 'temporary';
  readonly placement?: { readonly strategy?: 'least-loaded' | 'rendezvous' | 'local'; readonly labels?: Readonly<Record<string, string>> };
  /**
   * `spawned` (default): it must be spawned, and stays active. With `onDemand` the first message to an unknown or stopped id spawns it;
   * its configuration must then be one that can be left out. It is passivated after `idleMs` without a message (default for durable
   * types on demand: 10 min), or as the least recently used when more than `mostActive` of the type are active on one node. What is
   * in memory only is lost with that, so a `memory` type passivates only if one of the two is given.
   */
  readonly activation?: 'spawned' | { readonly onDemand?: boolean; readonly idleMs?: number; readonly mostActive?: number };
}

const implementation: unique symbol = Symbol('nexa.implementation');

/** `ConfigInput`: what a spawner must give; void if nothing. */
export interface AgentDefinition<C extends Commands = Commands, out ConfigInput = unknown> extends Protocol<C>, AgentOptions {
  readonly config: z.ZodType<unknown, ConfigInput>;
  /** What the runtime runs; opaque to users. */
  readonly [implementation]: unknown;
}
export type AnyAgent = AgentDefinition<Commands, unknown>;

/** What both kinds of agents are made from. */
export interface AgentSpec<C extends Commands, Config, ConfigInput, State> extends AgentOptions {
  readonly type: string;
  readonly version: number;
  readonly commands: C;
  /** What a spawn may configure; stored in the agent's spec. */
  readonly config?: z.ZodType<Config, ConfigInput>;
  /** Labels that a node must have for an agent of this configuration, besides those of `placement`. */
  readonly requires?: (config: NoInfer<Config>) => Readonly<Record<string, string>>;
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
 * @throws NexaError `invalid-definition`, at once: a reserved command or field name, a schema without a JSON form, an initial
 *   state that does not fit.
 */
export function defineAgent<C extends Commands, State, Config = void, ConfigInput = Config>(
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
    hooks?: AgentHooks<C, Config, State>,
  ): AgentDefinition<C, ConfigInput>;
} {
  checkSpec(spec);
  const { storage: _storage, exclusive: _exclusive, upcast: _upcast, ...given } = spec;
  const settled = implement(spec as never);
  return { handle: (handlers, hooks = {}) => definitionOf(given, settled, handlers, hooks) };
}

/** @throws NexaError `invalid-definition` naming the type and the field. */
export function checkSpec<C extends Commands, Config, ConfigInput, State>(spec: AgentSpec<C, Config, ConfigInput, State>): void {
  checkProtocol(spec);
  const { type } = spec;
  checkJsonForm(spec.state, 'input', { type, field: 'state' });
  checkJsonForm(spec.state, 'output', { type, field: 'state' });
  if (spec.config !== undefined) checkJsonForm(spec.config, 'input', { type, field: 'config' });
}

/** @throws NexaError `invalid-definition` for handlers that are not those of the commands. */
export function definitionOf<C extends Commands, Config, ConfigInput, State>(
  spec: AgentSpec<C, Config, ConfigInput, State>,
  settled: Omit<Implementation, 'handlers' | 'hooks'>,
  handlers: object,
  hooks: object,
): AgentDefinition<C, ConfigInput> {
  const { type, version, commands, config, requires: _requires, state: _state, initial: _initial, ...options } = spec;
  return Object.freeze({
    ...options,
    type,
    version,
    commands,
    config: (config ?? z.void()) as z.ZodType<unknown, ConfigInput>,
    [implementation]: { ...settled, ...behaviour(type, commands, handlers, hooks) },
  });
}

type Behaviour = Pick<Implementation, 'handlers' | 'hooks'>;
const hookNames: readonly string[] = ['started', 'stopping', 'terminated'];

/** Types say all of this already; modules written in JavaScript are why it is checked. */
function behaviour(type: string, commands: Commands, handlers: object, hooks: object): Behaviour {
  const given = new Map(Object.entries(handlers));
  for (const command of Object.keys(commands)) {
    if (typeof given.get(command) !== 'function')
      throw invalid('has no handler', { type, command }, `Add ${command}(context, command) to handle({ … }).`);
    given.delete(command);
  }
  for (const command of given.keys())
    throw invalid('a handler for a command that is not declared', { type, command }, 'Declare the command or remove its handler.');
  for (const [hook, run] of Object.entries(hooks)) {
    if (!hookNames.includes(hook) || (run !== undefined && typeof run !== 'function'))
      throw invalid(`${hook} is no hook`, { type, field: hook }, `Use ${hookNames.join(', ')}.`);
  }
  return { handlers: { ...handlers } as Behaviour['handlers'], hooks: { ...hooks } };
}

/** Whether a module's export is an agent definition made by this copy of the package. */
export function isAgentDefinition(value: unknown): value is AnyAgent {
  return typeof value === 'object' && value !== null && implementation in value;
}

/**
 * What the runtime runs of a definition, every default filled in.
 * @throws NexaError `invalid-definition` for what no defineAgent of this copy of the package made.
 */
export function implementationOf(definition: AnyAgent): Implementation {
  if (!isAgentDefinition(definition)) throw invalid('is no agent definition', {}, 'Pass what defineAgent(…).handle(…) returned.');
  return definition[implementation] as Implementation;
}
