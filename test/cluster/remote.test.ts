import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatAddress } from '../../src/actor/address.ts';
import type { Envelope } from '../../src/actor/envelope.ts';
import { createCodec } from '../../src/cluster/codec.ts';
import { frameOf } from '../../src/cluster/frame.ts';
import type { NexaError } from '../../src/errors.ts';
import type { FaultSettings } from '../../src/memory/network.ts';
import { actor, names, nothing, numbers, silence, tell, world, writerOf } from './remotes.ts';

describe('messages between two incarnations', () => {
  test('arrive in order with everything they carry', async () => {
    const { a, b, clock } = world({ faults: { link: { delayMs: [0, 30] } } });
    const envelope: Envelope = {
      to: { kind: 'agent', type: 'counter', id: 'ä' },
      message: { type: 'add', by: 1 },
      replyTo: actor(a.self, '?', 3),
      from: actor(a.self, 'g', 2),
      epoch: 7,
      chain: ['x'],
      requestId: 'r',
      budgetMs: 900,
      traceparent: 't',
    };
    a.remote.send('b', 1, envelope);
    for (let index = 0; index < 100; index++) expect(tell(a, b, index)).toBe(true);
    await clock.advance(2_000);
    const sizeBytes = createCodec().encode(envelope.message).length;
    expect(b.received[0]).toMatchObject({ envelope: { ...envelope, sizeBytes }, from: a.self });
    expect(numbers(b).slice(1)).toEqual(Array.from({ length: 100 }, (_, index) => index));
    expect(b.remote.counters).toMatchObject({ gaps: 0, late: 0 });
  });

  test('under loss and duplication rise strictly, and each loss is counted after the next pulse', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer(), fc.integer({ min: 1, max: 200 }), async (seed, count) => {
        const { a, b, clock, network } = world({ seed, faults: { link: { delayMs: [0, 40], drop: 0.2, duplicate: 0.2 } } });
        for (let index = 0; index < count; index++) {
          tell(a, b, index);
          if (index % 7 === 0) await clock.advance(13);
        }
        network.faults.link.drop = 0;
        await clock.advance(2_000);
        const got = numbers(b);
        for (let index = 1; index < got.length; index++) expect(got[index]).toBeGreaterThan(got[index - 1] as number);
        expect(b.remote.counters.gaps).toBe(count - got.length);
        expect(b.dead.every(({ reason }) => reason === 'late')).toBe(true);
        expect(b.dead.length).toBe(b.remote.counters.late);
        expect(a.remote.peers()[0]?.inFlight).toBe(0);
      }),
      { numRuns: 25 },
    );
  });

  test('an idle pair of nodes falls silent', async () => {
    const { a, b, clock } = world();
    tell(a, b, 1);
    await clock.advance(5_000);
    const { received } = a.remote.counters;
    await clock.advance(60_000);
    expect(a.remote.counters.received).toBe(received);
    expect(b.remote.counters.received).toBeLessThan(6);
  });

  test('are the caller’s own: changing one after sending changes nothing', async () => {
    const { a, b, clock } = world();
    const message = { type: 'x', list: [1] };
    tell(a, b, message);
    message.list.push(2);
    tell(a, b, { type: 'y' });
    await clock.advance(10);
    expect(numbers(b)).toEqual([{ type: 'x', list: [1] }, { type: 'y' }]);
  });

  test('what cannot be encoded or is too large is refused at the sender before anything is sent', async () => {
    const { a, b, clock } = world();
    for (const [message, code] of [
      [() => {}, 'not-encodable'],
      ['x'.repeat(17_000_000), 'payload-too-large'],
    ] as const) {
      expect(() => tell(a, b, message)).toThrow(expect.objectContaining({ code }));
    }
    await clock.advance(2_000);
    expect(b.remote.counters.received).toBe(0);
  });

  test('an answer that cannot travel becomes an error for its asker', async () => {
    const { a, b, clock } = world();
    b.remote.send('a', 1, { to: actor(a.self, '?', 4), message: { ok: true, value: 'x'.repeat(17_000_000) } });
    await clock.advance(10);
    expect(a.received[0]?.envelope.message).toMatchObject({ ok: false, error: { code: 'payload-too-large', definite: false } });
  });
});

