import { expect, test } from 'vitest';
import { createCodec } from '../../src/cluster/codec.ts';
import { codecCheck } from '../../src/cluster/codec-check.ts';
import { NexaError } from '../../src/errors.ts';
import type { Check, Finding } from '../../src/ports/check.ts';
import { logResult, lookAgain, requirePassed, selfTest, summary } from '../../supervisors/self-test.ts';
import { manualClock } from '../support/manual-clock.ts';

const fine: Finding = { verdict: 'ok', message: 'fine' };
const check = (name: string, run: Check['run'] = async () => fine, more: Partial<Check> = {}): Check => ({
  name,
  required: true,
  timeoutMs: 1_000,
  run,
  ...more,
});
const failing =
  (message: string, more: Partial<Finding> = {}) =>
  async (): Promise<Finding> => ({ verdict: 'failed', message, fix: 'Mend it.', ...more });

test('checks run at once, each after those it names, and the results keep the order of the list', async () => {
  const clock = manualClock();
  const begun: string[] = [];
  const takes = (name: string, ms: number) => () => {
    begun.push(`${name} ${clock.monotonicMs()}`);
    return new Promise<Finding>((resolve) => void clock.after(ms, () => resolve(fine)));
  };
  const through: string[] = [];
  const running = selfTest([check('a', takes('a', 30)), check('b', takes('b', 10)), check('c', takes('c', 5), { after: ['a', 'b'] })], {
    clock,
    onResult: (result) => through.push(result.check),
  });
  await clock.advance(100);
  const { checks, verdict, tookMs } = await running;
  expect(begun).toEqual(['a 0', 'b 0', 'c 30']);
  expect(through).toEqual(['b', 'a', 'c']);
  expect(checks.map((result) => [result.check, result.tookMs])).toEqual([
    ['a', 30],
    ['b', 10],
    ['c', 5],
  ]);
  expect([verdict, tookMs]).toEqual(['ok', 35]);
});

test('what stands on a failed check is skipped, and that is not a failure of its own', async () => {
  const { checks, verdict } = await selfTest(
    [check('store', failing('gone')), check('races', undefined, { after: ['store'] }), check('other')],
    { clock: manualClock() },
  );
  expect(checks.map((result) => `${result.check} ${result.verdict}`)).toEqual(['store failed', 'races skipped', 'other ok']);
  expect(checks[1]?.message).toContain('store');
  expect(verdict).toBe('failed');
});

test('a check that does not come to an end fails at its bound, and one that throws fails with what it threw', async () => {
  const clock = manualClock();
  const thrown = new NexaError('conflict', 'taken', { where: { port: '1' }, fix: 'Choose another.' });
  const running = selfTest(
    [
      check('hangs', () => new Promise<Finding>(() => {}), { timeoutMs: 50 }),
      check('throws', () => Promise.reject(thrown)),
      check('breaks', () => {
        throw new TypeError('a bug');
      }),
    ],
    { clock },
  );
  await clock.advance(60);
  const { checks } = await running;
  expect(checks).toMatchObject([
    { verdict: 'failed', code: 'unavailable', tookMs: 50, fix: expect.any(String) },
    { verdict: 'failed', code: 'conflict', message: 'taken', where: { port: '1' }, fix: 'Choose another.' },
    { verdict: 'failed', code: 'internal', message: expect.stringContaining('a bug'), fix: expect.any(String) },
  ]);
});

test('a failed required check is an error with its code and every fix; a failed optional one leaves the node degraded', async () => {
  const clock = manualClock();
  const optional = await selfTest([check('db', failing('down'), { required: false })], { clock });
  expect(optional.verdict).toBe('degraded');
  expect(() => requirePassed(optional.checks)).not.toThrow();
  const required = await selfTest(
    [check('port', failing('taken', { code: 'conflict', where: { port: '7' } })), check('disk', failing('full', { fix: 'Free some.' }))],
    { clock, before: optional.checks },
  );
  expect(required.verdict).toBe('failed');
  expect(required.checks.map((result) => result.check)).toEqual(['db', 'port', 'disk']);
  expect(() => requirePassed(required.checks)).toThrow(
    expect.objectContaining({
      code: 'conflict',
      definite: true,
      message: 'taken; full',
      where: { check: 'port disk', port: '7' },
      fix: 'Mend it. Free some.',
    }),
  );
});

test('a check can be looked at again', async () => {
  const clock = manualClock();
  let up = false;
  const service = check('service:db', async () => (up ? fine : { verdict: 'failed', message: 'down', fix: 'Start it.' }), {
    required: false,
  });
  const first = await lookAgain(service, clock);
  up = true;
  const second = await lookAgain(service, clock);
  expect([summary([first]).verdict, summary([second]).verdict]).toEqual(['degraded', 'ok']);
});

test('the log has a warning for what is not fine, with its fix, and news for the rest', async () => {
  const lines: unknown[] = [];
  const log = {
    debug: () => undefined,
    info: (fields: object, message: string) => lines.push(['info', fields, message]),
    warn: (fields: object, message: string) => lines.push(['warn', fields, message]),
    error: () => undefined,
    child: () => log,
  };
  const { checks } = await selfTest([check('a'), check('b', failing('broken'))], { clock: manualClock() });
  for (const result of checks) logResult(log, result);
  expect(lines).toEqual([
    ['info', { check: 'a', required: true, tookMs: 0, verdict: 'ok' }, 'fine'],
    ['warn', { check: 'b', required: true, tookMs: 0, verdict: 'failed', fix: 'Mend it.' }, 'broken'],
  ]);
});

test('a codec that writes or reads otherwise than all others is found', async () => {
  const clock = manualClock();
  const codec = createCodec();
  const verdicts = [];
  for (const tried of [
    codec,
    { ...codec, encode: (value: unknown) => codec.encode([value]) },
    { ...codec, decode: (payload: Uint8Array) => [codec.decode(payload)] },
  ])
    verdicts.push((await lookAgain(codecCheck(tried), clock)).verdict);
  expect(verdicts).toEqual(['ok', 'failed', 'failed']);
});
