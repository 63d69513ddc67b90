import { expect, test } from 'vitest';
import { z } from 'zod';
import type { Address } from '../../src/actor/address.ts';
import { defineProtocol } from '../../src/agent/check.ts';
import { command } from '../../src/agent/command.ts';
import { defineAgent } from '../../src/agent/define.ts';
import { describe } from '../../src/agent/describe.ts';
import type { AgentRef, Commands } from '../../src/agent/protocol.ts';
import { type Binder, refTo, withBinder } from '../../src/agent/ref-to.ts';
import { validateCommand, validateState } from '../../src/agent/schema.ts';
import { NexaError } from '../../src/errors.ts';

const account = defineProtocol({ type: 'account', version: 1, commands: { get: command({}, { reply: z.object({ cents: z.int() }) }) } });
const bank = defineAgent({
  type: 'bank',
  version: 1,
  commands: { open: command({ from: refTo(account), also: refTo(account).describe('another').optional() }) },
  state: z.object({ main: refTo(account).nullable() }),
  initial: { main: null },
}).handle({ open: (_context, { from }) => ({ state: { main: from } }) });

// Real refs are instances of a class, which is how they are told from data.
class FakeRef {
  readonly type: string;
  readonly id: string;
  readonly address: Address;
  constructor(type: string, id: string) {
    this.type = type;
    this.id = id;
    this.address = { kind: 'agent', type, id };
  }
  tell(): boolean {
    return true;
  }
  toJSON(): string {
    return `nexa:${this.type}/${this.id}`;
  }
}
const refNamed = (type: string, id: string) => new FakeRef(type, id) as unknown as AgentRef<Commands>;
const bind: Binder = (address) => {
  if (typeof address !== 'string') return refNamed('account', `bound ${address.kind === 'agent' ? address.id : ''}`);
  const id = address.slice('nexa:account/'.length);
  if (id === '!') throw new NexaError('bad-id', 'the id is no id');
  return refNamed('account', id);
};
const open = (from: unknown) => withBinder(bind, () => validateCommand(bank, { type: 'open', from }, { from: 'public' }));

test('the text of an address becomes a live ref, and a live ref is bound to its receiver', () => {
  expect(open('nexa:account/alice')).toMatchObject({ ok: true, value: { fields: { from: { type: 'account', id: 'alice' } } } });
  expect(open(refNamed('account', 'bob'))).toMatchObject({ ok: true, value: { fields: { from: { id: 'bound bob' } } } });
});

test.each([
  ['another type', 'nexa:counter/alice', 'expected a ref of type account, got "nexa:counter/alice"'],
  ['a ref of another type', refNamed('counter', 'alice'), 'got one of type counter'],
  ['an incarnation', 'nexa://n1.1/a#1', 'expected a ref of type account'],
  ['a bad id', 'nexa:account/!', 'the id is no id'],
  ['a number', 7, 'or its text nexa:account/<id>'],
  ['what only looks like a ref', { address: { kind: 'agent', type: 'account', id: 'alice' }, tell: true }, 'or its text'],
  ['an endless text', `nexa:account/${'x'.repeat(2_000)}`, 'or its text'],
])('%s is refused by field', (_what, from, message) => {
  const checked = open(from);
  expect(checked).toMatchObject({ ok: false, error: { code: 'invalid-message', where: { field: 'from' } } });
  expect(checked.ok ? '' : checked.error.message).toContain(message);
});

test('outside a binder a text stays a text, and the binder ends with its call even when the parse throws', () => {
  expect(() =>
    withBinder(bind, () => {
      throw new Error('x');
    }),
  ).toThrow('x');
  expect(validateCommand(bank, { type: 'open', from: 'nexa:account/alice' }, { from: 'public' })).toMatchObject({ ok: false });
  expect(validateState(bank, { main: refNamed('account', 'alice') })).toMatchObject({ ok: true });
});

test('a ref in state is not frozen and its JSON is its text', () => {
  const state = withBinder(bind, () => validateState(bank, { main: 'nexa:account/alice' }));
  expect(JSON.stringify(state)).toBe('{"ok":true,"value":{"main":"nexa:account/alice"}}');
  expect(state.ok && Object.isFrozen((state.value as { main: object }).main)).toBe(false);
});

test('its JSON form is the text of an address, under describe() too', () => {
  const input = describe(bank).commands.open?.input;
  const properties = (input?.properties ?? {}) as Record<string, object>;
  expect(properties.from).toMatchObject({ type: 'string', pattern: '^nexa:account/.+$' });
  expect(properties.also).toMatchObject({ type: 'string', description: 'another' });
});