describe('flow control', () => {
  const bounds = { window: { messages: 10, bytes: 100_000 } };

  test('tell answers false past the window, refuses past four of them, and goes on when the receiver has taken them', async () => {
    const { a, b, clock } = world({ bounds });
    const hints = Array.from({ length: 60 }, (_, index) => tell(a, b, index));
    expect(hints.filter(Boolean)).toHaveLength(10);
    expect(a.refused).toHaveLength(20);
    expect(a.refused[0]).toMatchObject({ error: { code: 'overloaded', definite: true }, reason: 'overloaded' });
    const ready = a.remote.ready('b', 1, { timeoutMs: 1_000 });
    await clock.advance(600);
    await ready;
    expect(tell(a, b, 99)).toBe(true);
  });

  test('a channel whose statements and frames were all lost is free again soon after the network heals', async () => {
    const { a, b, clock, network } = world({ bounds });
    network.faults.cut('b', 'a');
    for (let index = 0; index < 60; index++) tell(a, b, index);
    await clock.advance(3_000);
    expect(tell(a, b, 60)).toBe(false);
    network.faults.cut('a', 'b');
    await clock.advance(3_000);
    network.faults.heal();
    await clock.advance(1_500);
    expect(tell(a, b, 61)).toBe(true);
    expect(a.remote.peers()[0]?.inFlight).toBe(1);
  });

  test('waiting for room ends by deadline, signal or loss of the node, and is bounded', async () => {
    const { a, b, clock, network } = world({ bounds: { ...bounds, waiting: 3 } });
    network.faults.cut('b', 'a');
    for (let index = 0; index < 20; index++) tell(a, b, index);
    const controller = new AbortController();
    const codes: string[] = [];
    const wait = (within: { readonly timeoutMs: number; readonly signal?: AbortSignal }) =>
      a.remote.ready('b', 1, within).catch((error: NexaError) => codes.push(error.code));
    const all = [
      wait({ timeoutMs: 100 }),
      wait({ timeoutMs: 10_000, signal: controller.signal }),
      wait({ timeoutMs: 10_000 }),
      wait({ timeoutMs: 10_000 }),
    ];
    await clock.advance(200);
    controller.abort();
    await clock.advance(200);
    a.remote.gone('b', 1);
    await Promise.all(all);
    expect(codes).toEqual(['overloaded', 'ask-timeout', 'cancelled', 'node-lost']);
  });

  test('without a connection a message is refused as unavailable', async () => {
    const { a, b, clock, network } = world();
    network.faults.isolate('a');
    await clock.advance(3_000);
    expect(tell(a, b, 1)).toBe(false);
    expect(a.refused[0]).toMatchObject({ error: { code: 'unavailable', definite: true, retryable: true }, reason: 'disconnected' });
    network.faults.heal();
    await clock.advance(1_000);
    expect(tell(a, b, 2)).toBe(true);
    await clock.advance(10);
    expect(numbers(b)).toEqual([2]);
  });
});

describe('a node that is gone', () => {
  test('fails the asks on their way to it, its watches and what is sent there, once', async () => {
    const { a, b, clock, gone } = world();
    for (const uid of [1, 2])
      a.remote.send('b', 1, { to: actor(b.self, 'x', 1), message: 0, replyTo: actor(a.self, '?', uid), budgetMs: 60_000 });
    await clock.advance(10);
    b.remote.send('a', 1, { to: actor(a.self, '?', 1), message: { ok: true, value: 1 } });
    a.remote.watch(actor(b.self, 'x', 1), actor(a.self, 'w', 1));
    await clock.advance(10);
    gone.add('b.1');
    a.remote.gone('b', 1);
    a.remote.gone('b', 1);
    expect(a.lost).toEqual([{ id: 2, code: 'node-lost' }]);
    expect(a.ends).toEqual(['w x unknown']);
    a.remote.watch(actor(b.self, 'x', 1), actor(a.self, 'w2', 1));
    expect(a.ends).toEqual(['w x unknown', 'w2 x node-lost']);
    tell(a, b, 1);
    expect(a.refused[0]).toMatchObject({ error: { code: 'node-lost', definite: true }, reason: 'node-lost' });
    await expect(a.remote.ready('b', 1, { timeoutMs: 10 })).rejects.toMatchObject({ code: 'node-lost' });
  });

  test('is not heard any more', async () => {
    const { a, b, clock, gone } = world();
    tell(b, a, 'from the past');
    gone.add('b.1');
    await clock.advance(10);
    expect(a.received).toEqual([]);
    expect(a.dead[0]).toMatchObject({ reason: 'late', envelope: { message: 'from the past' } });
    expect(a.remote.counters.fromGone).toBeGreaterThan(0);
  });

  test('an inbox without listener shows at the first message', async () => {
    const { a, clock } = world();
    a.remote.send('c', 1, { to: actor({ node: 'c', incarnation: 1 }, 'x', 1), message: 0 });
    await clock.advance(10);
    expect(a.unreachable).toEqual(['c']);
  });

  test('mail for an earlier incarnation never reaches the next one', async () => {
    const { a, b, clock, start } = world();
    b.remote.close();
    const next = start({ node: 'b', incarnation: 2 });
    tell(a, b, 'old');
    tell(a, next, 'new');
    await clock.advance(2_000);
    expect(numbers(b)).toEqual([]);
    expect(numbers(next)).toEqual(['new']);
  });
});

