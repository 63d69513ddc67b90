import { expect, describe as group, test } from 'vitest';
import { builtins, counter, echo, register } from '../../../actors/builtin/index.ts';
import { type AnyAgent, implementationOf } from '../../../src/agent/define.ts';
import { describe } from '../../../src/agent/describe.ts';
import { readOutcome } from '../../../src/agent/read-outcome.ts';
import { validateCommand } from '../../../src/agent/schema.ts';

/** One command through the definition alone: validated, handled, its outcome read. A handler is a function of state and command. */
function run(agent: AnyAgent, state: unknown, message: unknown) {
  const checked = validateCommand(agent, message, { from: 'public' });
  if (!checked.ok) throw checked.error;
  const { command, fields } = checked.value;
  const returned = implementationOf(agent).handlers[command]?.({ state } as never, fields as never);
  const outcome = readOutcome(agent, command, returned);
  if (!outcome.ok) throw outcome.error;
  return outcome.value;
}
const first = (agent: AnyAgent): unknown => implementationOf(agent).initial({ id: 'a', config: undefined });

test('echo answers with the text and remembers nothing', () => {
  expect(run(echo, null, { type: 'echo', text: 'hey' })).toEqual({ kind: 'answered', reply: { text: 'hey' } });
  expect(implementationOf(echo)).toMatchObject({ storage: 'memory', exclusive: true });
});

group('counter', () => {
  test('starts at 0, is durable, adds one by default', () => {
    expect(first(counter)).toEqual({ value: 0 });
    expect(implementationOf(counter)).toMatchObject({ storage: 'durable', exclusive: true });
    expect(run(counter, { value: 0 }, { type: 'add' })).toEqual({ kind: 'answered', state: { value: { value: 1 } }, reply: { value: 1 } });
    expect(run(counter, { value: 1 }, { type: 'add', by: -3 })).toMatchObject({ reply: { value: -2 } });
    expect(run(counter, { value: 4 }, { type: 'get' })).toEqual({ kind: 'answered', reply: { value: 4 } });
  });
  test('refuses what it could not count exactly', () => {
    const value = Number.MAX_SAFE_INTEGER;
    expect(run(counter, { value }, { type: 'add' })).toMatchObject({
      kind: 'refused',
      error: { refusal: 'out-of-range', details: { value } },
    });
    expect(() => run(counter, { value: 0 }, { type: 'add', by: 0.5 })).toThrow(/counter\/add: by/);
  });
});

group('register', () => {
  test('starts with null, reads what was written', () => {
    expect(first(register)).toEqual({ value: null });
    expect(run(register, { value: null }, { type: 'read' })).toEqual({ kind: 'answered', reply: { value: null } });
    expect(run(register, { value: null }, { type: 'write', value: { a: [1, 'b'] } })).toMatchObject({
      state: { value: { value: { a: [1, 'b'] } } },
    });
  });
  test.each([
    [1, 1],
    [null, null],
    [
      { a: 1, b: [2] },
      { b: [2], a: 1 },
    ],
    [[], []],
  ])('cas takes %j for %j', (value, from) => {
    expect(run(register, { value }, { type: 'cas', from, to: 'new' })).toEqual({
      kind: 'answered',
      state: { value: { value: 'new' } },
      reply: { value: 'new' },
    });
  });
  test.each([
    [1, '1'],
    [null, 0],
    [{ a: 1 }, { a: 1, b: 2 }],
    [{ a: 1, b: 2 }, { a: 1 }],
    [[], {}],
    [
      [1, 2],
      [2, 1],
    ],
    [{}, { constructor: null }],
  ])('cas refuses %j for %j and tells the present value', (value, from) => {
    expect(run(register, { value }, { type: 'cas', from, to: 'new' })).toMatchObject({
      kind: 'refused',
      error: { code: 'refused', refusal: 'mismatch', details: { value } },
    });
  });
});

test('each has a summary and documented commands', () => {
  for (const agent of builtins) {
    const { summary, commands } = describe(agent);
    expect(summary).not.toBe('');
    for (const command of Object.values(commands)) expect(command.summary).not.toBe('');
  }
});
