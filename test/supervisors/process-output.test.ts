import { expect, test } from 'vitest';
import { OutputLines } from '../../supervisors/process-output.ts';

const texts = (lines: readonly { readonly text: string }[]): readonly string[] => lines.map(({ text }) => text);

test('lines are made of what comes in pieces, also within a character, and the streams do not mix', () => {
  const output = new OutputLines(10_000);
  const bytes = Buffer.from('grüß\r\ngott');
  expect(texts(output.take('stdout', bytes.subarray(0, 3)))).toEqual([]);
  expect(texts(output.take('stderr', Buffer.from('oops\n')))).toEqual(['oops']);
  expect(texts(output.take('stdout', bytes.subarray(3)))).toEqual(['grüß']);
  expect(texts(output.end('stdout'))).toEqual(['gott']);
  expect(output.end('stderr')).toEqual([]);
  expect(output.tail(9)).toEqual({
    lines: [
      { stream: 'stderr', text: 'oops', cut: false },
      { stream: 'stdout', text: 'grüß', cut: false },
      { stream: 'stdout', text: 'gott', cut: false },
    ],
    dropped: 0,
  });
});

test('of a line without end only the beginning is kept, and it says so', () => {
  const output = new OutputLines(100_000);
  for (let piece = 0; piece < 100; piece++) output.take('stdout', Buffer.alloc(1_000, 'x'));
  const [line] = output.take('stdout', Buffer.from('\nnext\n'));
  expect(line).toMatchObject({ text: 'x'.repeat(4_096), cut: true });
  expect(output.tail(1).lines).toEqual([{ stream: 'stdout', text: 'next', cut: false }]);
});

test('the oldest lines give way to new ones, and are counted', () => {
  const output = new OutputLines(1_024);
  for (let line = 0; line < 1_000; line++) output.take('stdout', Buffer.from(`line ${line}\n`));
  const { lines, dropped } = output.tail(1_000);
  expect(lines.at(-1)?.text).toBe('line 999');
  expect(lines.length + dropped).toBe(1_000);
  expect(lines.reduce((bytes, { text }) => bytes + text.length, 0)).toBeLessThan(1_024);
  expect(output.tail(2)).toMatchObject({ dropped: 998 });
  expect(output.lines).toBe(1_000);
});
