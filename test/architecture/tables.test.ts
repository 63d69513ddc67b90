import ts from 'typescript';
import { describe, expect, test } from 'vitest';
import { ERRORS } from '../../src/errors.ts';
import { findIn, sources, text } from './source.ts';

/** The rows of a page's tables whose first cell fits, as cells without markup. */
function rows(page: string, first: RegExp): string[][] {
  return text(page)
    .split('\n')
    .map((line) => line.split('|').slice(1, -1))
    .filter(([cell = '']) => first.test(cell.trim()))
    .map((cells) => cells.map((cell) => cell.trim().replaceAll('`', '')));
}

/** The literals of one property in the unions of a file: `event: 'a' | 'b'`. */
function literals(path: string, name: string): string[] {
  const found: string[] = [];
  findIn(path, (node) => {
    const type =
      ts.isPropertySignature(node) && node.name.getText() === name
        ? node.type
        : ts.isTypeAliasDeclaration(node) && node.name.text === name
          ? node.type
          : undefined;
    for (const part of type === undefined ? [] : ts.isUnionTypeNode(type) ? type.types : [type]) {
      if (ts.isLiteralTypeNode(part) && ts.isStringLiteral(part.literal)) found.push(part.literal.text);
    }
    return undefined;
  });
  return [...new Set(found)].sort();
}

const yes = (flag: boolean): string => (flag ? 'yes' : 'no');
const word = /^`[a-z]+(-[a-z]+)*`$/;

test('docs/errors.md says of each error code what the table in the code says', () => {
  const documented = rows('docs/errors.md', word).map((row) => row.slice(0, 4));
  const defined = Object.entries(ERRORS).map(([code, traits]) => [code, traits.category, yes(traits.retryable), yes(traits.definite)]);
  expect(documented.sort()).toEqual(defined.sort());
});

test('each error code comes with what it means and what to do', () => {
  for (const [code, , , , meaning, advice] of rows('docs/errors.md', word)) expect([code, meaning, advice].every(Boolean), code).toBe(true);
});

test('docs/events.md lists every event and every reason of a dead letter, and no other', () => {
  const documented = rows('docs/events.md', word).map(([cell]) => cell);
  expect(documented.sort()).toEqual(
    [...literals('src/actor/events.ts', 'event'), ...literals('src/actor/events.ts', 'DeadLetterReason')].sort(),
  );
});

test('docs/operations.md names for each thing that is bounded a test that exists', () => {
  const bounded = rows('docs/operations.md', /^[a-z]/).filter(([, , , pointer = '']) => pointer.startsWith('test/'));
  expect(bounded.length).toBeGreaterThan(20);
  const tests = sources('test');
  for (const [what, , , pointer] of bounded) expect(tests, what).toContain(pointer);
});

describe('docs/semantics.md', () => {
  const promised = [...text('docs/semantics.md').matchAll(/^- \*\*([MLCB]\d+) /gm)].map(([, id]) => id);
  const status = rows('docs/semantics.md', /^[MLCB]\d+$/).map(([id, said, patterns]) => ({
    id,
    said,
    patterns: (patterns ?? '').split(', ').filter(Boolean),
  }));
  const tests = sources('test').filter((path) => path.endsWith('.test.ts'));
  const fits = (path: string, pattern: string): boolean => {
    const [before = '', after] = pattern.split('*');
    return after === undefined ? path === pattern : path.startsWith(before) && path.endsWith(after);
  };

  test('gives each promise one status', () => {
    expect(status.map(({ id }) => id)).toEqual(promised);
    for (const { id, said } of status) expect(['kept', 'partly', 'not yet'], id).toContain(said);
  });

  test('names for each promise that is kept the tests that hold it, and they exist', () => {
    for (const { id, said, patterns } of status) {
      expect(patterns.length > 0, `${id} is ${said}`).toBe(said !== 'not yet');
      for (const pattern of patterns)
        expect(
          tests.some((path) => fits(path, pattern)),
          `${id}: ${pattern}`,
        ).toBe(true);
    }
  });

  test('knows every test of a promise', () => {
    const known = status.flatMap(({ patterns }) => patterns);
    expect(tests.filter((path) => path.startsWith('test/semantics/') && !known.some((pattern) => fits(path, pattern)))).toEqual([]);
  });
});
