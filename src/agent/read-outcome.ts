import { NexaError, type Refused } from '../errors.ts';
import type { AnyAgent } from './define.ts';
import { type Checked, validateRefusal, validateReply, validateState } from './schema.ts';

type Next = 'stop' | 'passivate';
/** What a handler returned, checked. `state` is absent when nothing changes; it and the reply have been through their schemas. */
export type HandlerOutcome =
  | {
      readonly kind: 'answered';
      readonly state?: { readonly value: unknown };
      readonly reply: unknown;
      readonly next?: Next;
    }
  | { readonly kind: 'deferred'; readonly state?: { readonly value: unknown }; readonly next?: Next }
  | ({ readonly kind: 'streamed'; readonly stream: (signal: AbortSignal) => AsyncIterable<unknown> } & Change)
  | { readonly kind: 'refused'; readonly error: Refused };

interface Change {
  readonly state?: { readonly value: unknown };
  readonly next?: Next;
}

const answerKeys: readonly string[] = ['state', 'reply', 'deferred', 'next'];
const streamKeys: readonly string[] = ['state', 'stream', 'next'];
const refusalKeys: readonly string[] = ['refused', 'details'];

/** Error: `internal` naming type and command, for anything that is no outcome of this command: the agent's bug, treated as a crash. */
export function readOutcome(definition: AnyAgent, command: string, returned: unknown): Checked<HandlerOutcome> {
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
  const odd = given.find((key) => !(streams ? streamKeys : answerKeys).includes(key));
  if (odd !== undefined) return bug(`an outcome with ${JSON.stringify(odd.slice(0, 64))}`);
  const { next } = outcome;
  if (next !== undefined && next !== 'stop' && next !== 'passivate') return bug('a next that is neither stop nor passivate');
  if (outcome.deferred !== undefined && (outcome.deferred !== true || outcome.reply !== undefined))
    return bug('deferred together with a reply');
  if (streams && typeof outcome.stream !== 'function') return bug('no stream');

  const state = outcome.state === undefined ? undefined : validateState(definition, outcome.state);
  if (state?.ok === false) return state;
  const change: Change = { ...(state === undefined ? {} : { state: { value: state.value } }), ...(next === undefined ? {} : { next }) };
  if (streams)
    return { ok: true, value: { kind: 'streamed', stream: outcome.stream as (signal: AbortSignal) => AsyncIterable<unknown>, ...change } };
  if (outcome.deferred === true) return { ok: true, value: { kind: 'deferred', ...change } };
  const reply = validateReply(definition, command, outcome.reply);
  return reply.ok ? { ok: true, value: { kind: 'answered', reply: reply.value, ...change } } : reply;
}
