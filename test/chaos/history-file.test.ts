import { mkdtempSync, rmSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { historiesOf, readHistory, writeHistory } from '../../chaos/history-file.ts';
import { Refused } from '../../src/errors.ts';
import { failed, ok } from './support.ts';

const folder = mkdtempSync(join(tmpdir(), 'nexa-history-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let files = 0;
const fresh = (): string => join(folder, `${++files}.jsonl`);
const holding = async (text: string): Promise<string> => {
  const path = fresh();
  await writeFile(path, text);
  return path;
};
const good = JSON.stringify({ workload: 'w', operation: ok([1, 2], { type: 'read' }, { value: 1 }) });

describe('a history file', () => {
  test('gives back every outcome of every workload, in the order of invocation', async () => {
    const path = fresh();
    const file = await writeHistory(path);
    const late = ok([1, 9], { type: 'read' }, { value: null }, { requestId: 'r1' });
    const early = ok([2, 3], { type: 'write', value: [1, { a: 'ü' }] }, { value: 2 }, { key: 7 });
    file.write({ workload: 'a', operation: early });
    file.write({ workload: 'a', operation: late });
    file.write({ workload: 'b', operation: late });
    await file.close();
    expect(await historiesOf(path)).toEqual(
      new Map([
        ['a', [late, early]],
        ['b', [late]],
      ]),
    );
  });

  test('revives errors, with what is definite and what a refusal said', async () => {
    const path = fresh();
    const file = await writeHistory(path);
    const refusal = { ...failed([1, 2], { type: 'cas' }, 'fail'), error: new Refused('mismatch', { value: 3 }) };
    const unknown = failed([3, 4], { type: 'read' }, 'info');
    file.write({ workload: 'a', operation: refusal });
    file.write({ workload: 'a', operation: unknown });
    await file.close();
    const [first, second] = (await historiesOf(path)).get('a') ?? [];
    expect(first).toMatchObject({
      outcome: 'fail',
      error: { code: 'refused', refusal: 'mismatch', details: { value: 3 }, definite: true },
    });
    expect(first?.outcome === 'fail' && first.error).toBeInstanceOf(Refused);
    expect(second).toMatchObject({ outcome: 'info', error: { code: 'ask-timeout', definite: false } });
  });

  test('keeps a call that was still open as one that never ended', async () => {
    const path = fresh();
    const file = await writeHistory(path);
    file.write({ workload: 'a', operation: { ...failed([1, 2], {}, 'info'), endedAtMs: Number.POSITIVE_INFINITY } });
    await file.close();
    expect((await historiesOf(path)).get('a')?.[0]?.endedAtMs).toBe(Number.POSITIVE_INFINITY);
  });

  test('holds what was written when nobody closed it', async () => {
    const path = fresh();
    const file = await writeHistory(path);
    file.write({ workload: 'a', operation: ok([1, 2], { type: 'read' }, {}) });
    await expect.poll(async () => (await readFile(path, 'utf8')).length, { timeout: 20_000 }).toBeGreaterThan(0);
    expect((await historiesOf(path)).get('a')).toHaveLength(1);
    await file.close();
  });

  test('is never written over', async () => {
    const path = await holding(good);
    await expect(writeHistory(path)).rejects.toMatchObject({ code: 'conflict', where: { file: path } });
    await expect(writeHistory(join(folder, 'no', 'such.jsonl'))).rejects.toMatchObject({ code: 'unavailable' });
  });

  test('takes nothing after it was closed, and more than 16 MiB at once never', async () => {
    const file = await writeHistory(fresh());
    const large = { workload: 'a', operation: ok([1, 2], {}, 'x'.repeat(9 * 1_024 * 1_024)) };
    file.write(large);
    expect(() => file.write(large)).toThrow(expect.objectContaining({ code: 'overloaded' }));
    await file.close();
    await file.close();
    expect(() => file.write(large)).toThrow(expect.objectContaining({ code: 'context-misused' }));
  });

  test.each([
    ['a line that is no JSON', `${good}\n{nonsense\n`, 2, 'no JSON'],
    ['a line that is cut off', `${good}\n${good.slice(0, 30)}`, 2, 'cut off'],
    ['an empty line', `${good}\n\n`, 2, 'no JSON'],
    ['a list', '[]\n', 1, 'workload'],
    ['null', 'null\n', 1, 'workload'],
    ['a key that is none', `${good.replace('"key":0', '"key":-1')}\n`, 1, 'key'],
    ['an outcome that is none', `${good.replace('"ok"', '"fine"')}\n`, 1, 'outcome'],
    ['an end before the beginning', `${good.replace('"endedAtMs":2', '"endedAtMs":0')}\n`, 1, 'endedAtMs'],
    ['an answer without an end', `${good.replace('"endedAtMs":2', '"endedAtMs":null')}\n`, 1, 'endedAtMs'],
    ['a failure without an error', `${good.replace('"ok"', '"fail"')}\n`, 1, 'error'],
    ['no operation', '{"workload":"w"}\n', 1, 'key'],
    ['a line without an end', `${good}\n"${'x'.repeat(1_200_000)}`, 2, 'characters'],
  ])('refuses %s and names the line', async (_, text, line, what) => {
    const path = await holding(text);
    await expect(historiesOf(path)).rejects.toMatchObject({
      code: 'invalid-message',
      message: expect.stringContaining(what),
      where: { file: path, line: String(line) },
    });
  });

  test('that is not there is a typed error', async () => {
    await expect(historiesOf(join(folder, 'none.jsonl'))).rejects.toMatchObject({ code: 'invalid-message' });
  });

  test('may be left in the middle', async () => {
    const path = await holding(`${good}\n{nonsense\n`);
    for await (const line of readHistory(path)) {
      expect(line.workload).toBe('w');
      break;
    }
  });
});
