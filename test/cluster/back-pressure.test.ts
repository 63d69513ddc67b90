import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Envelope } from '../../src/actor/envelope.ts';
import type { Pressure } from '../../src/actor/mailbox.ts';
import type { FaultSettings } from '../../src/memory/network.ts';
import { actor, type Node, world } from './remotes.ts';

const LIMIT = 100;
const HIGH = 80;
const WINDOW = { messages: 400, bytes: 100_000 };

/** Two nodes, and on b two actors whose mailboxes take 100: `slow` handles one message every few milliseconds, `quick` all at once. */
function slowConsumer(
  options: { readonly everyMs?: number; readonly faults?: FaultSettings; readonly sheds?: boolean; readonly seed?: number } = {},
) {
  const one = world({ bounds: { window: WINDOW }, ...(options.faults && { faults: options.faults }), seed: options.seed ?? 1 });
  const { a, b, clock } = one;
  const mailbox: Envelope[] = [];
  const slow: unknown[] = [];
  const quick: unknown[] = [];
  const overflowed: Envelope[] = [];
  b.room = (envelope) => {
    if (envelope.to.kind === 'incarnation' && envelope.to.path === 'quick') {
      quick.push(envelope.message);
      return true;
    }
    if (mailbox.length < LIMIT) mailbox.push(envelope);
    else overflowed.push(envelope);
    return mailbox.length < HIGH;
  };
  const pressure = (): Pressure => (mailbox.length < HIGH ? 'room' : options.sheds === true ? 'sheds' : 'high');
  b.pressure = (to) => (to.kind === 'incarnation' && to.path === 'slow' ? pressure() : 'room');
  let handling = true;
  const handle = (): void => {
    if (!handling) return;
    const next = mailbox.shift();
    if (next !== undefined) slow.push(next.message);
    clock.after(options.everyMs ?? 2, handle);
  };
  handle();
  const to = (path: string) => actor(b.self, path, 1);
  const tell = (path: string, message: unknown): boolean => a.remote.send('b', 1, { to: to(path), message });
  const ready = (path: string, timeoutMs = 60_000): Promise<void> => a.remote.ready('b', 1, { timeoutMs, to: to(path) });
  return {
    ...one,
    slow,
    quick,
    overflowed,
    tell,
    ready,
    to,
    mailbox,
    stopHandling: () => {
      handling = false;
    },
  };
}
const peer = (node: Node) => node.remote.peers()[0];
const upTo = (count: number): readonly number[] => Array.from({ length: count }, (_, index) => index);

describe('a producer that waits when tell answers false', () => {
  test('loses nothing to a slow consumer on another node, in order, and other actors there are not held up', async () => {
    const { tell, ready, slow, quick, overflowed, clock, a, b } = slowConsumer({ faults: { link: { delayMs: [1, 3] } } });
    let waits = 0;
    const producing = (async () => {
      for (const n of upTo(2_000)) {
        if (tell('slow', n)) continue;
        waits++;
        await ready('slow');
      }
    })();
    await clock.advance(500);
    expect(tell('quick', 'at once')).toBe(true);
    await clock.advance(10);
    expect(quick).toEqual(['at once']);
    expect(slow.length).toBeLessThan(300);
    await clock.advance(10_000);
    await producing;
    expect(slow).toEqual(upTo(2_000));
    expect([overflowed, a.refused, b.dead, a.remote.counters.refused]).toEqual([[], [], [], 0]);
    expect(waits).toBeGreaterThan(2);
  });

  test('hears false and true again although pulses are lost', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer(), async (seed) => {
        const { tell, ready, slow, clock, network, overflowed, b } = slowConsumer({
          seed,
          faults: { link: { delayMs: [0, 5], drop: 0.2 } },
        });
        const producing = (async () => {
          for (const n of upTo(600)) if (!tell('slow', n)) await ready('slow');
        })();
        await clock.advance(5_000);
        network.faults.link.drop = 0;
        await clock.advance(20_000);
        await producing;
        expect(overflowed).toEqual([]);
        expect(slow).toEqual([...slow].sort((x, y) => (x as number) - (y as number)));
        expect(slow.length + b.remote.counters.gaps).toBe(600);
        expect(tell('slow', 'again')).toBe(true);
      }),
      { numRuns: 10 },
    );
  });
});

