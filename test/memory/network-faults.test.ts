import { describe, expect, it } from 'vitest';
import type { NexaError } from '../../src/errors.ts';
import { type FaultSettings, memoryNetwork } from '../../src/memory/network.ts';
import { seededRandom } from '../../src/memory/random.ts';
import type { Inbound, Subject } from '../../src/ports/transport.ts';
import { manualClock } from '../support/manual-clock.ts';

const subject = (text: string): Subject => text as Subject;
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (value: Uint8Array | undefined): string | undefined => (value === undefined ? undefined : new TextDecoder().decode(value));

function world(faults: FaultSettings = {}, seed = 1) {
  const clock = manualClock();
  const network = memoryNetwork({ clock, random: seededRandom(seed), faults });
  /** The outcome of a promise after some virtual time. */
  const soon = async <T>(promise: Promise<T>, ms = 10_000): Promise<T> => {
    promise.catch(() => undefined);
    await clock.advance(ms);
    return promise;
  };
  return { clock, network, faults: network.faults, soon, connect: network.connect };
}

async function withStore(faults: FaultSettings = {}, seed = 1) {
  const one = world(faults, seed);
  const { stores } = one.connect('admin');
  await one.soon(stores.ensure({ name: 'K', kind: 'kv', replicas: 1 }, { timeoutMs: 5_000 }));
  await one.soon(stores.ensure({ name: 'S', kind: 'stream', replicas: 1, subjects: [subject('s.>')] }, { timeoutMs: 5_000 }));
  return { ...one, stores, kv: (name: string) => one.connect(name).stores.kv('K') };
}

