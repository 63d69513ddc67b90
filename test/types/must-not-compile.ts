// Compiled by `npm run types`, never run: `@ts-expect-error` makes the compiler prove that it refuses each of these lines.
import { z } from 'zod';
import { type Behavior, receive } from '../../src/actor/behavior.ts';
import type { Message, Request } from '../../src/actor/message.ts';
import type { Props } from '../../src/actor/props.ts';
import type { ActorRef } from '../../src/actor/ref.ts';
import { command, internal, local } from '../../src/agent/command.ts';
import { type AgentDefinition, type AnyAgent, defineAgent } from '../../src/agent/define.ts';
import type { AgentRef, Commands } from '../../src/agent/protocol.ts';
import { counter } from './counter.ts';
import { type account, accountAgent } from './transfer.ts';

type Dog = { readonly type: 'bark'; readonly loud: boolean };
declare const dogRef: ActorRef<Dog>;
declare const dogBehavior: Behavior<Dog>;
declare const dogProps: Props<Dog>;
declare const both: ActorRef<Dog | { readonly type: 'sit' }>;
declare const c: AgentRef<typeof counter.commands>;
declare const a: AgentRef<typeof account.commands>;
const t = { timeoutMs: 1 };

const clocked = defineAgent({
  type: 'clocked',
  version: 1,
  commands: { start: command({}), tick: internal({ plan: z.string() }), flush: local() },
  state: z.object({ charged: z.int() }),
  initial: { charged: 0 },
}).handle(
  {
    start(context) {
      context.after(5_000, { type: 'flush' }, 'flush');
      context.after(5_000, { type: 'tick', plan: 'basic' });
    },
    tick: ({ state }, { plan }) => ({ state: { charged: state.charged + (plan === 'basic' ? 1 : 2) } }),
    flush: ({ log, state }) => log.info({ charged: state.charged }, 'flushed'),
  },
  { started: ({ log, epoch }) => log.info({ epoch }, 'here') },
);
declare const s: AgentRef<typeof clocked.commands>;

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
// @ts-expect-error an internal command is nobody else's
s.tell({ type: 'tick', plan: 'basic' });
// @ts-expect-error nor is a local one
s.tell({ type: 'flush' });
// @ts-expect-error a plain message that answers nothing cannot be asked
void dogRef.ask({ type: 'bark', loud: true }, t);
// @ts-expect-error an account is no counter
export const wrong: AgentRef<typeof counter.commands> = a;
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
  type: 'forgot',
  version: 1,
  commands: { get: command({}, { reply: z.object({ n: z.int() }) }), inc: command({}) },
  state: z.object({ n: z.int() }),
  initial: { n: 0 },
  // @ts-expect-error no handler for inc
}).handle({ get: ({ state }) => ({ reply: state }) });
// @ts-expect-error initial state of another shape
defineAgent({ type: 'odd', version: 1, commands: {}, state: z.object({ n: z.int() }), initial: { m: 0 } });
// @ts-expect-error a reply of the wrong type
export const wrongReply = receive<Request<Dog, number>>((context, message) => context.reply(message, 'no'));

export const all: readonly AnyAgent[] = [counter, accountAgent, clocked];
// The signature of every `spawn`: what a config needs is asked for, and only then.
declare function spawn<C extends Commands, ConfigInput>(
  definition: AgentDefinition<C, ConfigInput>,
  ...options: [ConfigInput] extends [void] ? [options?: { id?: string }] : [options: { id?: string; readonly config: ConfigInput }]
): Promise<AgentRef<C>>;
void spawn(counter);
void spawn(accountAgent, { id: 'a', config: { overdraftCents: 0 } });
// @ts-expect-error this type needs a config
void spawn(accountAgent, { id: 'a' });
// @ts-expect-error of this shape
void spawn(accountAgent, { config: { overdraft: 0 } });

defineAgent({
  type: 'picky',
  version: 1,
  commands: {
    take: command({ n: z.int() }, { refusals: { 'too-many': z.object({ max: z.int() }) } }),
    later: local<{ at: Date }>(),
  },
  state: z.object({ mode: z.enum(['on', 'off']) }),
  initial: { mode: 'on' },
}).handle({
  take: (context, { n: wanted }) => {
    if (wanted > 9) return { refused: 'too-many', details: { max: 9 } };
    context.after(1, { type: 'later', at: new Date() });
    // @ts-expect-error a field of the wrong type
    context.after(1, { type: 'later', at: 1 });
    return { state: { mode: wanted > 5 ? 'off' : 'on' } };
  },
  // @ts-expect-error a refusal that the command does not declare
  later: () => ({ refused: 'too-many', details: { max: 9 } }),
});