describe('a producer that does not', () => {
  test('is refused as overloaded, while what waits here, on its way and there stays within the stated bounds', async () => {
    const { tell, slow, overflowed, clock, a, b } = slowConsumer({ faults: { link: { delayMs: [1, 1] } } });
    const text = 'x'.repeat(100);
    for (let n = 0; n < 20_000; n++) {
      tell('slow', text);
      if (n % 20 === 0) await clock.advance(1);
      const [here, there] = [peer(a), peer(b)];
      expect((here?.inFlight ?? 0) + (there?.parked ?? 0)).toBeLessThanOrEqual(4 * WINDOW.messages + 4 * WINDOW.messages);
      expect(there?.parked ?? 0).toBeLessThanOrEqual(4 * WINDOW.messages);
      expect(there?.parkedBytes ?? 0).toBeLessThanOrEqual(4 * WINDOW.bytes);
    }
    await clock.advance(10_000);
    expect(a.refused.length).toBeGreaterThan(15_000);
    expect(a.refused.every(({ error, reason }) => error.code === 'overloaded' && reason === 'overloaded')).toBe(true);
    expect(overflowed).toEqual([]);
    // Nothing is silent: each was handled, refused here, or is a dead letter there.
    expect(slow.length + a.refused.length + b.dead.length).toBe(20_000);
    expect([peer(b)?.parked, peer(b)?.parkedBytes]).toEqual([0, 0]);
  });

  test('does not shut out what others send to other actors there', async () => {
    const { tell, quick, clock, a, stopHandling } = slowConsumer({ faults: { link: { delayMs: [1, 1] } } });
    stopHandling();
    for (let n = 0; n < 3_000; n++) {
      tell('slow', n);
      if (n % 50 === 0) await clock.advance(1);
    }
    await clock.advance(1_000);
    const before = a.refused.length;
    for (const n of upTo(200)) {
      tell('quick', n);
      await clock.advance(1);
    }
    await clock.advance(1_000);
    expect(quick).toEqual(upTo(200));
    expect(a.refused).toHaveLength(before);
  });
});

describe('an ask', () => {
  const asked = (one: ReturnType<typeof slowConsumer>) => {
    const { a, to } = one;
    a.remote.send('b', 1, { to: to('slow'), message: 'asked', replyTo: actor(a.self, '?', 5), budgetMs: 60_000 });
  };

  test('keeps its place behind what its sender told before', async () => {
    const one = slowConsumer({ faults: { link: { delayMs: [1, 1] } } });
    for (const n of upTo(300)) one.tell('slow', n);
    await one.clock.advance(5);
    expect(peer(one.b)?.parked).toBeGreaterThan(100);
    asked(one);
    await one.clock.advance(5_000);
    expect(one.slow).toEqual([...upTo(300), 'asked']);
  });

  test('with nothing parked meets the mailbox, which says at once that it is full', async () => {
    const one = slowConsumer({ faults: { link: { delayMs: [1, 1] } } });
    one.stopHandling();
    for (const n of upTo(HIGH)) one.tell('slow', n);
    await one.clock.advance(100);
    for (let more = 0; more < 30; more++) asked(one);
    await one.clock.advance(100);
    expect([one.mailbox.length, one.overflowed.length, peer(one.b)?.parked]).toEqual([LIMIT, HIGH + 30 - LIMIT, 0]);
  });

  test('behind more than a window of messages is refused at once: somebody there does not listen', async () => {
    const one = slowConsumer({ faults: { link: { delayMs: [1, 1] } } });
    one.stopHandling();
    for (const n of upTo(700)) one.tell('slow', n);
    await one.clock.advance(100);
    expect(peer(one.b)?.parked).toBeGreaterThan(WINDOW.messages);
    asked(one);
    await one.clock.advance(100);
    expect(one.a.received.map(({ envelope }) => envelope.message)).toMatchObject([
      { ok: false, error: { code: 'mailbox-full', definite: true } },
    ]);
    expect(one.b.dead.map(({ reason }) => reason)).toEqual(['mailbox-full']);
  });
});

test('a mailbox that sheds by its own choice gets everything, and its senders are told all the same', async () => {
  const { tell, clock, b, overflowed, stopHandling } = slowConsumer({ sheds: true, faults: { link: { delayMs: [1, 1] } } });
  stopHandling();
  for (const n of upTo(300)) tell('slow', n);
  await clock.advance(100);
  expect([overflowed.length, peer(b)?.parked]).toEqual([200, 0]);
  expect(tell('slow', 300)).toBe(false);
});

test('what had arrived from a node that is gone is still handled', async () => {
  const { a, b, tell, clock, slow, gone, mailbox } = slowConsumer({ faults: { link: { delayMs: [1, 1] } } });
  for (const n of upTo(90)) tell('slow', n);
  await clock.advance(5);
  expect(peer(b)?.parked).toBeGreaterThan(0);
  gone.add('a.1');
  b.remote.gone(a.self.node, a.self.incarnation);
  expect(mailbox.length).toBeGreaterThan(HIGH);
  await clock.advance(1_000);
  expect(slow).toEqual(upTo(90));
});

test('the window shrinks while the receiver has messages parked, and grows back', async () => {
  const { a, b, tell, clock, slow, stopHandling } = slowConsumer({ faults: { link: { delayMs: [1, 1] } } });
  for (const n of upTo(400)) tell('slow', n);
  await clock.advance(20);
  const parked = peer(b)?.parked ?? 0;
  expect(parked).toBeGreaterThan(200);
  await clock.advance(600);
  // To an actor that has room: as many as the window has left.
  let free = 0;
  while (tell('quick', 0)) free++;
  expect(free).toBeLessThan(WINDOW.messages);
  await clock.advance(5_000);
  expect(slow).toHaveLength(400);
  stopHandling();
  free = 0;
  while (tell('quick', 0)) free++;
  expect(free).toBe(WINDOW.messages);
  expect(a.refused).toEqual([]);
});
