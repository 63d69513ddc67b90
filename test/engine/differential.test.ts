// The same random program on plain nact and on our engine. Where nact keeps its own rules the traces are the same; the defects
// of nact that we do not inherit are listed here, and the programs or the comparison leave exactly these out:
//  · children of a stopped or reset actor go on living in nact: programs have one level;
//  · a message that was scheduled when its actor was stopped is lost without trace in nact: traces are compared per actor, and a
//    stop is only done when the actor is idle;
//  · resetAll and escalate with resume run handlers concurrently: only the child's own fate is decided here.
import fc from 'fast-check';
import nact from 'nact';
import { expect, test } from 'vitest';
import type { ActorRef } from '../../src/actor/ref.ts';
import { silentLogger } from '../../src/actor/safe-logger.ts';
import { oneForOne } from '../../src/actor/strategy.ts';
import { createSystem } from '../../src/actor/system.ts';
import { nactEngine } from '../../src/engine/nact/engine.ts';
import { virtualClock } from '../../src/memory/virtual-clock.ts';
import { seededRandom } from '../actor/kit.ts';

type Command =
  | { readonly do: 'spawn'; readonly actor: number; readonly onCrash: 'reset' | 'resume' | 'stop' }
  | { readonly do: 'dispatch'; readonly actor: number; readonly what: 'add' | 'throw' | 'add-later' | 'throw-later'; readonly n: number }
  | { readonly do: 'forward'; readonly actor: number; readonly to: number; readonly n: number }
  | { readonly do: 'stop'; readonly actor: number }
  | { readonly do: 'settle' };
type Message = { readonly type: string; readonly n: number; readonly to?: number };
/** Per actor name and life: what it handled and the state it then had. */
type Trace = Map<number, string[]>;

interface Runner {
  spawn(actor: number, onCrash: 'reset' | 'resume' | 'stop'): void;
  tell(actor: number, message: Message): void;
  stop(actor: number): void;
  alive(actor: number): boolean;
  settle(): Promise<void>;
  end(): Promise<void>;
  readonly trace: Trace;
}
const note = (trace: Trace, actor: number, line: string) => void trace.set(actor, [...(trace.get(actor) ?? []), line]);
/** Both run this: state in, state out. */
function handle(
  trace: Trace,
  actor: number,
  state: number,
  message: Message,
  tell: (to: number, message: Message) => void,
): number | Promise<number> {
  note(trace, actor, `${message.type} ${message.n} at ${state}`);
  switch (message.type) {
    case 'add':
      return state + message.n;
    case 'add-later':
      return Promise.resolve().then(() => state + message.n);
    case 'throw':
      throw new Error('boom');
    case 'throw-later':
      return Promise.resolve().then(() => {
        throw new Error('boom');
      });
    default:
      tell(message.to ?? 0, { type: 'add', n: message.n });
      return state;
  }
}
const rounds = async (count: number) => {
  for (let round = 0; round < count; round++) await new Promise((resolve) => setImmediate(resolve));
};

function onNact(): Runner {
  const system = nact.start();
  const refs = new Map<number, unknown>();
  const trace: Trace = new Map();
  const find = (actor: number) => (system as unknown as { readonly system: { readonly name: string } }) && refs.get(actor);
  const stoppedNow = (ref: unknown) => (nactFind(ref)?.stopped ?? true) as boolean;
  const self: Runner = {
    trace,
    spawn(actor, onCrash) {
      const ref = nact.spawn(
        system,
        ((state: number, message: Message) => handle(trace, actor, state, message, self.tell)) as never,
        `a${actor}`,
        {
          initialState: 0,
          onCrash: (_message: unknown, _error: unknown, context: Record<string, unknown>) => context[onCrash],
        } as never,
      );
      refs.set(actor, ref);
    },
    tell(actor, message) {
      const ref = find(actor);
      if (ref !== undefined) nact.dispatch(ref as never, message as never);
    },
    stop(actor) {
      const ref = find(actor);
      if (ref !== undefined) nact.stop(ref as never);
    },
    alive: (actor) => refs.has(actor) && !stoppedNow(refs.get(actor)),
    settle: () => rounds(60),
    async end() {
      nact.stop(system);
    },
  };
  return self;
}

