import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { describe, expect, test } from 'vitest';
import { ERRORS } from '../../src/errors.ts';
import { findIn, root, text } from './source.ts';

/** The rows of a page's tables whose first cell is one `code` word, or the bare number of a promise; cells without markup. */
function rows(page: string, first: RegExp): string[][] {
  return text(page)
    .split('\n')
    .map((line) =>
      line
        .split(/(?<!\\)\|/)
        .slice(1, -1)
        .map((cell) => cell.trim().replaceAll('`', '')),
    )
    .filter(([cell]) => cell !== undefined && first.test(cell));
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
const word = /^[a-z]+(-[a-z]+)*$/;

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

describe('docs/semantics.md', () => {
  const promised = [...text('docs/semantics.md').matchAll(/^- \*\*([MLCB]\d+) /gm)].map(([, id]) => id);
  const status = rows('docs/semantics.md', /^[MLCB]\d+$/);
  const tests = readdirSync(join(root, 'test/semantics')).filter((name) => name.endsWith('.test.ts'));

  test('gives each promise one status', () => {
    expect(status.map(([id]) => id)).toEqual(promised);
  });

  test('calls kept what has a test, and nothing else', () => {
    const tested = status.filter(([id]) => tests.some((name) => name.startsWith(`${id?.toLowerCase()}-`))).map(([id]) => id);
    expect(status.filter(([, said]) => said !== 'not yet').map(([id]) => id)).toEqual(tested);
  });
});
