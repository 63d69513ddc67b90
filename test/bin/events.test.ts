import { expect, test } from 'vitest';
import type { SeenEvent } from '../../bin/event-line.ts';
import type { Client } from '../../src/client.ts';
import { NexaError } from '../../src/errors.ts';
import { nexa } from './run.ts';

const at = { node: 'n1', incarnation: 7, n: 1, atMs: Date.UTC(2026, 0, 1, 12, 3, 4, 5) };
const moved = { event: 'moved', ...at, agent: { type: 'counter', id: 'alice' }, from: 'n2', to: 'n1', cause: 'crash', why: 'n2 was lost' };
const member = (state: string, node = 'n1') => ({
  ...{ ...at, event: 'member', node },
  member: { node: 'n2', incarnation: 3, state, cordoned: false, suspended: false, version: '0.1.0', labels: {} },
});

/** A cluster that tells these events and is then left, if there are any. */
function telling(events: readonly SeenEvent[], nodes: () => Promise<unknown> = async () => []) {
  const ended = new AbortController();
  const wanted: unknown[] = [];
  let cancelled = 0;
  const client = {
    cluster: {
      events: (filter: unknown, listener: (event: SeenEvent) => void) => {
        wanted.push(filter);
        queueMicrotask(() => {
          for (const event of events) listener(event);
          if (events.length > 0) ended.abort();
        });
        return () => void cancelled++;
      },
      nodes,
    },
    [Symbol.asyncDispose]: async () => undefined,
  } as unknown as Client;
  const run = (...argv: string[]) => nexa(['events', ...argv], { connect: async () => client, ended: ended.signal });
  return { run, wanted, cancelled: () => cancelled };
}

test('events are lines with time, node, what happened, to whom, and the rest', async () => {
  const { run, cancelled } = telling([moved, member('gone')]);
  const { exit, stdout } = await run();
  expect(exit).toBe(0);
  const [first, second] = stdout.split('\n');
  expect(first).toMatch(/^\d\d:\d\d:04\.005 n1 moved counter\/alice from=n2 to=n1 cause=crash why=n2 was lost$/);
  expect(second).toMatch(/ n1 member n2 gone$/);
  expect(cancelled()).toBe(1);
});

test('as JSON each event is one line, as it came', async () => {
  const { stdout } = await telling([moved, member('up')]).run('-o', 'json');
  expect(
    stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line)),
  ).toEqual([moved, member('up')]);
});

test('kinds and a node are asked for, an agent is looked for, and a limit ends it', async () => {
  const other = { ...moved, agent: { type: 'counter', id: 'bob' } };
  const one = telling([other, moved, moved]);
  const { stdout } = await one.run('moved', 'fenced', '--node', 'n1', '--agent', 'counter/alice', '--limit', '1');
  expect(one.wanted).toEqual([{ kinds: ['moved', 'fenced'], node: 'n1' }]);
  expect(stdout.trimEnd().split('\n')).toHaveLength(1);
  expect(stdout).toContain('counter/alice');
});

test('what every node says of a member is told once', async () => {
  const { stdout } = await telling([member('up'), member('up', 'n3'), member('gone', 'n3'), member('gone')]).run();
  expect(stdout.trimEnd().split('\n')).toHaveLength(2);
});

test('control characters of ids and reasons are shown escaped', async () => {
  const hostile = { ...moved, agent: { type: 'counter', id: '\u001b[2J\u0007' }, why: '\u009b31mred\u202e', '\u001b': 1 };
  const { stdout } = await telling([hostile]).run();
  expect(stdout).toContain('counter/\\u{1b}[2J\\u{7}');
  expect(stdout.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}]/u);
});

test('a kind that cannot be one, and a cluster that is not there, are errors', async () => {
  expect(await telling([]).run('moved', '*')).toMatchObject({ exit: 2, stderr: expect.stringContaining('no kind of event') });
  const gone = telling([], async () => {
    throw new NexaError('unavailable', 'no node of the cluster listens there');
  });
  expect(await gone.run()).toMatchObject({ exit: 4 });
  expect(gone.cancelled()).toBe(1);
});
