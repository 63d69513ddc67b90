import { describe, expect, test } from 'vitest';
import { LogRing } from '../../src/edge/log-ring.ts';
import { NexaError } from '../../src/errors.ts';
import type { Logger } from '../../src/ports/logger.ts';
import { manualClock } from '../support/manual-clock.ts';

function world() {
  const written: unknown[][] = [];
  const logger = (bound: object): Logger => ({
    debug: (fields, message) => written.push(['debug', { ...bound, ...fields }, message]),
    info: (fields, message) => written.push(['info', { ...bound, ...fields }, message]),
    warn: (fields, message) => written.push(['warn', { ...bound, ...fields }, message]),
    error: (fields, message) => written.push(['error', { ...bound, ...fields }, message]),
    child: (fields) => logger({ ...bound, ...fields }),
  });
  const ring = new LogRing(manualClock());
  const log = ring.keeping(logger({}));
  const messages = (wanted: Partial<Parameters<LogRing['page']>[0]> = {}) =>
    ring.page({ level: 'info', limit: 1_000, ...wanted }).lines.map(({ message }) => message);
  return { ring, log, written, messages };
}

describe('the log that a node keeps', () => {
  test('has what was logged from info on, with the fields of its parents, and the log itself gets everything', () => {
    const { ring, log, written } = world();
    const child = log.child({ node: 'n1' }).child({ actor: 'a' });
    child.debug({ n: 1 }, 'small talk');
    child.warn({ code: 'fenced' }, 'a later owner');
    expect(ring.page({ level: 'info', limit: 10 })).toEqual({
      lines: [
        { n: 1, atMs: expect.any(Number), level: 'warn', message: 'a later owner', fields: { node: 'n1', actor: 'a', code: 'fenced' } },
      ],
      last: 1,
      lost: 0,
    });
    expect(written).toEqual([
      ['debug', { node: 'n1', actor: 'a', n: 1 }, 'small talk'],
      ['warn', { node: 'n1', actor: 'a', code: 'fenced' }, 'a later owner'],
    ]);
  });

  test('shows from a level on, the newest first to be kept, or goes on after a line', () => {
    const { ring, log, messages } = world();
    log.info({}, 'a');
    log.error({}, 'b');
    log.warn({}, 'c');
    expect(messages({ level: 'warn' })).toEqual(['b', 'c']);
    expect(messages({ limit: 2 })).toEqual(['b', 'c']);
    expect(messages({ after: 1 })).toEqual(['b', 'c']);
    expect(ring.page({ level: 'info', limit: 1, after: 1 })).toMatchObject({ lines: [{ n: 2 }], last: 2, lost: 0 });
    expect(ring.page({ level: 'error', limit: 10, after: 2 })).toEqual({ lines: [], last: 3, lost: 0 });
  });

  test('never shows a secret: not by the name of its field at any depth, not in a URL, not in a header', () => {
    const { ring, log } = world();
    log.warn(
      {
        password: 'hunter2',
        nested: { apiKey: 'hunter2', deep: [{ Authorization: 'hunter2', token: { a: 'hunter2' } }] },
        url: 'nats://user:hunter2@host:4222',
        error: new NexaError('denied', 'refused Bearer hunter2hunter2 at nats://hunter2@host'),
        plain: new Error('tls://hunter2@host'),
      },
      'could not connect to nats://user:hunter2@host',
    );
    const text = JSON.stringify(ring.page({ level: 'info', limit: 10 }));
    expect(text).not.toContain('hunter2');
    expect(text).toContain('nats://[redacted]@host:4222');
  });

  test('is bounded in lines and in bytes, whatever is logged, and says how many lines a follower has lost', () => {
    const { ring, log } = world();
    const cyclic: Record<string, unknown> = {
      trap: {
        get secret() {
          throw new Error('no');
        },
        get other() {
          throw new Error('no');
        },
      },
    };
    cyclic.self = cyclic;
    log.error(cyclic, 'cyclic');
    const large = Object.fromEntries(Array.from({ length: 1_000 }, (_, index) => [`f${index}`, 'y'.repeat(1_000)]));
    for (let count = 0; count < 2_000; count++) log.info(large, 'z'.repeat(10_000));
    const { lines, lost, last } = ring.page({ level: 'info', limit: 1_000, after: 0 });
    expect(last).toBe(lines.at(-1)?.n);
    expect(lost).toBe((lines[0]?.n ?? 0) - 1);
    expect(lost).toBeGreaterThan(900);
    expect(JSON.stringify(lines).length).toBeLessThan(300_000);
    for (let count = 0; count < 5_000; count++) log.info({}, 'short');
    expect(ring.page({ level: 'info', limit: 10_000, after: 0 })).toMatchObject({ lost: 6_001, last: 7_001 });
  });
});
