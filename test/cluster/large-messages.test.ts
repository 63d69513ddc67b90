import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatAddress } from '../../src/actor/address.ts';
import { createCodec } from '../../src/cluster/codec.ts';
import { actor, type Node, names, numbers, silence, tell, world, writerOf } from './remotes.ts';

const MIB = 2 ** 20;
const big = (bytes: number, mark = 'x') => mark.repeat(bytes);
/** Short for what is compared: a large text as its length and first letter. */
const seen = (node: Node): unknown[] =>
  node.received.map(({ envelope: { message } }) =>
    typeof message === 'string' && message.length > 100 ? `${message[0]}${message.length}` : message,
  );
const from = (node: Node, path: string) => actor(node.self, path, 1);
const send = (a: Node, b: Node, sender: string, message: unknown, to = 'x') =>
  a.remote.send(b.self.node, b.self.incarnation, { to: actor(b.self, to, 1), from: from(a, sender), message });

describe('a large message', () => {
  test('arrives whole, up to the stated limit, and so does a large answer', async () => {
    const { a, b, clock } = world();
    tell(a, b, big(600_000));
    tell(a, b, { bytes: new Uint8Array(15 * MIB).fill(7) });
    b.remote.send('a', 1, { to: actor(a.self, '?', 4), message: { ok: true, value: big(3 * MIB) } });
    await clock.advance(1_000);
    expect(seen(b)[0]).toBe('x600000');
    const message = b.received[1]?.envelope.message as { readonly bytes: Uint8Array } | undefined;
    expect(Buffer.compare(message?.bytes ?? new Uint8Array(), new Uint8Array(15 * MIB).fill(7))).toBe(0);
    expect(b.received[1]?.envelope.sizeBytes).toBeGreaterThan(15 * MIB);
    expect(a.received[0]?.envelope.message).toEqual({ ok: true, value: big(3 * MIB) });
    expect(a.remote.peers()[0]).toMatchObject({ inFlight: 0, inFlightBytes: 0, queuedBytes: 0 });
    expect(b.remote.counters).toMatchObject({ gaps: 0, late: 0, incomplete: 0 });
  });

  test('keeps its place among what its sender sends to the same receiver, and lets everybody else pass between its parts', async () => {
    const { a, b, clock } = world({ faults: { link: { delayMs: [1, 1] } } });
    send(a, b, 'p', 'before');
    send(a, b, 'p', big(2 * MIB));
    send(a, b, 'p', 'after');
    send(a, b, 'p', big(MIB, 'y'));
    send(a, b, 'p', 'last');
    send(a, b, 'q', 'of another sender');
    send(a, b, 'p', 'to another receiver', 'z');
    await clock.advance(2);
    // One part at a time is under way, so what others send waits for no more than that.
    expect(seen(b)).toEqual(['before', 'of another sender', 'to another receiver']);
    await clock.advance(1_000);
    expect(seen(b).slice(3)).toEqual(['x2097152', 'after', 'y1048576', 'last']);
  });

  test('several take turns', async () => {
    const { a, b, clock } = world({ faults: { link: { delayMs: [1, 1] } } });
    send(a, b, 'p', big(4 * MIB, 'p'));
    send(a, b, 'q', big(MIB, 'q'));
    await clock.advance(1_000);
    expect(seen(b)).toEqual(['q1048576', 'p4194304']);
  });

  test('whatever else is sent and lost, what arrives is whole and in the order of each sender, and every loss shows', async () => {
    const step = fc.record({ sender: fc.constantFrom('p', 'q', 'r'), large: fc.boolean(), waitMs: fc.nat(30) });
    await fc.assert(
      fc.asyncProperty(fc.integer(), fc.array(step, { minLength: 1, maxLength: 25 }), async (seed, steps) => {
        const bounds = { partBytes: 1_000 };
        const { a, b, clock, network } = world({ seed, bounds, faults: { link: { delayMs: [0, 20], drop: 0.05, duplicate: 0.1 } } });
        for (const [index, { sender, large, waitMs }] of steps.entries()) {
          send(a, b, sender, { index, sender, filling: big(large ? 4_500 : 10) });
          await clock.advance(waitMs);
        }
        network.faults.link.drop = 0;
        await clock.advance(60_000);
        const got = b.received.map(({ envelope }) => envelope.message as { index: number; sender: string; filling: string });
        for (const sender of ['p', 'q', 'r']) {
          const own = got.filter((one) => one.sender === sender).map(({ index }) => index);
          expect(own).toEqual([...new Set(own)].sort((x, y) => x - y));
        }
        for (const { index, filling } of got) expect(filling).toHaveLength(steps[index]?.large === true ? 4_500 : 10);
        expect(b.remote.counters.gaps > 0 || b.remote.counters.late > 0 || got.length === steps.length).toBe(true);
        expect(a.remote.peers()[0]).toMatchObject({ inFlight: 0, queuedBytes: 0 });
      }),
      { numRuns: 40 },
    );
  });
});

