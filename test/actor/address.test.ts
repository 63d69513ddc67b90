import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Address, decodeId, encodeId, formatAddress, parseAddress, sameAddress } from '../../src/actor/address.ts';
import { NexaError } from '../../src/errors.ts';
import { kit } from './kit.ts';

const id = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 40 })
  .filter((text) => text.isWellFormed() && Buffer.byteLength(text) <= 150);

describe('an address', () => {
  test('is the same after its text was read back', () => {
    const segment = fc.stringMatching(/^[A-Za-z0-9_\-.~$=+!*'(),:@]{1,20}$/);
    const addresses: fc.Arbitrary<Address> = fc.oneof(
      fc.record({ kind: fc.constant('agent' as const), type: fc.stringMatching(/^[a-z][a-z0-9-]{0,20}$/), id }),
      fc.record({
        kind: fc.constant('incarnation' as const),
        node: fc.stringMatching(/^[A-Za-z0-9_-]{1,20}$/),
        nodeIncarnation: fc.maxSafeNat(),
        path: fc.oneof(
          fc.array(segment, { minLength: 1, maxLength: 5 }).map((path) => path.join('/')),
          fc.constant('?'),
        ),
        uid: fc.maxSafeNat(),
      }),
    );
    fc.assert(
      fc.property(addresses, (address) => {
        const again = parseAddress(formatAddress(address));
        expect(again).toEqual(address);
        expect(sameAddress(again, address)).toBe(true);
      }),
    );
  });

  test('has exactly one encoded form per id, safe in every name', () => {
    fc.assert(
      fc.property(id, id, (one, other) => {
        expect(encodeId(one)).toMatch(/^=?[A-Za-z0-9_-]+$/);
        expect(decodeId(encodeId(one))).toBe(one);
        expect(encodeId(one) === encodeId(other)).toBe(one === other);
      }),
    );
  });

  test('refuses rubbish with a typed error and nothing else', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.string().map((text) => `nexa:${text}`),
          fc.string().map((text) => `nexa://n.1/${text}`),
        ),
        (text) => {
          try {
            expect(formatAddress(parseAddress(text))).toBe(text);
          } catch (error) {
            expect(error).toBeInstanceOf(NexaError);
            expect(['invalid-message', 'bad-id']).toContain((error as NexaError).code);
          }
        },
      ),
    );
    for (const text of [
      '',
      'nexa:',
      'nexa:counter/',
      'nexa:Counter/a',
      'nexa://n.1/#1',
      'nexa://n.1/a#',
      'nexa://n.x/a#1',
      'nexa://n.1/a b#1',
      'nexa://n.99999999999999999/a#1',
      'nexa:counter/=YQ',
      'nexa:counter/a.b',
      42,
    ]) {
      expect(() => parseAddress(text as string)).toThrow(NexaError);
    }
    for (const wrong of ['', '\ud800', 'x'.repeat(400)]) expect(() => encodeId(wrong)).toThrow(expect.objectContaining({ code: 'bad-id' }));
  });
});

test('a ref is made of an address only if its text would be read', async () => {
  await using world = kit();
  const { system } = world;
  const at = { kind: 'incarnation', node: 'n1', nodeIncarnation: 7, uid: 3 } as const;
  expect(system.unsafeRef({ ...at, path: 'a/b' }).toJSON()).toBe('nexa://n1.7/a/b#3');
  for (const path of ['', 'a b', 'a#b', 'a//b', '?other', 'ä', `${'a/'.repeat(64)}a`])
    expect(() => system.unsafeRef({ ...at, path }), path).toThrow(expect.objectContaining({ code: 'invalid-message' }));
  for (const odd of [{ node: 'n 1' }, { nodeIncarnation: -1 }, { uid: 0.5 }])
    expect(() => system.unsafeRef({ ...at, path: 'a', ...odd })).toThrow(expect.objectContaining({ code: 'invalid-message' }));
});
