import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { type ConfigKey, configKeys, keysAt } from '../../supervisors/config-keys.ts';

const page = await readFile(new URL('../../docs/configuration.md', import.meta.url), 'utf8');

/** A row of the table of docs/configuration.md. */
function row({ key, about, default: fallback, unit, flag, variable }: ConfigKey): string {
  const shown =
    fallback === undefined
      ? ''
      : typeof fallback === 'string' && / /.test(fallback)
        ? fallback
        : `\`${typeof fallback === 'string' ? fallback : JSON.stringify(fallback)}\``;
  const code = (names: string | undefined): string => names?.replaceAll(/[^, ]+/g, '`$&`') ?? '';
  return `| \`${key}\` | ${about} | ${[shown, unit ?? ''].join(' ').trim()} | ${code(flag)} | ${code(variable)} |`.replaceAll(
    / +\|/g,
    ' |',
  );
}

test('docs/configuration.md lists every key with its default, unit, flag and variable, as the schema has them', () => {
  const rows = configKeys().map(row);
  expect(page.split('\n').filter((line) => line.startsWith('| `'))).toEqual(rows);
});

test('the keys of a place are known, through names and lists', () => {
  expect(keysAt(['nats'])).toEqual(['urls', 'servers', 'port', 'data', 'fsync']);
  expect(keysAt(['processes', 'web'])).toContain('stopMs');
  expect(keysAt(['services', 0])).toEqual(expect.arrayContaining(['kind', 'host', 'port', 'url', 'expectStatus']));
  expect(keysAt(['labels'])).toEqual([]);
  expect(keysAt(['nowhere', 'at', 'all'])).toEqual([]);
});