describe('a memory network that misbehaves', () => {
  it('keeps the order of one link whatever the delays', async () => {
    const { clock, connect } = world({ link: { delayMs: [0, 50] } });
    const got: string[] = [];
    connect('b').transport.subscribe(subject('x'), (message) => got.push(text(message.payload) ?? ''));
    const { transport } = connect('a');
    for (let index = 0; index < 100; index++) transport.publish(subject('x'), bytes(String(index)));
    expect(got).toEqual([]);
    expect(transport.bufferedBytes()).toBeGreaterThan(0);
    await clock.advance(100);
    expect(got).toEqual(Array.from({ length: 100 }, (_, index) => String(index)));
    expect(transport.bufferedBytes()).toBe(0);
  });

  it('drops and duplicates as often as told', async () => {
    const { clock, connect, faults } = world();
    let count = 0;
    connect('b').transport.subscribe(subject('x'), () => count++);
    const { transport } = connect('a');
    faults.link.drop = 0.5;
    for (let index = 0; index < 1_000; index++) transport.publish(subject('x'), bytes('-'));
    await clock.advance(1);
    expect(count).toBeGreaterThan(400);
    expect(count).toBeLessThan(600);
    count = 0;
    faults.setLink('a', 'b', { drop: 0, duplicate: 1 });
    transport.publish(subject('x'), bytes('-'));
    await clock.advance(1);
    expect(count).toBe(2);
  });

  it('cuts one way only, until it is healed', async () => {
    const { clock, connect, faults } = world();
    const got: string[] = [];
    const a = connect('a').transport;
    const b = connect('b').transport;
    a.subscribe(subject('to.a'), () => got.push('a'));
    b.subscribe(subject('to.b'), () => got.push('b'));
    faults.cut('a', 'b');
    a.publish(subject('to.b'), bytes(''));
    b.publish(subject('to.a'), bytes(''));
    await clock.advance(1);
    expect(got).toEqual(['a']);
    faults.heal('b');
    a.publish(subject('to.b'), bytes(''));
    await clock.advance(1);
    expect(got).toEqual(['a', 'b']);
  });

  it('lets an isolated endpoint hear nothing, itself included, and tells it so after two seconds', async () => {
    const { clock, connect, faults } = world();
    const { transport } = connect('a');
    const got: string[] = [];
    transport.onStatus((status) => got.push(status));
    transport.subscribe(subject('x'), () => got.push('message'));
    faults.isolate('a');
    transport.publish(subject('x'), bytes(''));
    await clock.advance(1_999);
    expect(got).toEqual([]);
    await clock.advance(1);
    expect(got).toEqual(['down']);
    faults.heal();
    await clock.advance(1);
    transport.publish(subject('x'), bytes(''));
    await clock.advance(1);
    expect(got).toEqual(['down', 'up', 'message']);
  });

  it('holds everything back from a paused endpoint and hands it over in order', async () => {
    const { clock, connect, faults } = world();
    const got: string[] = [];
    connect('b').transport.subscribe(subject('x'), (message) => got.push(text(message.payload) ?? ''));
    const { transport } = connect('a');
    faults.pause('b');
    transport.publish(subject('x'), bytes('1'));
    await clock.advance(5_000);
    transport.publish(subject('x'), bytes('2'));
    await clock.advance(5_000);
    expect(got).toEqual([]);
    faults.resume('b');
    transport.publish(subject('x'), bytes('3'));
    await clock.advance(1);
    expect(got).toEqual(['1', '2', '3']);
  });

  it('loses what a paused endpoint cannot hold and says so', async () => {
    const clock = manualClock();
    const network = memoryNetwork({ clock, random: seededRandom(1), pendingLimitBytes: 10_000 });
    const b = network.connect('b').transport;
    const status: string[] = [];
    let count = 0;
    b.onStatus((one) => status.push(one));
    b.subscribe(subject('x'), () => count++);
    network.faults.pause('b');
    const { transport } = network.connect('a');
    for (let index = 0; index < 100; index++) {
      transport.publish(subject('x'), new Uint8Array(900));
      await clock.advance(1);
    }
    network.faults.resume('b');
    await clock.advance(1);
    expect(count).toBe(9);
    expect(status).toEqual(['slow-consumer']);
  });

  it('lets a crashed endpoint hear nothing more and its name connect again', async () => {
    const { clock, connect, faults } = world();
    const got: string[] = [];
    const before = connect('a');
    before.transport.subscribe(subject('x'), () => got.push('old'));
    let settled = false;
    void before.stores
      .kv('K')
      .create('k', bytes(''), { timeoutMs: 100 })
      .finally(() => {
        settled = true;
      });
    faults.crash('a');
    connect('a').transport.subscribe(subject('x'), () => got.push('new'));
    connect('b').transport.publish(subject('x'), bytes(''));
    await clock.advance(1_000);
    expect(got).toEqual(['new']);
    expect(settled).toBe(false);
  });
});

