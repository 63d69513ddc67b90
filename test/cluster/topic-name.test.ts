import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { subjects } from '../../src/cluster/subject.ts';
import { NexaError } from '../../src/errors.ts';
import { matchesSubject } from '../../src/memory/subject-tree.ts';

const names = subjects('test');
const refusal = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    if (error instanceof NexaError) return `${error.code}: ${error.message}`;
  }
  return 'nothing';
};
const anyToken = fc.oneof(
  fc.string({ minLength: 1, maxLength: 40, unit: 'binary' }),
  fc.constantFrom('a b', '*', '>', '$SYS', '=YQ', 'é', '🙂', '\r\nPUB x 1'),
);
const publishable = fc
  .array(anyToken, { minLength: 1, maxLength: 6 })
  .map((tokens) => tokens.join('.'))
  .filter((name) => refusal(() => names.topic(name)) === 'nothing');

describe('names', () => {
  test('every name comes back exactly as given, from a subject below the cluster that has no wildcard and no white space', () => {
    fc.assert(
      fc.property(publishable, (name) => {
        const subject = names.topic(name);
        expect(subject).toMatch(/^nexa\.test\.v1\.topic(\.[A-Za-z0-9_=-]{1,255})+$/);
        expect(names.parseTopic(subject)).toBe(name);
      }),
    );
  });

  test('what a server says matches a pattern is what its tokens match', () => {
    const token = fc.constantFrom('a', 'b', 'ä', '*x'.slice(1));
    const tokens = fc.array(token, { minLength: 1, maxLength: 4 });
    const pattern = fc
      .tuple(fc.array(fc.constantFrom('a', 'b', 'ä', '*'), { minLength: 1, maxLength: 4 }), fc.boolean())
      .map(([parts, open]) => [...parts, ...(open ? ['>'] : [])].join('.'));
    fc.assert(
      fc.property(tokens, pattern, (name, filter) => {
        expect(matchesSubject(names.topics(filter), names.topic(name.join('.')))).toBe(matchesSubject(filter, name.join('.')));
      }),
    );
  });

  test.each([
    ['', 'a topic has a name'],
    ['orders..created', 'token 2 is empty'],
    ['.orders', 'token 1 is empty'],
    ['orders.', 'token 2 is empty'],
    ['orders.new ones', 'token 2 has white space or a character that cannot be seen'],
    ['orders.\u202e', 'token 2 has white space or a character that cannot be seen'],
    ['orders.*', 'token 2 has a wildcard, which only a subscription may'],
    ['orders.>', 'token 2 has a wildcard, which only a subscription may'],
    ['x'.repeat(256), 'the name of a topic has at most 255 bytes'],
    ['ä'.repeat(128), 'the name of a topic has at most 255 bytes'],
    ['\ud800', 'an id is a well-formed text'],
  ])('%j is no name to publish to', (name, why) => {
    expect(refusal(() => names.topic(name))).toMatch(new RegExp(`^bad-id: .*${why}|bad-id: token 1 has`));
  });

  test.each([
    ['orders.>.created', 'token 2 is >, which stands only at the end'],
    ['orders.a*', 'token 2 has a wildcard that is not the whole token'],
    ['orders.>x', 'token 2 has a wildcard that is not the whole token'],
  ])('%j is no pattern to subscribe to', (pattern, why) => {
    expect(refusal(() => names.topics(pattern))).toBe(`bad-id: ${why}`);
  });

  test('a second spelling of a name is refused on arrival, so that no message has two topics', () => {
    for (const encoded of ['=b3JkZXJz', 'a b', 'ä', '', 'a..b', '*'])
      expect(
        refusal(() => names.parseTopic(`nexa.test.v1.topic.${encoded}`)),
        encoded,
      ).toMatch(/^bad-id/);
    expect(refusal(() => names.parseTopic('nexa.other.v1.topic.a'))).toMatch(/^bad-id/);
  });
});
