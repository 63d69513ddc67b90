import { describe, expect, test } from 'vitest';
import { eventStream } from '../../src/actor/event-stream.ts';
import type { RuntimeEvent } from '../../src/actor/events.ts';
import { silentLogger } from '../../src/actor/safe-logger.ts';
import { clientOver } from '../../src/client.ts';
import { subjects } from '../../src/cluster/subject.ts';
import { decodeEvent, encodeEvent, type PublicEvent } from '../../src/edge/public-event.ts';
import { publishEvents } from '../../src/edge/publish-events.ts';
import { NexaError } from '../../src/errors.ts';
import { memoryNetwork } from '../../src/memory/network.ts';
import { seededRandom } from '../../src/memory/random.ts';
import { manualClock } from '../support/manual-clock.ts';

const names = subjects('test');
const self = { node: 'n1', incarnation: 7 };
const alice = { kind: 'agent', type: 'counter', id: 'alice' } as const;

/** One node that publishes its events, and a client that listens. */
function world(
  wanted: { readonly node?: string; readonly kinds?: readonly string[] } = {},
  bounds: { burst?: number; perSecond?: number } = {},
) {
  const clock = manualClock();
  const random = seededRandom(1);
  const network = memoryNetwork({ clock, random });
  const events = eventStream(silentLogger);
  const { transport } = network.connect('n1');
  const publishing = publishEvents({ events, transport, subjects: names, clock, log: silentLogger, self, ...bounds });
  const outside = network.connect('client').transport;
  const client = clientOver({ transport: outside, subjects: names, clock, random });
  const heard: PublicEvent[] = [];
  const cancel = client.cluster.events(wanted, (event) => heard.push(event));
  /** What a listener has heard some time after these happened. */
  const hears = async (...happened: readonly RuntimeEvent[]): Promise<readonly PublicEvent[]> => {
    for (const event of happened) events.publish(event);
    await clock.advance(20);
    return heard;
  };
  return { clock, events, publishing, heard, hears, outside, cancel, network };
}
const letter = (message: unknown = { type: 'add', password: 'hunter2' }): RuntimeEvent => ({
  event: 'dead-letter',
  envelope: { to: alice, message, from: { kind: 'agent', type: 'echo', id: 'e' } },
  reason: 'mailbox-full',
});