describe('a part that never comes', () => {
  /** The link from a is cut for as long as the message at that place among the frames takes. */
  const lossOf = async (what: (a: Node, b: Node) => void, cutAfterMs: number) => {
    const one = world({ faults: { link: { delayMs: [1, 1] } } });
    what(one.a, one.b);
    await one.clock.advance(cutAfterMs);
    one.network.faults.cut('a', 'b');
    await one.clock.advance(20);
    one.network.faults.heal();
    await one.clock.advance(3_000);
    return one;
  };

  test('loses the message, says so as gaps, and its asker gets a definite outcome at once', async () => {
    const { a, b } = await lossOf(
      (from, to) =>
        void from.remote.send('b', 1, {
          ...{ to: actor(to.self, 'x', 1), replyTo: actor(from.self, '?', 8), budgetMs: 60_000 },
          message: big(3 * MIB),
        }),
      2.5,
    );
    expect(seen(b)).toEqual([]);
    expect(b.remote.counters).toMatchObject({ incomplete: 1 });
    expect(b.remote.counters.gaps).toBeGreaterThan(0);
    expect(a.received.map(({ envelope }) => envelope)).toMatchObject([
      { to: { path: '?', uid: 8 }, message: { ok: false, error: { code: 'unavailable', definite: true } } },
    ]);
  });

  test('of an answer settles its ask as indefinite', async () => {
    const { b } = await lossOf((from, to) => {
      to.remote.send('a', 1, { to: actor(from.self, 'x', 1), message: 0, replyTo: actor(to.self, '?', 3), budgetMs: 60_000 });
      from.remote.send('b', 1, { to: actor(to.self, '?', 3), message: { ok: true, value: big(3 * MIB) } });
    }, 2.5);
    expect(b.lost).toEqual([{ id: 3, code: 'unavailable' }]);
  });

  test('if it was the last one, the next pulse shows it', async () => {
    const { b } = await lossOf((from, to) => void send(from, to, 'p', big(MIB)), 2.5);
    expect(b.remote.counters).toMatchObject({ incomplete: 1 });
  });

  test('does not harm the next message of the same sender', async () => {
    const { b } = await lossOf((from, to) => {
      send(from, to, 'p', big(MIB));
      send(from, to, 'p', 'after');
    }, 2.5);
    expect(seen(b)).toEqual(['after']);
  });
});