import systemMap from 'nact/lib/system-map.js';

const nactFind = (ref: unknown) =>
  (systemMap as unknown as { find(name: string, ref: unknown): { readonly stopped?: boolean } | undefined }).find(
    (ref as { readonly system: { readonly name: string } }).system.name,
    ref,
  );

function onOurs(): Runner {
  const engine = nactEngine();
  const decisions = new Map<number, 'reset' | 'resume' | 'stop'>();
  const system = createSystem({
    engine,
    clock: virtualClock(),
    random: seededRandom(1),
    log: silentLogger,
    strategy: oneForOne({
      maxRestarts: Number.POSITIVE_INFINITY,
      backoff: { minMs: 0, maxMs: 0, factor: 1, jitter: 0 },
      decide: (error) => {
        const decision = decisions.get(Number(error.where.actor?.slice(1)));
        return decision === 'reset' ? 'restart' : (decision ?? 'stop');
      },
    }),
  });
  const refs = new Map<number, ActorRef<Message>>();
  const trace: Trace = new Map();
  const self: Runner = {
    trace,
    spawn(actor, onCrash) {
      decisions.set(actor, onCrash);
      refs.set(
        actor,
        system.spawn<Message>(
          {
            behavior() {
              let state = 0;
              return {
                receive(_, message) {
                  const next = handle(trace, actor, state, message, self.tell);
                  if (typeof next === 'number') state = next;
                  else
                    return next.then((value) => {
                      state = value;
                    });
                },
              };
            },
          },
          `a${actor}`,
        ),
      );
    },
    tell: (actor, message) => void refs.get(actor)?.tell(message),
    stop(actor) {
      const ref = refs.get(actor);
      if (ref !== undefined) system.stopActor(ref);
    },
    alive: (actor) => system.snapshot().children.some(({ name }) => name === `a${actor}`),
    async settle() {
      for (let calm = 0; calm < 3; calm = engine.idle() ? calm + 1 : 0) await rounds(1);
    },
    end: () => system.stop(),
  };
  return self;
}

const actors = fc.integer({ min: 0, max: 3 });
const n = fc.integer({ min: 1, max: 9 });
const commands: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('spawn' as const),
      actor: actors,
      onCrash: fc.constantFrom('reset' as const, 'resume' as const, 'stop' as const),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('dispatch' as const),
      actor: actors,
      what: fc.constantFrom('add' as const, 'add' as const, 'add-later' as const, 'throw' as const, 'throw-later' as const),
      n,
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('forward' as const), actor: actors, to: actors, n }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('stop' as const), actor: actors }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('settle' as const) }) },
);

async function run(runner: Runner, program: readonly Command[]): Promise<Record<string, readonly string[]>> {
  for (const command of program) {
    switch (command.do) {
      case 'spawn':
        if (!runner.alive(command.actor)) runner.spawn(command.actor, command.onCrash);
        break;
      case 'dispatch':
        runner.tell(command.actor, { type: command.what, n: command.n });
        break;
      case 'forward':
        // What one actor forwards to another may overtake what the program sends itself: that is a race in both.
        await runner.settle();
        runner.tell(command.actor, { type: 'forward', n: command.n, to: command.to });
        await runner.settle();
        break;
      case 'stop':
        await runner.settle();
        runner.stop(command.actor);
        await runner.settle();
        break;
      case 'settle':
        await runner.settle();
    }
  }
  await runner.settle();
  await runner.end();
  return Object.fromEntries([...runner.trace].sort(([a], [b]) => a - b));
}

test('the same program leaves the same trace per actor on plain nact and on the engine', async () => {
  const program = fc
    .array(commands, { maxLength: 25 })
    // A name is only given again after its last life is over on both sides.
    .map((given) => given.flatMap((command): Command[] => (command.do === 'spawn' ? [{ do: 'settle' }, command] : [command])));
  const { log } = console;
  console.log = () => {};
  try {
    await fc.assert(
      fc.asyncProperty(program, async (commands) => {
        const [theirs, ours] = [await run(onNact(), commands), await run(onOurs(), commands)];
        expect(ours).toEqual(theirs);
      }),
      { numRuns: 60 },
    );
  } finally {
    console.log = log;
  }
});
