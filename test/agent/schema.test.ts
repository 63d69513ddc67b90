import fc from 'fast-check';
import { expect, describe as group, test } from 'vitest';
import { z } from 'zod';
import { command, internal, local, streaming } from '../../src/agent/command.ts';
import { defineAgent } from '../../src/agent/define.ts';
import { refusedBy } from '../../src/agent/outcome.ts';
import { readOutcome } from '../../src/agent/read-outcome.ts';
import { validateCommand, validateConfig, validateReply, validateState } from '../../src/agent/schema.ts';
import { NexaError, Refused } from '../../src/errors.ts';

const take = command({ n: z.int() }, { reply: z.object({ left: z.int() }), refusals: { 'too-many': z.object({ max: z.int() }) } });
const shop = defineAgent({
  type: 'shop',
  version: 1,
  commands: {
    take,
    put: command({ item: z.object({ tags: z.array(z.string()).default([]) }), by: z.int().default(1) }),
    keep: command({ any: z.json() }),
    bug: command({
      x: z.string().refine(() => {
        throw new Error('boom');
      }),
    }),
    slow: command({ x: z.string().refine(async () => true) }),
    tick: internal({ at: z.int() }),
    note: local<{ at: Date }>(),
  },
  config: z.object({ size: z.int().default(3) }),
  state: z.object({ left: z.int(), list: z.array(z.int()).optional() }),
  initial: { left: 3 },
}).handle({
  take: () => ({ reply: { left: 1 } }),
  put: () => {},
  keep: () => {},
  bug: () => {},
  slow: () => {},
  tick: () => {},
  note: () => {},
});
const check = (message: unknown, from: 'public' | 'own' = 'public') => validateCommand(shop, message, { from });
const errorOf = (checked: { ok: boolean; error?: NexaError }): NexaError => {
  if (checked.error === undefined) throw new Error('it was accepted');
  return checked.error;
};

test('a valid command loses its type and gains its defaults', () => {
  expect(check({ type: 'put', item: {} })).toMatchObject({ ok: true, value: { command: 'put', fields: { item: { tags: [] }, by: 1 } } });
});

group('invalid-message names the field', () => {
  test.each([
    ['no object', 'take', undefined],
    ['null', null, undefined],
    ['an array', [{ type: 'take' }], undefined],
    ['no type', { n: 1 }, 'type'],
    ['an inherited type', Object.create({ type: 'take' }), 'type'],
    ['a type that is no string', { type: ['take'] }, 'type'],
    ['a missing field', { type: 'take' }, 'n'],
    ['a wrong field', { type: 'take', n: 'one' }, 'n'],
    ['a nested wrong field', { type: 'put', item: { tags: ['a', 1] } }, 'item.tags[1]'],
    ['an unknown field', { type: 'take', n: 1, extra: true }, 'extra'],
    ['a __proto__ key', JSON.parse('{"type":"take","n":1,"__proto__":{"admin":true}}'), '__proto__'],
    ['a nested __proto__ key', JSON.parse('{"type":"keep","any":[{"__proto__":1}]}'), 'any[0].__proto__'],
  ])('%s', (_what, message, field) => {
    const error = errorOf(check(message));
    expect(error.code).toBe('invalid-message');
    expect(error.definite).toBe(true);
    expect(error.where.field).toBe(field);
  });

  test('too deep a message, and one that contains itself', () => {
    let deep: unknown = 0;
    for (let level = 0; level < 100; level++) deep = [deep];
    expect(errorOf(check({ type: 'keep', any: deep })).code).toBe('invalid-message');
    const loop: Record<string, unknown> = {};
    loop.a = loop;
    loop.b = loop;
    expect(errorOf(check({ type: 'keep', any: loop })).code).toBe('invalid-message');
  });
});

group('from outside, what is not public does not exist', () => {
  test.each(['tick', 'note', 'nothing', 'constructor', '__proto__', 'x'.repeat(300)])('%s', (type) => {
    const error = errorOf(check({ type, at: 1 }));
    expect(error.code).toBe('unknown-command');
    expect(error.fix).toBe('Use one of: take, put, keep, bug, slow.');
    expect(JSON.stringify(error).length).toBeLessThan(1_000);
  });

  test('the agent itself may send them, internal ones checked', () => {
    const at = new Date(0);
    expect(check({ type: 'note', at }, 'own')).toMatchObject({ ok: true, value: { fields: { at } } });
    expect(check({ type: 'tick', at: 1 }, 'own')).toMatchObject({ ok: true });
    expect(errorOf(check({ type: 'tick', at: 'x' }, 'own')).code).toBe('invalid-message');
    expect(errorOf(check({ type: 'nothing' }, 'own')).code).toBe('unknown-command');
  });
});

test('a schema that throws or is asynchronous is an internal error of the type, not of the process', () => {
  for (const type of ['bug', 'slow'])
    expect(errorOf(check({ type, x: 'a' }))).toMatchObject({ code: 'internal', definite: true, where: { type: 'shop', command: type } });
});

test('whatever arrives, the validator answers and never throws', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.anything({ withNullPrototype: true, withDate: true, withMap: true }),
        fc.record({ type: fc.constantFrom('take', 'put', 'keep'), n: fc.anything(), any: fc.jsonValue() }),
      ),
      (message) => {
        const checked = check(message);
        return checked.ok || checked.error instanceof NexaError;
      },
    ),
    { numRuns: 500 },
  );
});