describe('bounds', () => {
  test('a message above the limit is refused at the sender, and nothing of it is sent', async () => {
    const { a, b, clock } = world();
    expect(() => tell(a, b, big(16 * MIB + 1))).toThrow(expect.objectContaining({ code: 'payload-too-large', definite: true }));
    await clock.advance(1_000);
    expect(b.remote.counters.received).toBe(0);
  });

  test('more than the queue holds is refused as overloaded, and tell answers false before', async () => {
    const { a, b, clock } = world({ bounds: { large: { messages: 100, bytes: 20 * MIB } } });
    const hints = Array.from({ length: 8 }, () => tell(a, b, big(3 * MIB)));
    expect(hints.every((hint) => !hint)).toBe(true);
    expect(a.refused).toHaveLength(2);
    expect(a.refused[0]).toMatchObject({ error: { code: 'overloaded', definite: true }, reason: 'overloaded' });
    const ready = a.remote.ready('b', 1, { timeoutMs: 10_000 });
    await clock.advance(5_000);
    await ready;
    expect(seen(b)).toHaveLength(6);
  });

  test('what a peer begins and never ends is bounded in count, bytes and time', async () => {
    const { b, clock, network } = world({ bounds: { large: { messages: 3, bytes: 10 * MIB } } });
    const mallory = writerOf({ node: 'm', incarnation: 1 });
    const { transport } = network.connect('m');
    const body = createCodec().encode(big(1_000));
    const begin = (sequence: number, totalBytes: number, uid: number) =>
      transport.publish(
        names.node('b', 1),
        mallory.part?.(
          b.self,
          sequence,
          silence.statement,
          { envelope: { to: actor(b.self, 'x', 1), message: 0, replyTo: actor({ node: 'm', incarnation: 1 }, '?', uid) }, body },
          { number: sequence, index: 0, count: 1_024, totalBytes },
        ) as Uint8Array,
      );
    for (let sequence = 1; sequence <= 5; sequence++) begin(sequence, MIB, sequence);
    begin(6, 17 * MIB, 6);
    await clock.advance(100);
    expect(b.remote.counters.incomplete).toBe(3);
    await clock.advance(31_000);
    expect(b.remote.counters.incomplete).toBe(6);
    begin(7, 11 * MIB, 7);
    begin(8, 9 * MIB, 8);
    begin(9, 2 * MIB, 9);
    await clock.advance(100);
    expect(b.remote.counters.incomplete).toBe(8);
    expect(b.dead).toEqual([]);
  });

  test('a lost connection and a lost node refuse what waits, once', async () => {
    const { a, b, clock, network, gone } = world({ faults: { link: { delayMs: [1, 1] } } });
    send(a, b, 'p', big(4 * MIB));
    send(a, b, 'p', 'behind');
    await clock.advance(1.5);
    network.faults.isolate('a');
    await clock.advance(3_000);
    expect(a.refused.map(({ error, reason }) => [error.code, reason])).toEqual([
      ['unavailable', 'disconnected'],
      ['unavailable', 'disconnected'],
    ]);
    network.faults.heal();
    await clock.advance(2_000);
    send(a, b, 'p', big(4 * MIB));
    await clock.advance(1.5);
    gone.add('b.1');
    a.remote.gone('b', 1);
    expect(a.refused.slice(2).map(({ error, reason }) => [error.code, reason])).toEqual([['node-lost', 'node-lost']]);
  });
});

describe('a node of wire version 1', () => {
  const versions = { b: [1] };

  test('is spoken with in version 1, and takes no message above a part', async () => {
    const { a, b, clock } = world({ versions });
    tell(a, b, 1);
    b.remote.send('a', 1, { to: actor(a.self, 'x', 1), message: 2 });
    expect(() => tell(a, b, big(600_000))).toThrow(expect.objectContaining({ code: 'payload-too-large' }));
    b.living.set(formatAddress(actor(b.self, 'x', 1)), new Map());
    a.remote.watch(actor(b.self, 'x', 1), actor(a.self, 'w', 1));
    await clock.advance(2_000);
    b.end(actor(b.self, 'x', 1), 'stopped');
    await clock.advance(2_000);
    expect([numbers(b), numbers(a), a.ends]).toEqual([[1], [2], ['w x stopped']]);
    expect(a.remote.peers()[0]?.version).toBe(1);
    expect([a.remote.counters.unknownVersion, b.remote.counters.unknownVersion]).toEqual([0, 0]);
  });

  test('and one that has none in common is refused by name, and counted', async () => {
    const { a, b, clock } = world({ versions: { a: [2], b: [1] } });
    expect(tell(a, b, 1)).toBe(false);
    expect(a.refused[0]).toMatchObject({ error: { code: 'unknown-version', definite: true } });
    await clock.advance(2_000);
    expect(a.remote.counters.unknownVersion).toBe(1);
    expect(b.received).toEqual([]);
  });
});
