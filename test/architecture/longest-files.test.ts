import { expect, test } from 'vitest';
import { sources, text } from './source.ts';

test('the ten longest files are known', () => {
  const longest = sources('index.ts', 'src', 'actors', 'supervisors', 'chaos', 'bin')
    .map((path) => ({ path, lines: text(path).split('\n').length - 1 }))
    .sort((a, b) => b.lines - a.lines)
    .slice(0, 10);
  console.log(
    `the ten longest files; near 300 lines, look for the second idea\n${longest.map(({ path, lines }) => `${String(lines).padStart(6)}  ${path}`).join('\n')}`,
  );
  expect(longest.length).toBeGreaterThan(0);
});
