import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { matchesSubject, SubjectTree } from '../../src/memory/subject-tree.ts';

const token = fc.constantFrom('a', 'b', 'c');
const subjects = fc.array(token, { minLength: 1, maxLength: 4 }).map((tokens) => tokens.join('.'));
const filters = fc
  .tuple(fc.array(fc.oneof(token, fc.constant('*')), { minLength: 1, maxLength: 4 }), fc.boolean())
  .map(([tokens, rest]) => [...tokens, ...(rest ? ['>'] : [])].join('.'));

describe('the tree of who listens', () => {
  it('finds what a comparison of each filter finds, while filters come and go', () => {
    fc.assert(
      fc.property(fc.array(fc.record({ filter: filters, removed: fc.boolean() }), { maxLength: 20 }), subjects, (entries, subject) => {
        const tree = new SubjectTree<number>();
        const cancels = entries.map(({ filter }, index) => tree.add(filter, index));
        for (const [index, { removed }] of entries.entries()) if (removed) cancels[index]?.();
        for (const [index, { removed }] of entries.entries()) if (removed) cancels[index]?.();
        const expected = entries.flatMap(({ filter, removed }, index) => (!removed && matchesSubject(filter, subject) ? [index] : []));
        expect(tree.match(subject).sort((one, other) => one - other)).toEqual(expected);
      }),
    );
  });

  it('keeps a later listener of a place whose first one cancels twice', () => {
    const tree = new SubjectTree<string>();
    const cancel = tree.add('a.*.c', 'first');
    cancel();
    tree.add('a.*.c', 'second');
    cancel();
    expect(tree.match('a.b.c')).toEqual(['second']);
  });
});
