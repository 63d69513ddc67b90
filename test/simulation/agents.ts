import { z } from 'zod';
import { counterProtocol } from '../../actors/builtin/counter/protocol.ts';
import { defineProtocol } from '../../src/agent/check.ts';
import { command } from '../../src/agent/command.ts';
import { defineAgent } from '../../src/agent/define.ts';

/** What the workers of one test saw and wait for; a test makes its own. */
export interface Bench {
  readonly seen: { readonly what: string; readonly owned: boolean; readonly epoch: number }[];
  readonly signals: AbortSignal[];
  /** Lets the oldest waiting handler go on. */
  go(): void;
}

const worker = defineProtocol({
  type: 'worker',
  version: 1,
  commands: {
    /** Tells the counter `sink`, waits until the test lets it go on, and tells it again. */
    tellTwice: command({ first: z.int(), second: z.int() }, { reply: z.object({ epoch: z.int() }) }),
    /** Waits until the test lets it go on. */
    hold: command({}, { reply: z.object({ epoch: z.int() }) }),
    epoch: command({}, { reply: z.object({ epoch: z.int() }) }),
  },
});

/** An agent whose handlers do what a test of the gate needs. */
export function workers() {
  const waiting: (() => void)[] = [];
  const bench: Bench = { seen: [], signals: [], go: () => waiting.shift()?.() };
  const wait = (): Promise<void> =>
    new Promise((resolve) => {
      waiting.push(resolve);
    });
  const agent = defineAgent({ ...worker, state: z.object({ done: z.int() }), initial: { done: 0 } }).handle({
    async tellTwice(context, { first, second }) {
      const sink = context.agent(counterProtocol, 'sink');
      bench.signals.push(context.signal);
      sink.tell({ type: 'add', by: first });
      bench.seen.push({ what: 'before', owned: context.owned, epoch: context.epoch });
      await wait();
      bench.seen.push({ what: 'after', owned: context.owned, epoch: context.epoch });
      sink.tell({ type: 'add', by: second });
      return { reply: { epoch: context.epoch } };
    },
    async hold(context) {
      bench.signals.push(context.signal);
      bench.seen.push({ what: 'before', owned: context.owned, epoch: context.epoch });
      await wait();
      bench.seen.push({ what: 'after', owned: context.owned, epoch: context.epoch });
      return { state: { done: context.state.done + 1 }, reply: { epoch: context.epoch } };
    },
    epoch: (context) => ({ reply: { epoch: context.epoch } }),
  });
  return { agent, bench };
}

/** A counter that its first message spawns, and that is put away soon after its last one. */
export const visitor = defineAgent({
  ...counterProtocol,
  type: 'visitor',
  state: z.object({ value: z.int() }),
  initial: { value: 0 },
  activation: { onDemand: true, idleMs: 300, mostActive: 2 },
}).handle({
  add: ({ state }, { by }) => ({ state: { value: state.value + by }, reply: { value: state.value + by } }),
  get: ({ state }) => ({ reply: state }),
});

const values = z.object({ values: z.array(z.int()) });

/** A list that only grows. */
export const list = defineAgent({
  ...defineProtocol({
    type: 'list',
    version: 1,
    commands: { append: command({ value: z.int() }, { reply: values }), read: command({}, { reply: values }) },
  }),
  state: values,
  initial: { values: [] },
}).handle({
  append({ state }, { value }) {
    const next = { values: [...state.values, value] };
    return { state: next, reply: next };
  },
  read: ({ state }) => ({ reply: state }),
});

/** A counter that keeps nothing. */
export const guest = defineAgent({
  ...counterProtocol,
  type: 'guest',
  storage: 'memory',
  state: z.object({ value: z.int() }),
  initial: { value: 0 },
}).handle({
  add: ({ state }, { by }) => ({ state: { value: state.value + by }, reply: { value: state.value + by } }),
  get: ({ state }) => ({ reply: state }),
});
