import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { commandNames } from '../../bin/commands.ts';
import { exitCodeOf } from '../../bin/exit-code.ts';
import { ERRORS, type ErrorCode } from '../../src/errors.ts';

const page = await readFile(new URL('../../docs/cli.md', import.meta.url), 'utf8');
const rows = page.split('\n').filter((line) => line.startsWith('|'));

test('docs/cli.md lists every error code under its exit code, once', () => {
  const documented = rows.flatMap((row) => {
    const [, exit, , codes] = /^\| (\d+) \| (.*?) \| (.*?) ?\|$/.exec(row) ?? [];
    return (codes ?? '').split(', ').flatMap((code) => (code === '' || code === 'usage' ? [] : [[code, Number(exit)]]));
  });
  const actual = (Object.keys(ERRORS) as ErrorCode[]).map((code) => [code, exitCodeOf(code)]);
  expect(documented.toSorted()).toEqual(actual.toSorted());
});

test('docs/cli.md lists every command', async () => {
  for (const name of await commandNames())
    expect(
      rows.some((row) => row.startsWith(`| \`nexa ${name}`)),
      name,
    ).toBe(true);
});