describe('what a node tells outsiders', () => {
  test('each event says which node, when, about whom, and counts up', async () => {
    const { hears } = world();
    const heard = await hears(
      { event: 'activated', address: alice, epoch: 12 },
      { event: 'moved', address: alice, from: 'n2', to: 'n1', epoch: 13, cause: 'crash', why: 'node n2 was lost' },
      {
        event: 'slow-handler',
        address: { kind: 'incarnation', node: 'n1', nodeIncarnation: 7, path: 'a/b', uid: 3 },
        type: 'add',
        tookMs: 2_000,
        heldLoopMs: 3,
        limitMs: 1_000,
        running: false,
      },
      { event: 'restarted', address: alice, error: new NexaError('crashed', 'boom'), restarts: 2, delayMs: 100 },
    );
    expect(heard).toEqual([
      { event: 'activated', ...self, n: 1, atMs: expect.any(Number), agent: { type: 'counter', id: 'alice' }, epoch: 12 },
      {
        ...{ event: 'moved', ...self, n: 2, atMs: expect.any(Number), agent: { type: 'counter', id: 'alice' } },
        ...{ from: 'n2', to: 'n1', epoch: 13, cause: 'crash', why: 'node n2 was lost' },
      },
      {
        ...{ event: 'slow-handler', ...self, n: 3, atMs: expect.any(Number), actor: 'nexa://n1.7/a/b#3', type: 'add' },
        ...{ tookMs: 2_000, heldLoopMs: 3, limitMs: 1_000, running: false },
      },
      {
        ...{ event: 'restarted', ...self, n: 4, atMs: expect.any(Number), agent: { type: 'counter', id: 'alice' } },
        ...{ error: { code: 'crashed', message: 'boom' }, restarts: 2, delayMs: 100 },
      },
    ]);
  });

  test('a dead letter says from whom to whom and why, and nothing of its body', async () => {
    const { hears } = world();
    const [heard] = await hears(letter());
    expect(heard).toMatchObject({ agent: { type: 'counter', id: 'alice' }, from: 'nexa:echo/e', type: 'add', reason: 'mailbox-full' });
    expect(JSON.stringify(heard)).not.toContain('hunter2');
  });

  test('of actors that ended only those that failed are told', async () => {
    const { hears, publishing } = world();
    const heard = await hears(
      { event: 'stopped', address: alice, reason: 'stopped' },
      { event: 'stopped', address: alice, reason: 'failed' },
    );
    expect(heard).toMatchObject([{ event: 'stopped', reason: 'failed' }]);
    expect(publishing.counters).toEqual({ published: 1, omitted: 0, failed: 0 });
  });

  test('a listener hears the node and the kinds it asked for, and nothing after its cancel', async () => {
    const { hears, cancel, network, clock, heard } = world({ node: 'n1', kinds: ['moved', 'fenced'] });
    await hears({ event: 'activated', address: alice, epoch: 1 }, { event: 'fenced', address: alice, epoch: 1 });
    const other = network.connect('n2').transport;
    other.publish(names.events('n2', 'fenced'), encodeEvent({ event: 'fenced', node: 'n2', incarnation: 1, n: 1, atMs: 1 }));
    await clock.advance(20);
    expect(heard).toMatchObject([{ event: 'fenced', node: 'n1' }]);
    cancel();
    await hears({ event: 'fenced', address: alice, epoch: 2 });
    expect(heard).toHaveLength(1);
  });

  test('an id or a reason with control characters travels as data and is bounded', async () => {
    const { hears } = world();
    const hostile = `\u001b]0;owned\u0007\n\ud800${'x'.repeat(100_000)}`;
    const [heard] = await hears({
      ...{ event: 'moved', address: { kind: 'agent', type: 'counter', id: hostile }, from: 'n2', to: 'n1' },
      ...{ epoch: 1, cause: 'crash', why: hostile },
    } as RuntimeEvent);
    expect(heard?.agent?.id.startsWith('\u001b]0;owned\u0007\n\ufffd')).toBe(true);
    expect(JSON.stringify(heard).length).toBeLessThan(2_000);
  });

  test('what is too large altogether is told without its details', () => {
    const event = { event: 'alert', node: 'n1', incarnation: 1, n: 1, atMs: 1, list: Array.from({ length: 32 }, () => 'x'.repeat(500)) };
    const told = decodeEvent(encodeEvent(event));
    expect(told).toMatchObject({ event: 'alert', node: 'n1', n: 1, cutBytes: expect.any(Number) });
    expect(told).not.toHaveProperty('list');
  });

  test('what is no event is not passed on, whoever publishes it there', async () => {
    const { outside, clock, heard } = world();
    for (const text of [
      '',
      'nonsense',
      'null',
      '[]',
      '{"event":1}',
      '{"event":"moved","node":"n1"}',
      '{"event":"x","node":"n1","incarnation":1,"n":1,"atMs":1,"agent":"alice"}',
      'x'.repeat(20_000),
    ])
      outside.publish(names.events('n1', 'moved'), Buffer.from(text));
    await clock.advance(20);
    expect(heard).toEqual([]);
  });
});

describe('a flood', () => {
  test('of 100,000 dead letters is cut to its allowance, and what was left out is counted once a second', async () => {
    const { events, clock, heard, publishing } = world();
    const flood = letter();
    for (let count = 0; count < 100_000; count++) events.publish(flood);
    await clock.advance(20);
    expect(heard).toHaveLength(500);
    expect(publishing.counters).toMatchObject({ published: 500, omitted: 99_500 });
    await clock.advance(1_000);
    expect(heard).toHaveLength(501);
    expect(heard.at(-1)).toMatchObject({ event: 'omitted', of: 'dead-letter', count: 99_500 });
  });

  test('of one kind takes nothing from the others, and the allowance grows back', async () => {
    const { hears, heard, clock } = world({}, { burst: 2, perSecond: 10 });
    await hears(letter(), letter(), letter(), { event: 'fenced', address: alice, epoch: 1 });
    expect(heard.map(({ event }) => event)).toEqual(['dead-letter', 'dead-letter', 'fenced']);
    await clock.advance(200);
    await hears(letter(), letter(), letter());
    expect(heard.map(({ event }) => event)).toEqual(['dead-letter', 'dead-letter', 'fenced', 'dead-letter', 'dead-letter']);
    await clock.advance(1_000);
    expect(heard.at(-1)).toMatchObject({ of: 'dead-letter', count: 2 });
  });

  test('that is over says nothing more, and a stopped node nothing at all', async () => {
    const { hears, heard, clock, publishing } = world({}, { burst: 1, perSecond: 1 });
    await hears(letter(), letter());
    await clock.advance(1_000);
    expect(heard).toHaveLength(2);
    await clock.advance(10_000);
    expect(heard).toHaveLength(2);
    publishing.stop();
    await hears(letter());
    expect(heard).toHaveLength(2);
  });
});