describe('a memory store that misbehaves', () => {
  it('answers unknown to a write that was applied', async () => {
    const { soon, faults, kv } = await withStore();
    faults.store.unknownApplied = 1;
    expect(await soon(kv('a').create('k', bytes('1'), { timeoutMs: 500 }))).toEqual({ written: 'unknown' });
    faults.store.unknownApplied = 0;
    expect(text((await soon(kv('a').get('k', { timeoutMs: 500 })))?.value)).toBe('1');
    expect(await soon(kv('a').create('k', bytes('2'), { timeoutMs: 500 }))).toEqual({ written: 'no' });
  });

  it('answers unknown to a write that was not applied', async () => {
    const { soon, faults, kv } = await withStore();
    faults.store.unknownLost = 1;
    expect(await soon(kv('a').create('k', bytes('1'), { timeoutMs: 500 }))).toEqual({ written: 'unknown' });
    faults.store.unknownLost = 0;
    expect(await soon(kv('a').get('k', { timeoutMs: 500 }))).toBeUndefined();
  });

  it('applies a late write after its answer, if its expectation still holds', async () => {
    const { clock, soon, faults, kv } = await withStore();
    const made = await soon(kv('a').create('k', bytes('1'), { timeoutMs: 500 }));
    const revision = made.written === 'yes' ? made.revision : 0;
    faults.store.late = 1;
    faults.store.lateMs = [1_000, 1_000];
    const late = kv('a').update('k', bytes('late'), revision, { timeoutMs: 500 });
    await clock.advance(600);
    expect(await late).toEqual({ written: 'unknown' });
    faults.store.late = 0;
    expect(text((await soon(kv('a').get('k', { timeoutMs: 50 }), 100))?.value)).toBe('1');
    await clock.advance(2_000);
    const now = await soon(kv('a').get('k', { timeoutMs: 50 }), 100);
    expect(text(now?.value)).toBe('late');
    faults.store.late = 1;
    void kv('a').update('k', bytes('too late'), now?.revision ?? 0, { timeoutMs: 500 });
    await clock.advance(600);
    faults.store.late = 0;
    expect((await soon(kv('b').update('k', bytes('first'), now?.revision ?? 0, { timeoutMs: 50 }), 100)).written).toBe('yes');
    await clock.advance(5_000);
    expect(text((await soon(kv('a').get('k', { timeoutMs: 50 })))?.value)).toBe('first');
  });

  it('has no leader during an election: writes are unknown, reads unavailable, both within their deadline', async () => {
    const { clock, faults, kv } = await withStore();
    faults.election(5_000);
    const startedMs = clock.monotonicMs();
    const outcomes: string[] = [];
    for (let index = 0; index < 8; index++) {
      void kv('a')
        .create(`k${index}`, bytes(''), { timeoutMs: 400 })
        .then((one) => outcomes.push(one.written));
      kv('a')
        .get('k', { timeoutMs: 400 })
        .catch((error: NexaError) => outcomes.push(error.code));
    }
    await clock.advance(400);
    expect(clock.monotonicMs() - startedMs).toBe(400);
    expect(outcomes.filter((one) => one === 'unknown')).toHaveLength(8);
    expect(outcomes.filter((one) => one === 'unavailable')).toHaveLength(8);
    await clock.advance(4_600);
    const after = kv('a').create('k', bytes(''), { timeoutMs: 400 });
    await clock.advance(1);
    expect((await after).written).toBe('yes');
  });

  it('answers a stale read with an older revision or absence, never with what was not committed', async () => {
    const { soon, faults, kv } = await withStore();
    let revision = 0;
    for (let index = 1; index <= 6; index++) {
      const written = await soon(
        revision === 0
          ? kv('a').create('k', bytes('1'), { timeoutMs: 50 })
          : kv('a').update('k', bytes(String(index)), revision, { timeoutMs: 50 }),
        60,
      );
      if (written.written === 'yes') revision = written.revision;
    }
    faults.store.staleRead = 1;
    const seen = new Set<string | undefined>();
    for (let index = 0; index < 50; index++) seen.add(text((await soon(kv('b').get('k', { timeoutMs: 50 }), 60))?.value));
    expect(seen.has('6')).toBe(false);
    expect([...seen].every((one) => one === undefined || Number(one) < 6)).toBe(true);
    expect(seen.size).toBeGreaterThan(2);
  });

  it('starts a watch over after a cut of the store', async () => {
    const { clock, soon, faults, connect, kv } = await withStore();
    const got: string[] = [];
    connect('w')
      .stores.kv('K')
      .watch('', (change) => got.push('key' in change ? `${change.kind} ${change.key}` : change.kind));
    await soon(kv('a').create('one', bytes(''), { timeoutMs: 50 }), 60);
    faults.cutStore('w');
    await soon(kv('a').create('two', bytes(''), { timeoutMs: 50 }), 60);
    await clock.advance(10_000);
    expect(got).toEqual(['live', 'put one']);
    faults.heal('w');
    await clock.advance(1);
    expect(got).toEqual(['live', 'put one', 'reset', 'put one', 'put two', 'live']);
  });

  it('does what it was asked to without an answer', async () => {
    const { soon, faults, kv } = await withStore();
    faults.cutAnswers('a');
    expect((await soon(kv('a').create('k', bytes('1'), { timeoutMs: 50 }))).written).toBe('unknown');
    await expect(soon(kv('a').get('k', { timeoutMs: 50 }))).rejects.toMatchObject({ code: 'unavailable' });
    expect(text((await soon(kv('b').get('k', { timeoutMs: 50 }), 60))?.value)).toBe('1');
    faults.mendStore('a');
    expect(text((await soon(kv('a').get('k', { timeoutMs: 50 }), 60))?.value)).toBe('1');
  });

  it('mends one way and leaves the other cut', async () => {
    const { clock, faults, connect } = world();
    const got: string[] = [];
    const [a, b] = [connect('a').transport, connect('b').transport];
    a.subscribe(subject('x'), () => got.push('a'));
    b.subscribe(subject('x'), () => got.push('b'));
    faults.cut('a', 'b');
    faults.cut('b', 'a');
    faults.mend('a', 'b');
    a.publish(subject('x'), bytes(''));
    b.publish(subject('x'), bytes(''));
    await clock.advance(10);
    expect(got.sort()).toEqual(['a', 'b', 'b']);
  });

  it('cures a stranded endpoint by leaving its server', async () => {
    const { clock, soon, faults, connect } = await withStore();
    const { stores } = connect('a');
    faults.strand('a');
    expect((await soon(stores.kv('K').create('k', bytes(''), { timeoutMs: 50 }))).written).toBe('unknown');
    stores.reconnect();
    await clock.advance(1);
    expect((await soon(stores.kv('K').create('k', bytes(''), { timeoutMs: 50 }), 60)).written).toBe('yes');
  });

  it('settles what waits when its connection is closed', async () => {
    const { clock, faults, connect } = await withStore();
    const { transport, stores } = connect('a');
    faults.election(60_000);
    const write = stores.kv('K').create('k', bytes(''), { timeoutMs: 50_000 });
    const read = stores.kv('K').get('k', { timeoutMs: 50_000 });
    read.catch(() => undefined);
    await clock.advance(0);
    await transport.close();
    expect(await write).toEqual({ written: 'unknown' });
    await expect(read).rejects.toMatchObject({ code: 'unavailable' });
  });

  it('replays bit-exactly from its seed', async () => {
    const run = async (seed: number): Promise<string> => {
      const { clock, connect, kv, faults } = await withStore(
        {
          link: { delayMs: [1, 40], drop: 0.1, duplicate: 0.1 },
          store: {
            delayMs: [1, 30],
            watchDelayMs: [0, 500],
            watchReset: 0.05,
            unknownApplied: 0.1,
            unknownLost: 0.1,
            late: 0.1,
            staleRead: 0.3,
          },
        },
        seed,
      );
      const trace: string[] = [];
      const note = (what: string): number => trace.push(`${clock.monotonicMs()} ${what}`);
      const names = ['a', 'b', 'c'];
      const nodes = names.map((name) => connect(name));
      for (const [index, node] of nodes.entries()) {
        node.transport.subscribe(subject('x.*'), (message: Inbound) => note(`${index} got ${message.subject}`));
        node.stores.kv('K').watch('', (change) => note(`${index} ${change.kind} ${'revision' in change ? change.revision : ''}`));
      }
      for (let round = 0; round < 60; round++) {
        for (const [index, name] of names.entries()) {
          nodes[index]?.transport.publish(subject(`x.${round}`), bytes(''));
          void kv(name)
            .get('k', { timeoutMs: 100 })
            .then(
              (entry) => kv(name).update('k', bytes(String(round)), entry?.revision ?? 0, { timeoutMs: 100 }),
              () => ({ written: 'unread' }),
            )
            .then((written) => note(`${name} ${JSON.stringify(written)}`));
        }
        if (round === 20) faults.election(700);
        if (round === 30) faults.isolate('b');
        if (round === 40) faults.heal();
        await clock.advance(50);
      }
      return trace.join('\n');
    };
    const first = await run(7);
    expect(first.length).toBeGreaterThan(1_000);
    expect(await run(7)).toBe(first);
    expect(await run(8)).not.toBe(first);
  });
});