describe('watching across nodes', () => {
  const setUp = (faults?: FaultSettings, seed = 1) => {
    const one = world({ seed, ...(faults === undefined ? {} : { faults }) });
    const target = actor(one.b.self, 'x', 1);
    one.b.living.set(formatAddress(target), new Map());
    return { ...one, target, watcher: actor(one.a.self, 'w', 1) };
  };

  test('the end of the watched actor is told once', async () => {
    const { a, b, clock, target, watcher } = setUp();
    a.remote.watch(target, watcher);
    await clock.advance(10);
    b.end(target, 'failed');
    await clock.advance(30_000);
    expect(a.ends).toEqual(['w x failed']);
    expect(a.remote.peers()[0]?.watching).toBe(0);
    expect(b.remote.peers()[0]?.watched).toBe(0);
  });

  test('one that does not live is told at once', async () => {
    const { a, clock, b, watcher } = setUp();
    a.remote.watch(actor(b.self, 'never', 9), watcher);
    await clock.advance(10);
    expect(a.ends).toEqual(['w never unknown']);
  });

  test('who unwatches hears nothing', async () => {
    const { a, b, clock, target, watcher } = setUp();
    a.remote.watch(target, watcher);
    await clock.advance(10);
    a.remote.unwatch(target, watcher);
    await clock.advance(10);
    b.end(target, 'stopped');
    await clock.advance(30_000);
    expect(a.ends).toEqual([]);
  });

  test('a lost watch, a lost unwatch and a lost end are made good within the next sums', async () => {
    const { a, b, clock, target, watcher, network } = setUp();
    network.faults.cut('a', 'b');
    a.remote.watch(target, watcher);
    await clock.advance(1_000);
    network.faults.heal();
    await clock.advance(12_000);
    expect(b.remote.peers()[0]?.watched).toBe(1);

    network.faults.cut('b', 'a');
    b.end(target, 'stopped');
    await clock.advance(1_000);
    network.faults.heal();
    await clock.advance(22_000);
    expect(a.ends).toEqual(['w x unknown']);

    b.living.set(formatAddress(target), new Map());
    a.remote.watch(target, watcher);
    await clock.advance(10);
    network.faults.cut('a', 'b');
    a.remote.unwatch(target, watcher);
    await clock.advance(10);
    network.faults.heal();
    await clock.advance(22_000);
    expect(b.remote.peers()[0]?.watched).toBe(0);
  });

  test('a reconnect states all watches again at once, many of them in several frames', async () => {
    const { a, b, clock, network } = setUp();
    network.faults.cut('a', 'b');
    for (let uid = 1; uid <= 2_500; uid++) {
      const target = actor(b.self, `t${uid}`, uid);
      b.living.set(formatAddress(target), new Map());
      a.remote.watch(target, actor(a.self, 'w', 1));
    }
    await clock.advance(100);
    network.faults.heal();
    a.transport.reconnect();
    await clock.advance(100);
    expect(b.remote.peers()[0]?.watched).toBe(2_500);
  });

  test('whatever is lost or repeated, every watcher hears exactly once when the network behaves again', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer(), async (seed) => {
        const { a, b, clock, network } = setUp({ link: { delayMs: [0, 20], drop: 0.4, duplicate: 0.3 } }, seed);
        const targets = Array.from({ length: 20 }, (_, index) => actor(b.self, `t${index}`, index + 1));
        for (const target of targets) {
          b.living.set(formatAddress(target), new Map());
          a.remote.watch(target, actor(a.self, 'w', 1));
          await clock.advance(50);
        }
        for (const target of targets) {
          b.end(target, 'stopped');
          await clock.advance(50);
        }
        network.faults.link.drop = 0;
        await clock.advance(25_000);
        expect(a.ends.map((end) => end.split(' ')[1]).sort()).toEqual(targets.map(({ path }) => path).sort());
      }),
      { numRuns: 15 },
    );
  });
});

