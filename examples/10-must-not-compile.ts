// Each line here was silently accepted, or inexpressible, before. `@ts-expect-error` makes the compiler prove it refuses them.
import {
  type ActorRef,
  type AgentRef,
  type AnyAgent,
  type Behavior,
  command,
  defineAgent,
  defineEventSourced,
  internal,
  local,
  type Message,
  type NexaNode,
  type Props,
  type Request,
  receive,
  streaming,
} from 'nexa';
import { z } from 'zod';
import { counter } from './01-counter.ts';
import type { writer } from './06-streaming-reply.ts';
import { rateLimiter } from './agents/rate-limiter.ts';

type Dog = { readonly type: 'bark'; readonly loud: boolean };
declare const dogRef: ActorRef<Dog>;
declare const dogBehavior: Behavior<Dog>;
declare const dogProps: Props<Dog>;
declare const both: ActorRef<Dog | { readonly type: 'sit' }>;
declare const c: AgentRef<typeof counter.commands>;
declare const l: AgentRef<typeof rateLimiter.commands>;
declare const w: AgentRef<typeof writer.commands>;
const t = { timeoutMs: 1 };
const idle = { idleTimeoutMs: 1 };

export const narrower: ActorRef<Dog> = both; // contravariant: fine
// @ts-expect-error a dog's ref takes no other message
export const r1: ActorRef<Message> = dogRef;
// @ts-expect-error nor does a dog's behaviour receive them
export const b1: Behavior<Message> = dogBehavior;
// @ts-expect-error nor can its recipe be started as one
export const p1: Props<Message> = dogProps;
// @ts-expect-error a wrong field
c.tell({ type: 'add', by: 'two' });
// @ts-expect-error an unknown command
c.tell({ type: 'subtract', by: 2 });
// @ts-expect-error a superfluous field
void c.ask({ type: 'get', by: 2 }, t);
// @ts-expect-error the deadline is not optional
void c.ask({ type: 'get' });
// @ts-expect-error the reply has a type
export const n: Promise<string> = c.ask({ type: 'get' }, t);
// @ts-expect-error a plain message that answers nothing cannot be asked
void dogRef.ask({ type: 'bark', loud: true }, t);
// @ts-expect-error a rate limiter is no counter
export const wrong: AgentRef<typeof counter.commands> = l;
// @ts-expect-error what answers with a stream cannot be asked
void w.ask({ type: 'write', prompt: '' }, t);
// @ts-expect-error what answers once cannot be streamed
void w.stream({ type: 'count' }, idle);
// @ts-expect-error its idle timeout is not optional
void w.stream({ type: 'write', prompt: '' });
// @ts-expect-error the items have a type
export const texts: AsyncIterable<string> = w.stream({ type: 'write', prompt: '' }, idle);
export const add: Promise<{ value: number }> = c.ask({ type: 'add' }, t); // a default may be left out
export const asRef: ActorRef<{ readonly type: 'get' }> = c; // an agent is an actor

defineAgent({
  type: 'bad',
  version: 1,
  commands: { get: command({}, { reply: z.object({ n: z.int() }) }), inc: command({}), tick: internal({}) },
  state: z.object({ n: z.int() }),
  initial: { n: 0 },
}).handle({
  // @ts-expect-error the reply is missing
  get: ({ state }) => ({ state }),
  inc: ({ state }) => ({ state: { n: state.n + 1 } }),
  // @ts-expect-error state of another shape
  tick: () => ({ state: { m: 1 } }),
});
defineAgent({
  type: 'mute',
  version: 1,
  commands: { words: streaming({}, { item: z.object({ word: z.string() }) }) },
  state: z.null(),
  initial: null,
}).handle({
  // @ts-expect-error a stream command answers with a stream
  words: () => ({ reply: { word: 'one' } }),
});
defineAgent({
  type: 'odd-items',
  version: 1,
  commands: { words: streaming({}, { item: z.object({ word: z.string() }) }) },
  state: z.null(),
  initial: null,
}).handle({
  words: () => ({
    // @ts-expect-error an item of another shape
    stream: async function* () {
      yield { word: 1 };
    },
  }),
});
defineAgent({
  type: 'forgot',
  version: 1,
  commands: { get: command({}, { reply: z.object({ n: z.int() }) }), inc: command({}) },
  state: z.object({ n: z.int() }),
  initial: { n: 0 },
  // @ts-expect-error no handler for inc
}).handle({ get: ({ state }) => ({ reply: state }) });
const kept = defineEventSourced({
  type: 'kept',
  version: 1,
  commands: { add: command({ by: z.int() }, { reply: z.object({ n: z.int() }) }), clear: command({}) },
  events: { added: { by: z.int() }, cleared: {} },
  state: z.object({ n: z.int() }),
  initial: { n: 0 },
});
// @ts-expect-error nothing applies cleared
kept.apply({ added: (state, { by }) => ({ n: state.n + by }) });
// @ts-expect-error state of another shape
kept.apply({ added: (state, { by }) => ({ m: state.n + by }), cleared: () => ({ n: 0 }) });
kept.apply({ added: (state, { by }) => ({ n: state.n + by }), cleared: () => ({ n: 0 }) }).handle({
  add: (_context, { by }) => ({ events: [{ type: 'added', by }], reply: (state) => ({ n: state.n }) }),
  // @ts-expect-error an event of another shape
  clear: () => ({ events: [{ type: 'added', by: 'two' }] }),
});
kept.apply({ added: (state, { by }) => ({ n: state.n + by }), cleared: () => ({ n: 0 }) }).handle({
  // @ts-expect-error the reply is missing
  add: (_context, { by }) => ({ events: [{ type: 'added', by }] }),
  // @ts-expect-error its state follows from its events
  clear: () => ({ state: { n: 0 } }),
});
// @ts-expect-error initial state of another shape
defineAgent({ type: 'odd', version: 1, commands: {}, state: z.object({ n: z.int() }), initial: { m: 0 } });
// @ts-expect-error a reply of the wrong type
export const wrongReply = receive<Request<Dog, number>>((context, message) => context.reply(message, 'no'));

export const all: readonly AnyAgent[] = [counter, rateLimiter];
declare const node: NexaNode;
void node.spawn(counter);
void node.spawn(rateLimiter, { id: 'k', config: { perMinute: 60, burst: 5 } });
// @ts-expect-error this type needs a config
void node.spawn(rateLimiter, { id: 'k' });
// @ts-expect-error of this shape
void node.spawn(rateLimiter, { config: { perMinute: 60, bursts: 5 } });

const picky = defineAgent({
  type: 'picky',
  version: 1,
  commands: {
    take: command({ n: z.int() }, { refusals: { 'too-many': z.object({ max: z.int() }) } }),
    tick: internal({ plan: z.string() }),
    later: local<{ at: Date }>(),
  },
  state: z.object({ mode: z.enum(['on', 'off']) }),
  initial: { mode: 'on' },
}).handle({
  take: (context, { n: wanted }) => {
    if (wanted > 9) return { refused: 'too-many', details: { max: 9 } };
    // @ts-expect-error a field of the wrong type
    context.after(1, { type: 'later', at: 1 });
    context.after(1, { type: 'later', at: new Date() });
    return { state: { mode: wanted > 5 ? 'off' : 'on' } };
  },
  tick: () => {},
  // @ts-expect-error a refusal that the command does not declare
  later: () => ({ refused: 'too-many', details: { max: 9 } }),
});
declare const s: AgentRef<typeof picky.commands>;
// @ts-expect-error an internal command is nobody else's
s.tell({ type: 'tick', plan: 'basic' });
