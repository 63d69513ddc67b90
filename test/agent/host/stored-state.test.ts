import { expect, test } from 'vitest';
import { z } from 'zod';
import { defineAgent } from '../../../src/agent/define.ts';
import { lifted } from '../../../src/agent/host/stored-state.ts';
import type { StateRecord } from '../../../src/durable/fenced-state.ts';
import { NOTHING_KEPT } from '../../../src/durable/kept.ts';
import { NexaError } from '../../../src/errors.ts';

const stored = (version: number, state: unknown): StateRecord => ({ recordId: 'r', epoch: 7, n: 3, version, state, kept: NOTHING_KEPT });
const note = (version: number, upcast: Readonly<Record<number, (state: unknown) => unknown>>) =>
  defineAgent({
    type: 'note',
    version,
    commands: {},
    state: z.object({ lines: z.array(z.string()) }),
    initial: { lines: [] },
    upcast,
  }).handle({});
const first = () => ({ lines: ['first'] });
const failure = (definition: ReturnType<typeof note>, record: StateRecord): NexaError => {
  try {
    lifted(definition, 'a', record, first);
  } catch (error) {
    if (error instanceof NexaError) return error;
  }
  throw new Error('it was lifted');
};

test('nothing stored, or a tombstone, begins with the first state', () => {
  expect(lifted(note(1, {}), 'a', undefined, first)).toEqual({ lines: ['first'] });
  expect(lifted(note(1, {}), 'a', stored(1, undefined), first)).toEqual({ lines: ['first'] });
});

test('a state is lifted version by version', () => {
  const steps = { 1: (state: unknown) => [state], 2: (state: unknown) => ({ lines: state }) };
  expect(lifted(note(3, steps), 'a', stored(1, 'hello'), first)).toEqual({ lines: ['hello'] });
  expect(lifted(note(3, steps), 'a', stored(2, ['one', 'two']), first)).toEqual({ lines: ['one', 'two'] });
});

test('a stored null is a state, and not the first one', () => {
  const nullable = defineAgent({ type: 'note', version: 1, commands: {}, state: z.string().nullable(), initial: 'first' }).handle({});
  expect(lifted(nullable, 'a', stored(1, null), () => 'first')).toBeNull();
});

test('what a newer version wrote is refused, naming both versions', () => {
  const error = failure(note(1, {}), stored(2, {}));
  expect(error).toMatchObject({ code: 'unknown-version', where: { type: 'note', id: 'a', version: '2' } });
  expect(error.fix).toBe('Update the agent type on this node.');
});

test.each([
  [
    'a step that throws',
    {
      1: () => {
        throw new Error('no such field');
      },
    },
    'lifting its state from version 1 threw: no such field',
    'upcast.1',
  ],
  ['a missing step', {}, 'nothing lifts its state from version 1', 'upcast.1'],
  ['a result that is no state', { 1: () => ({ lines: 7 }) }, 'what upcast made of version 1 is no state', 'state'],
])('%s is a corrupt record that names the place and the fix', (_name, upcast, message, field) => {
  const error = failure(note(2, upcast), stored(1, 'hello'));
  expect(error).toMatchObject({ code: 'corrupt-record', where: { type: 'note', id: 'a', version: '1', field } });
  expect(error.message).toContain(message);
  expect(error.fix).toMatch(/\w/);
});

test('a stored state of this very version that does not fit its schema is a corrupt record', () => {
  expect(failure(note(1, {}), stored(1, { lines: 'x' }))).toMatchObject({ code: 'corrupt-record', where: { field: 'state' } });
});