describe('hostile frames', () => {
  test('rubbish, other versions, forged senders and foreign targets are counted and never handled', async () => {
    const { a, clock, network } = world();
    const { transport } = network.connect('mallory');
    const inbox = names.node('a', 1);
    const codec = createCodec();
    const mallory = writerOf({ node: 'm', incarnation: 1 });
    transport.publish(inbox, Uint8Array.of(0xdd, 0xff, 0xff, 0xff, 0xff));
    transport.publish(inbox, codec.encode([1, 0]));
    transport.publish(inbox, codec.encode([3, 0, 'm', 1]));
    transport.publish(
      inbox,
      frameOf(mallory, { node: 'a', incarnation: 1 }, 1, nothing, [
        { envelope: { to: actor({ node: 'a', incarnation: 2 }, 'x', 1), message: 0 }, body: codec.encode(1) },
      ]),
    );
    transport.publish(
      inbox,
      frameOf(mallory, a.self, 2, nothing, [{ envelope: { to: actor(a.self, 'x', 1), message: 0 }, body: Uint8Array.of(0xc1) }]),
    );
    transport.publish(inbox, writerOf(a.self).resend());
    await clock.advance(100);
    expect(a.received).toEqual([]);
    expect(a.remote.counters).toMatchObject({ unknownVersion: 2, undecodable: 2 });
    expect(a.dead.map(({ reason }) => reason)).toEqual(['no-actor', 'undecodable']);
  });

  test('a message that cannot be decoded is answered to whoever asked', async () => {
    const { a, b, clock, network } = world();
    const wire = writerOf(b.self);
    const { transport } = network.connect('b');
    transport.publish(
      names.node('a', 1),
      frameOf(wire, a.self, 1, nothing, [
        { envelope: { to: actor(a.self, 'x', 1), message: 0, replyTo: actor(b.self, '?', 8) }, body: Uint8Array.of(0xc1) },
      ]),
    );
    await clock.advance(100);
    expect(b.received[0]?.envelope).toMatchObject({
      to: { path: '?', uid: 8 },
      message: { ok: false, error: { code: 'invalid-message' } },
    });
  });

  test('more senders than the bound are not kept, and keep out nobody who is sent to', async () => {
    const { a, b, clock, network } = world({ bounds: { peers: 5 } });
    const { transport } = network.connect('mallory');
    for (let index = 1; index <= 50; index++)
      transport.publish(names.node('a', 1), writerOf({ node: `m${index}`, incarnation: 1 }).pulse(silence));
    await clock.advance(100);
    expect(a.remote.peers()).toHaveLength(5);
    expect(tell(a, b, 1)).toBe(true);
    await clock.advance(100);
    expect(numbers(b)).toEqual([1]);
    expect(a.remote.peers()).toHaveLength(5);
  });

  test('made-up members that watch something, or were answered, keep out no member; those who watched them hear that it is unknown', async () => {
    const { a, b, clock, network } = world({ bounds: { peers: 5 }, isStranger: ({ node }) => node.startsWith('m') });
    const target = actor(a.self, 'x', 1);
    a.living.set(formatAddress(target), new Map());
    const { transport } = network.connect('mallory');
    for (let index = 1; index <= 50; index++) {
      const mallory = { node: `m${index}`, incarnation: 1 };
      transport.publish(names.node('a', 1), writerOf(mallory).watch('add', [{ target, watcher: actor(mallory, 'w', 1) }]));
      await clock.advance(10);
      a.remote.send(mallory.node, 1, { to: actor(mallory, 'w', 1), message: 'an answer' });
      a.remote.watch(actor(mallory, 'w', 1), actor(a.self, `watcher of ${index}`, 1));
    }
    await clock.advance(100);
    expect(a.remote.peers()).toHaveLength(5);
    expect(a.living.get(formatAddress(target))?.size).toBe(5);
    expect(a.ends).toEqual(Array.from({ length: 45 }, (_, index) => `watcher of ${index + 1} w unknown`));
    // Whoever is a member by the records gets a place, and keeps it.
    expect(tell(b, a, 'from a member')).toBe(true);
    await clock.advance(100);
    expect(a.received.map(({ envelope }) => envelope.message)).toEqual(['from a member']);
    for (let index = 51; index <= 60; index++)
      transport.publish(names.node('a', 1), writerOf({ node: `m${index}`, incarnation: 1 }).pulse(silence));
    await clock.advance(100);
    expect(a.remote.peers().map(({ node }) => node)).toContain('b');
    expect(a.remote.peers()).toHaveLength(5);
  });

  test('one whose record nobody has read yet watches a bounded number of actors, and all of them once it was read', async () => {
    let read = false;
    const { a, b, clock } = world({ isStranger: ({ node }) => node === 'b' && !read });
    for (let uid = 1; uid <= 300; uid++) {
      const target = actor(a.self, `t${uid}`, uid);
      a.living.set(formatAddress(target), new Map());
      b.remote.watch(target, actor(b.self, 'w', 1));
    }
    await clock.advance(100);
    expect(a.remote.peers()[0]?.watched).toBe(100);
    read = true;
    await clock.advance(30_000);
    expect(a.remote.peers()[0]?.watched).toBe(300);
  });
});
