import { expect, describe as group, test } from 'vitest';
import { z } from 'zod';
import { defineProtocol } from '../../src/agent/check.ts';
import { command, internal, local, streaming } from '../../src/agent/command.ts';
import { defineAgent, implementationOf, isAgentDefinition } from '../../src/agent/define.ts';
import { describe } from '../../src/agent/describe.ts';
import { NexaError } from '../../src/errors.ts';

const value = z.object({ value: z.int() });
const counter = defineAgent({
  type: 'counter',
  version: 1,
  summary: 'Counts.',
  commands: {
    add: command({ by: z.int().default(1) }, { reply: value, summary: 'Adds.' }),
    get: command({}, { reply: value, refusals: { busy: z.object({ since: z.int() }) } }),
    reset: command({}),
    tick: internal({ at: z.int() }),
    note: local<{ at: Date }>(),
  },
  state: value,
  initial: { value: 0 },
}).handle({
  add({ state }, { by }) {
    const next = { value: state.value + by };
    return { state: next, reply: next };
  },
  get: ({ state }) => ({ reply: state }),
  reset: () => ({ state: { value: 0 } }),
  tick: () => {},
  note: () => {},
});

const thrown = (run: () => unknown): NexaError => {
  try {
    run();
  } catch (error) {
    if (error instanceof NexaError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
};
const spec = { type: 'odd', version: 1, commands: {}, state: z.object({ n: z.int() }), initial: { n: 0 } };

group('a definition is refused at once, naming the place', () => {
  test.each([
    ['an upper-case type', () => defineProtocol({ type: 'Odd', version: 1, commands: {} }), {}],
    ['a long type', () => defineProtocol({ type: 'a'.repeat(64), version: 1, commands: {} }), {}],
    ['version 0', () => defineProtocol({ type: 'odd', version: 0, commands: {} }), { type: 'odd', field: 'version' }],
    ['version 1.5', () => defineAgent({ ...spec, version: 1.5 }), { type: 'odd', field: 'version' }],
    [
      'a command named constructor',
      () => defineAgent({ ...spec, commands: { constructor: command({}) } as never }),
      { type: 'odd', command: 'constructor' },
    ],
    [
      'a command named __proto__',
      () => defineAgent({ ...spec, commands: { ['__proto__']: command({}) } }),
      { type: 'odd', command: '__proto__' },
    ],
    [
      'a literal __proto__',
      () => defineAgent({ ...spec, commands: { __proto__: command({}) } as never }),
      { type: 'odd', field: 'commands' },
    ],
    ['a command named type', () => defineAgent({ ...spec, commands: { type: command({}) } }), { type: 'odd', command: 'type' }],
    [
      'a field named type',
      () => defineAgent({ ...spec, commands: { go: command({ type: z.string() }) } }),
      { type: 'odd', command: 'go', field: 'type' },
    ],
    [
      'a field named toString',
      () => defineAgent({ ...spec, commands: { go: command({ toString: z.string() } as never) } }),
      { type: 'odd', command: 'go', field: 'toString' },
    ],
    ['what is no command', () => defineAgent({ ...spec, commands: { go: {} as never } }), { type: 'odd', command: 'go' }],
    [
      'a field without a JSON form',
      () => defineAgent({ ...spec, commands: { go: command({ at: z.date() }) } }),
      { type: 'odd', command: 'go', field: 'at' },
    ],
    [
      'a reply without a JSON form',
      () => defineAgent({ ...spec, commands: { go: command({}, { reply: z.bigint() }) } }),
      { type: 'odd', command: 'go', field: 'reply' },
    ],
    [
      'an item without a JSON form',
      () => defineAgent({ ...spec, commands: { go: streaming({}, { item: z.bigint() }) } }),
      { type: 'odd', command: 'go', field: 'item' },
    ],
    [
      'a stream without items',
      () => defineAgent({ ...spec, commands: { go: streaming({}, undefined as never) } }),
      { type: 'odd', command: 'go', field: 'item' },
    ],
    [
      'a refusal without a JSON form',
      () => defineAgent({ ...spec, commands: { go: command({}, { refusals: { no: z.map(z.string(), z.int()) } }) } }),
      { field: 'no' },
    ],
    [
      'a state without a JSON form',
      () => defineAgent({ ...spec, state: z.object({ at: z.date() }), initial: { at: new Date(0) } }),
      { type: 'odd', field: 'state' },
    ],
    ['a config without a JSON form', () => defineAgent({ ...spec, config: z.object({ at: z.date() }) }), { type: 'odd', field: 'config' }],
    ['an initial state that does not fit', () => defineAgent({ ...spec, initial: { n: 0.5 } }), { type: 'odd', field: 'initial.n' }],
    ['exclusive: false without memory', () => defineAgent({ ...spec, exclusive: false }), { type: 'odd', field: 'exclusive' }],
    ['an unknown option', () => defineAgent({ ...spec, durable: true } as never), { type: 'odd', field: 'durable' }],
    ['a limit of 0', () => defineAgent({ ...spec, limits: { limit: 0 } }), { type: 'odd', field: 'limits.limit' }],
    [
      'an upcast from the present version',
      () => defineAgent({ ...spec, upcast: { 1: (state) => state } }),
      { type: 'odd', field: 'upcast' },
    ],
    [
      'a missing handler',
      () => defineAgent({ ...spec, commands: { go: command({}) } }).handle({} as never),
      { type: 'odd', command: 'go' },
    ],
    ['a handler too many', () => defineAgent(spec).handle({ went: () => ({}) } as never), { type: 'odd', command: 'went' }],
    ['an unknown hook', () => defineAgent(spec).handle({}, { start: () => {} } as never), { type: 'odd', field: 'start' }],
  ])('%s', (_what, define, where) => {
    const error = thrown(define);
    expect(error.code).toBe('invalid-definition');
    expect(error.where).toMatchObject(where);
  });
});

test('what the runtime reads of a definition has every default filled in', () => {
  const { handlers, hooks, initial, upcast, requires, stateSchema: _, ...rest } = implementationOf(counter);
  expect(Object.keys(handlers)).toEqual(['add', 'get', 'reset', 'tick', 'note']);
  expect(hooks).toEqual({});
  expect(upcast.size).toBe(0);
  expect(requires(undefined)).toEqual({});
  expect(initial({ id: 'a', config: undefined })).toEqual({ value: 0 });
  expect(rest).toEqual({
    configSchema: undefined,
    activation: { onDemand: false, passivates: false, idleMs: undefined, mostActive: undefined },
    storage: 'durable',
    exclusive: true,
    limits: { limit: 1_000, limitBytes: 8_388_608, overflow: 'reject', stateBytes: 262_144, handlerMs: 1_000, tries: 5 },
    strategy: undefined,
    restart: 'permanent',
    placement: { strategy: 'least-loaded', labels: {} },
  });
});

test('options reach the runtime as they were given', () => {
  const definition = defineAgent({
    ...spec,
    version: 3,
    storage: 'memory',
    exclusive: false,
    limits: { limit: 10, stateBytes: 4_096 },
    upcast: { 1: (state) => state, 2: (state) => state },
  }).handle({});
  expect(implementationOf(definition)).toMatchObject({
    storage: 'memory',
    exclusive: false,
    limits: { limit: 10, stateBytes: 4_096 },
  });
  expect([...implementationOf(definition).upcast.keys()]).toEqual([1, 2]);
});

test('the first state may depend on the id and the config, is checked and frozen all the way down', () => {
  const agent = (start: (spawned: { config: { from: number } }) => { list: { n: number }[] }) =>
    implementationOf(
      defineAgent({
        type: 'listed',
        version: 1,
        commands: {},
        config: z.object({ from: z.int() }),
        state: z.object({ list: z.array(z.object({ n: z.int() })) }),
        initial: start,
      }).handle({}),
    );
  const state = agent(({ config }) => ({ list: [{ n: config.from }] })).initial({ id: 'a', config: { from: 7 } }) as {
    list: { n: number }[];
  };
  expect(state).toEqual({ list: [{ n: 7 }] });
  expect(() => state.list.push({ n: 1 })).toThrow(TypeError);
  const error = thrown(() => agent(() => ({ list: [{ n: 0.5 }] })).initial({ id: 'a', config: { from: 7 } }));
  expect(error).toMatchObject({ code: 'invalid-definition', where: { type: 'listed', field: 'initial.list[0].n' } });
});

test('only what defineAgent made counts as a definition', () => {
  expect(isAgentDefinition(counter)).toBe(true);
  for (const other of [undefined, null, 1, {}, { ...spec }, defineProtocol({ type: 'odd', version: 1, commands: {} })])
    expect(isAgentDefinition(other)).toBe(false);
  expect(thrown(() => implementationOf({} as never)).code).toBe('invalid-definition');
});

test('a description holds the JSON schema of each public command and no internal one', () => {
  const description = describe(counter);
  expect(JSON.parse(JSON.stringify(description))).toEqual(description);
  expect(Object.keys(description.commands)).toEqual(['add', 'get', 'reset']);
  expect(description).toMatchObject({
    type: 'counter',
    version: 1,
    summary: 'Counts.',
    storage: 'durable',
    config: { properties: {} },
  });
  expect(description.commands.add).toMatchObject({
    kind: 'ask',
    summary: 'Adds.',
    input: {
      type: 'object',
      properties: { type: { const: 'add' }, by: { type: 'integer', default: 1 } },
      required: ['type'],
      additionalProperties: false,
    },
    reply: { type: 'object', properties: { value: { type: 'integer' } } },
    refusals: {},
  });
  expect(description.commands.get?.refusals).toMatchObject({ busy: { properties: { since: { type: 'integer' } } } });
  expect(description.commands.reset?.reply).toBeNull();
});

test('a stream command is described with its kind and the schema of one item', () => {
  const ticker = defineAgent({ ...spec, commands: { tick: streaming({ to: z.int() }, { item: value, summary: 'Ticks.' }) } }).handle({
    tick: () => ({ stream: async function* () {} }),
  });
  expect(describe(ticker).commands.tick).toMatchObject({
    kind: 'stream',
    summary: 'Ticks.',
    input: { properties: { type: { const: 'tick' }, to: { type: 'integer' } } },
    reply: { properties: { value: { type: 'integer' } } },
  });
});

test('what a configuration requires of a node is asked with that configuration', () => {
  const rendering = defineAgent({
    type: 'rendering',
    version: 1,
    commands: {},
    config: z.object({ on: z.enum(['cpu', 'gpu']) }),
    requires: ({ on }) => (on === 'gpu' ? { gpu: 'yes' } : {}),
    state: z.null(),
    initial: null,
  }).handle({});
  expect(implementationOf(rendering).requires({ on: 'gpu' })).toEqual({ gpu: 'yes' });
  expect(implementationOf(rendering).requires({ on: 'cpu' })).toEqual({});
});
