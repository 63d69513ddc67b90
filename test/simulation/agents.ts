import { z } from 'zod';
import { counterProtocol } from '../../actors/builtin/counter/protocol.ts';
import { defineProtocol } from '../../src/agent/check.ts';
import { command, internal } from '../../src/agent/command.ts';
import { defineAgent } from '../../src/agent/define.ts';
import { defineEventSourced } from '../../src/agent/define-event-sourced.ts';

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

/** As {@link list}, by events; a snapshot every few of them. */
export const journal = defineEventSourced({
  ...defineProtocol({
    type: 'journal',
    version: 1,
    commands: { append: command({ value: z.int() }, { reply: values }), read: command({}, { reply: values }) },
  }),
  events: { appended: { value: z.int() } },
  state: values,
  initial: { values: [] },
  snapshotEvery: { events: 4 },
})
  .apply({ appended: (state, { value }) => ({ values: [...state.values, value] }) })
  .handle({
    append: (_context, { value }) => ({ events: [{ type: 'appended', value }], reply: (after) => after }),
    read: ({ state }) => ({ reply: { values: [...state.values] } }),
  });

const written = z.object({ values: z.array(z.int()) });

/** Writes down what was sent to it durably; nobody spawns it. Poison it can never write down. */
export const letterbox = defineAgent({
  ...defineProtocol({
    type: 'letterbox',
    version: 1,
    commands: { write: command({ value: z.int(), poison: z.boolean() }), read: command({}, { reply: written }) },
  }),
  state: written,
  initial: { values: [] },
  activation: { onDemand: true, idleMs: 300 },
  limits: { tries: 2 },
}).handle({
  write({ state }, { value, poison }) {
    if (poison) throw new Error('poison');
    return { state: { values: [...state.values, value] } };
  },
  read: ({ state }) => ({ reply: state }),
});

const rings = z.object({ rings: z.array(z.object({ name: z.string(), dueAtMs: z.number(), missed: z.int() })) });

/** Writes down when its reminders rang. */
export const alarm = defineAgent({
  ...defineProtocol({
    type: 'alarm',
    version: 1,
    commands: {
      every: command({ name: z.string(), everyMs: z.int() }, { reply: z.object({}) }),
      once: command({ name: z.string(), inMs: z.int() }, { reply: z.object({}) }),
      ring: internal({}),
      read: command({}, { reply: rings }),
    },
  }),
  state: rings,
  initial: { rings: [] },
  activation: { onDemand: true, idleMs: 300 },
}).handle({
  async every(context, { name, everyMs }) {
    await context.remind(name, { everyMs }, { type: 'ring' });
    return { reply: {} };
  },
  async once(context, { name, inMs }) {
    await context.remind(name, { inMs }, { type: 'ring' });
    return { reply: {} };
  },
  ring({ state, reminder }) {
    if (reminder === undefined) throw new Error('a ring without a reminder');
    return { state: { rings: [...state.rings, { ...reminder }] } };
  },
  read: ({ state }) => ({ reply: state }),
});

const notes = z.object({ notes: z.array(z.object({ from: z.string(), n: z.int(), epoch: z.int() })) });

/** Writes down what it was told, by whom, and in which activation. */
export const notebook = defineAgent({
  ...defineProtocol({
    type: 'notebook',
    version: 1,
    commands: { note: command({ from: z.string(), n: z.int() }), read: command({}, { reply: notes }) },
  }),
  state: notes,
  initial: { notes: [] },
}).handle({
  note: ({ state, epoch }, { from, n }) => ({ state: { notes: [...state.notes, { from, n, epoch }] } }),
  read: ({ state }) => ({ reply: state }),
});