test('a reply that does not fit is an internal error that names the type', () => {
  expect(validateReply(shop, 'take', { left: 1 })).toEqual({ ok: true, value: { left: 1 } });
  expect(errorOf(validateReply(shop, 'take', { left: '1' }))).toMatchObject({
    code: 'internal',
    definite: false,
    where: { type: 'shop', command: 'take' },
  });
  expect(validateReply(shop, 'put', undefined)).toEqual({ ok: true, value: undefined });
  expect(errorOf(validateReply(shop, 'put', 1)).code).toBe('internal');
});

test('a state is checked and frozen, and the value it came from is not', () => {
  const list = [1];
  const state = validateState(shop, { left: 1, list });
  expect(state).toEqual({ ok: true, value: { left: 1, list: [1] } });
  expect(state.ok && Object.isFrozen((state.value as { list: number[] }).list)).toBe(true);
  expect(Object.isFrozen(list)).toBe(false);
  expect(errorOf(validateState(shop, { left: 'x' })).message).toContain('left');
});

test('a config may be left out when it has only defaults, and is refused by field', () => {
  expect(validateConfig(shop, undefined)).toEqual({ ok: true, value: { size: 3 } });
  expect(validateConfig(shop, { size: 1 })).toEqual({ ok: true, value: { size: 1 } });
  expect(errorOf(validateConfig(shop, { size: 'x' }))).toMatchObject({
    code: 'invalid-message',
    where: { type: 'shop', field: 'config.size' },
  });
  expect(errorOf(validateConfig(shop, null)).where.field).toBe('config');
  const none = defineAgent({ type: 'none', version: 1, commands: {}, state: z.null(), initial: null }).handle({});
  for (const config of [undefined, null, {}]) expect(validateConfig(none, config)).toEqual({ ok: true, value: undefined });
  expect(errorOf(validateConfig(none, { a: 1 })).where.field).toBe('config');
});

group('what a handler returned', () => {
  const read = (name: string, returned: unknown) => readOutcome(shop, name, returned);
  test('an answer, with and without a state', () => {
    expect(read('take', { reply: { left: 1 }, state: { left: 1 }, next: 'stop' })).toEqual({
      ok: true,
      value: { kind: 'answered', reply: { left: 1 }, state: { value: { left: 1 } }, next: 'stop' },
    });
    expect(read('put', undefined)).toEqual({ ok: true, value: { kind: 'answered', reply: undefined } });
  });
  test('a stream, and what is none', () => {
    const ticker = defineAgent({
      type: 'ticker',
      version: 1,
      commands: { tick: streaming({}, { item: z.int() }) },
      state: z.object({ n: z.int() }),
      initial: { n: 0 },
    }).handle({ tick: () => ({ stream: async function* () {} }) });
    const stream = async function* () {};
    expect(readOutcome(ticker, 'tick', { stream, state: { n: 1 } })).toEqual({
      ok: true,
      value: { kind: 'streamed', stream, state: { value: { n: 1 } } },
    });
    for (const returned of [undefined, {}, { stream: 5 }, { reply: 5 }, { stream, reply: 5 }, { stream, deferred: true }])
      expect(errorOf(readOutcome(ticker, 'tick', returned)).code).toBe('internal');
    expect(errorOf(read('put', { stream })).code).toBe('internal');
  });
  test('a deferred answer and a refusal', () => {
    expect(read('take', { deferred: true, state: { left: 0 } })).toEqual({
      ok: true,
      value: { kind: 'deferred', state: { value: { left: 0 } } },
    });
    const refusal = read('take', { refused: 'too-many', details: { max: 9 } });
    expect(refusal).toMatchObject({
      ok: true,
      value: { kind: 'refused', error: { code: 'refused', refusal: 'too-many', details: { max: 9 } } },
    });
  });
  test.each([
    ['nothing where a reply is due', undefined],
    ['a string', 'done'],
    ['an unknown key', { reply: { left: 1 }, also: 1 }],
    ['an undeclared refusal', { refused: 'closed', details: {} }],
    ['an inherited refusal', { refused: 'constructor', details: {} }],
    ['a refusal with odd details', { refused: 'too-many', details: {} }],
    ['a refusal with a state', { refused: 'too-many', details: { max: 1 }, state: { left: 1 } }],
    ['a state that does not fit', { reply: { left: 1 }, state: { left: 'x' } }],
    ['both deferred and answered', { reply: { left: 1 }, deferred: true }],
    ['an odd next', { reply: { left: 1 }, next: 'explode' }],
  ])('%s is the bug of the agent', (_what, returned) => {
    expect(errorOf(read('take', returned)).code).toBe('internal');
  });
});

test('refusedBy narrows to the declared refusals and to nothing else', () => {
  const refusal = refusedBy(take, new Refused('too-many', { max: 9 }));
  expect(refusal?.details.max satisfies number | undefined).toBe(9);
  for (const other of [
    new Refused('other', {}),
    new Refused('too-many', {}),
    new Refused('constructor', {}),
    new NexaError('crashed', 'x'),
    undefined,
  ]) {
    expect(refusedBy(take, other)).toBeUndefined();
  }
});
