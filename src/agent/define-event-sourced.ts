import type { z } from 'zod';
import type { StoredEvent } from '../durable/turn.ts';
import { invalid } from './check.ts';
import { type AgentDefinition, type AgentHooks, type AgentSpec, checkSpec, definitionOf } from './define.ts';
import { type EventOf, type Events, eventSourcing, foldsOf } from './event-sourcing.ts';
import { implement } from './implementation.ts';
import type { EventOutcome, Handler } from './outcome.ts';
import type { Commands, FieldsOut } from './protocol.ts';

/**
 * An agent whose state is the fold of its journal: each turn's events are one record, stored on a quorum and fenced by the epoch
 * before the reply. What `apply` gets is pure and total: it runs again at every replay.
 *
 * The folds and the behaviour are calls of their own on purpose: every type is settled by then.
 * @throws NexaError `invalid-definition`, at once: a reserved name, a schema without a JSON form, an initial state that does not fit.
 */
export function defineEventSourced<C extends Commands, E extends Events, State, Config = void, ConfigInput = Config>(
  spec: AgentSpec<C, Config, ConfigInput, State> & {
    readonly events: E;
    /** After so many events, or bytes of them, since the last one (default 200 and 256 kB). Events before a snapshot are purged. */
    readonly snapshotEvery?: { readonly events?: number; readonly bytes?: number };
    /** From version n to n + 1; may give several events or none. */
    readonly upcast?: Readonly<Record<number, (event: StoredEvent) => readonly StoredEvent[]>>;
    /** From version n to n + 1, for snapshots of older versions: what they hold is not stored as events any more. */
    readonly upcastState?: Readonly<Record<number, (state: unknown) => unknown>>;
  },
): {
  apply(folds: { readonly [K in keyof E & string]: (state: State, event: FieldsOut<z.ZodObject<E[K]>>) => State }): {
    handle(
      handlers: { readonly [K in keyof C]: Handler<C, C[K], Config, State, EventOutcome<C[K], State, EventOf<E>>> },
      hooks?: AgentHooks<C, Config, State>,
    ): AgentDefinition<C, ConfigInput>;
  };
} {
  checkSpec(spec);
  const { events, snapshotEvery, upcast, upcastState, ...given } = spec;
  const { type } = spec;
  for (const field of ['storage', 'exclusive']) {
    if (field in given) throw invalid('an event-sourced agent is always durable and exclusive', { type, field }, 'Remove it.');
  }
  const settled = implement({ ...given, upcast: upcastState } as never, true);
  const sourcing = eventSourcing(spec, events, { snapshotEvery, upcast });
  return {
    apply: (folds) => {
      const own = { ...settled, eventSourcing: { ...sourcing, folds: foldsOf(type, sourcing.schemas, folds) } };
      return { handle: (handlers, hooks = {}) => definitionOf(given, own, handlers, hooks) };
    },
  };
}
