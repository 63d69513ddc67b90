import type { StoredEvent } from '../durable/turn.ts';
import { NexaError, type Refused, toNexaError } from '../errors.ts';
import { type AnyAgent, implementationOf } from './define.ts';
import { applyEvents, readEvents } from './events.ts';
import { type Checked, validateRefusal, validateReply, validateState } from './schema.ts';

type Next = 'stop' | 'passivate';
/** What a handler returned, checked. `state` is absent when nothing changes; it and the reply have been through their schemas. */
export type HandlerOutcome =
  | ({ readonly kind: 'answered'; readonly reply: unknown } & Change)
  | ({ readonly kind: 'deferred' } & Change)
  | ({ readonly kind: 'streamed'; readonly stream: (signal: AbortSignal) => AsyncIterable<unknown> } & Change)
  | { readonly kind: 'refused'; readonly error: Refused };

interface Change {
  readonly state?: { readonly value: unknown };
  /** Of an event-sourced agent: what led to that state. */
  readonly events?: readonly StoredEvent[];
  readonly next?: Next;
}

const refusalKeys: readonly string[] = ['refused', 'details'];
const keysOf = (change: 'state' | 'events', streams: boolean): readonly string[] =>
  streams ? [change, 'stream', 'next'] : [change, 'reply', 'deferred', 'next'];

/** Error: `internal` naming type and command, for anything that is no outcome of this command: the agent's bug, treated as a crash. */
export function readOutcome(definition: AnyAgent, command: string, returned: unknown, before?: unknown): Checked<HandlerOutcome> {
  const bug = (problem: string): Checked<never> => ({
    ok: false,
    error: new NexaError('internal', `${definition.type}/${command}: the handler returned ${problem}`, {
      where: { type: definition.type, command },
    }),
  });
  if (returned !== undefined && (typeof returned !== 'object' || returned === null || Array.isArray(returned)))
    return bug('no outcome object');
  const outcome = (returned ?? {}) as Readonly<Record<string, unknown>>;
  const given = Object.keys(outcome).filter((key) => outcome[key] !== undefined);

  if (typeof outcome.refused === 'string') {
    const odd = given.find((key) => !refusalKeys.includes(key));
    if (odd !== undefined) return bug(`a refusal with ${odd}: a refusal changes nothing`);
    const refusal = validateRefusal(definition, command, outcome.refused, outcome.details);
    return refusal.ok ? { ok: true, value: { kind: 'refused', error: refusal.value } } : refusal;
  }

  const streams = definition.commands[command]?.kind === 'stream';
  const journaled = implementationOf(definition).eventSourcing !== undefined;
  const known = keysOf(journaled ? 'events' : 'state', streams);
  const odd = given.find((key) => !known.includes(key));
  if (odd !== undefined) return bug(`an outcome with ${JSON.stringify(odd.slice(0, 64))}`);
  const { next } = outcome;
  if (next !== undefined && next !== 'stop' && next !== 'passivate') return bug('a next that is neither stop nor passivate');
  if (outcome.deferred !== undefined && (outcome.deferred !== true || outcome.reply !== undefined))
    return bug('deferred together with a reply');
  if (streams && typeof outcome.stream !== 'function') return bug('no stream');

  const changed = changeOf(definition, command, outcome, before);
  if (!changed.ok) return changed;
  const change: Change = { ...changed.value, ...(next === undefined ? {} : { next }) };
  if (streams)
    return { ok: true, value: { kind: 'streamed', stream: outcome.stream as (signal: AbortSignal) => AsyncIterable<unknown>, ...change } };
  if (outcome.deferred === true) return { ok: true, value: { kind: 'deferred', ...change } };
  const computed = journaled ? computedReply(outcome.reply, change.state === undefined ? before : change.state.value) : ok(outcome.reply);
  if (!computed.ok) return computed;
  const reply = validateReply(definition, command, computed.value);
  return reply.ok ? { ok: true, value: { kind: 'answered', reply: reply.value, ...change } } : reply;
}

const ok = <T>(value: T): Checked<T> => ({ ok: true, value });

function changeOf(
  definition: AnyAgent,
  command: string,
  outcome: Readonly<Record<string, unknown>>,
  before: unknown,
): Checked<Pick<Change, 'state' | 'events'>> {
  if (outcome.state !== undefined) {
    const state = validateState(definition, outcome.state);
    return state.ok ? ok({ state: { value: state.value } }) : state;
  }
  if (outcome.events === undefined) return ok({});
  const events = readEvents(definition, command, outcome.events);
  if (!events.ok) return events;
  const state = applyEvents(definition, before, events.value);
  if (!state.ok) return state;
  return ok(events.value.length === 0 ? {} : { state: { value: state.value }, events: events.value });
}

/** A reply that follows from the state is computed from what the events led to. */
function computedReply(reply: unknown, state: unknown): Checked<unknown> {
  try {
    return ok(typeof reply === 'function' ? reply(state) : reply);
  } catch (thrown) {
    return { ok: false, error: toNexaError(thrown) };
  }
}
