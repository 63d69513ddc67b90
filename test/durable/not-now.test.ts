import { expect, test } from 'vitest';
import { isNotNow } from '../../src/durable/not-now.ts';
import { type ErrorCode, NexaError } from '../../src/errors.ts';

const store = { store: 'STATE' };
test.each<[ErrorCode, Readonly<Record<string, string>>, boolean]>([
  ['unavailable', {}, true],
  ['overloaded', {}, true],
  ['mailbox-full', {}, true],
  ['quota-exceeded', store, true],
  // The agent's own: its state or its reply is too large.
  ['quota-exceeded', { agent: 'a/b' }, false],
  // No room that is made later helps.
  ['payload-too-large', store, false],
  ['crashed', store, false],
  ['invalid-message', {}, false],
])('%s of %j says nothing of what was to be handled: %s', (code, where, notNow) => {
  expect(isNotNow(new NexaError(code, 'it failed', { where }))).toBe(notNow);
});
