import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectNats, type NatsLink } from '../../src/nats/connection.ts';
import { startServers, type TestServers } from '../support/nats.ts';
import { bytes, realClock, realRandom, recordingLogger, subject, text, until } from '../support/real.ts';

const within = { timeoutMs: 5_000 };

describe('one connection', () => {
  const log = recordingLogger();
  const links: NatsLink[] = [];
  let servers: TestServers;
  const open = async (name: string): Promise<NatsLink> => {
    const link = await connectNats({ servers: servers.urls, name, clock: realClock, random: realRandom, log, role: 'control' });
    links.push(link);
    return link;
  };
  beforeAll(async () => {
    servers = await startServers({ count: 1 });
  });
  afterAll(async () => {
    await Promise.all(links.map((link) => link.close()));
    await servers?.stop();
  });

  it('goes on after a listener threw, and logs it', async () => {
    const transport = (await open('throws')).transport();
    let count = 0;
    transport.subscribe(subject('throws'), () => {
      count++;
      throw new Error('mine');
    });
    transport.publish(subject('throws'), bytes(''));
    transport.publish(subject('throws'), bytes(''));
    await until(() => count === 2);
    expect(log.errors.splice(0)).toHaveLength(2);
  });

  it('refuses a header that would inject protocol', async () => {
    const transport = (await open('headers')).transport();
    for (const headers of [new Map([['a', 'b\r\nPUB x 0']]), new Map([['a:b', 'c']]), new Map([['a\r\n', 'c']])]) {
      expect(() => transport.publish(subject('x'), bytes(''), { headers })).toThrow(expect.objectContaining({ code: 'invalid-message' }));
    }
  });

  it('makes a lost watch anew, with reset, when its consumer vanished', async () => {
    const link = await open('watch');
    const stores = link.stores();
    await stores.ensure({ name: 'W', kind: 'kv', replicas: 1 }, within);
    const got: string[] = [];
    stores.kv('W').watch('', (change) => got.push('key' in change ? `${change.kind} ${change.key}` : change.kind));
    await until(() => got.includes('live'));
    const names = await link.jetStream.api<{ readonly consumers: readonly string[] }>('CONSUMER.NAMES.KV_W', {}, 5_000);
    expect(names.ok && names.value.consumers).toHaveLength(1);
    if (names.ok) await link.jetStream.api(`CONSUMER.DELETE.KV_W.${names.value.consumers[0]}`, undefined, 5_000);
    await stores.kv('W').create('k', bytes(''), within);
    await until(
      () => got.includes('put k'),
      20_000,
      () => got,
    );
    expect(got[0]).toBe('live');
    expect(got.slice(got.lastIndexOf('reset')).filter((each) => each !== 'live')).toEqual(['reset', 'put k']);
  });

  it('leaves no consumer behind when a watch ends', async () => {
    const link = await open('leaves');
    const stores = link.stores();
    await stores.ensure({ name: 'L', kind: 'kv', replicas: 1 }, within);
    const got: string[] = [];
    const cancel = stores.kv('L').watch('', (change) => got.push(change.kind));
    await until(() => got.includes('live'));
    cancel();
    await until(async () => {
      const names = await link.jetStream.api<{ readonly total: number }>('CONSUMER.NAMES.KV_L', {}, 5_000);
      return names.ok && names.value.total === 0;
    });
  });

  it('refuses for good what the server will never do', async () => {
    const stores = (await open('refused')).stores();
    await expect(stores.ensure({ name: 'R3', kind: 'kv', replicas: 3 }, within)).rejects.toMatchObject({ code: 'store-misconfigured' });
    await stores.ensure({ name: 'ONE', kind: 'stream', replicas: 1, subjects: [subject('one.>')] }, within);
    await expect(stores.ensure({ name: 'TWO', kind: 'stream', replicas: 1, subjects: [subject('one.two')] }, within)).rejects.toMatchObject(
      { code: 'store-misconfigured' },
    );
  });

  it('throws quota-exceeded when a store is full', async () => {
    const link = await open('full');
    await link.jetStream.api(
      'STREAM.CREATE.KV_FULL',
      { name: 'KV_FULL', subjects: ['$KV.FULL.>'], discard: 'new', max_bytes: 2_000, num_replicas: 1 },
      5_000,
    );
    const kv = link.stores().kv('FULL');
    expect((await kv.create('a', new Uint8Array(1_000), within)).written).toBe('yes');
    await expect(kv.create('b', new Uint8Array(1_000), within)).rejects.toMatchObject({ code: 'quota-exceeded', definite: true });
  });

  it('says that an object is not what was stored', async () => {
    const link = await open('corrupt');
    const stores = link.stores();
    await stores.ensure({ name: 'C', kind: 'objects', replicas: 1 }, within);
    await stores.blobs('C').put('b', new Uint8Array(300_000), within);
    await link.jetStream.api('STREAM.PURGE.OBJ_C', { filter: '$O.C.C.>' }, 5_000);
    await expect(stores.blobs('C').get('b', within)).rejects.toMatchObject({ code: 'corrupt-record' });
  });

  it('keeps many requests in flight within its bounds, each with its own answer', async () => {
    const link = await open('many');
    const stores = link.stores();
    await stores.ensure({ name: 'M', kind: 'kv', replicas: 1 }, within);
    const kv = stores.kv('M');
    const written = await Promise.all(
      Array.from({ length: 2_000 }, (_, index) => kv.create(`k${index}`, bytes(String(index)), { timeoutMs: 20_000 })),
    );
    expect(new Set(written.map((one) => (one.written === 'yes' ? one.revision : 0))).size).toBe(2_000);
    const read = await Promise.all(Array.from({ length: 2_000 }, (_, index) => kv.get(`k${index}`, { timeoutMs: 20_000 })));
    expect(read.map((one) => text(one?.value))).toEqual(Array.from({ length: 2_000 }, (_, index) => String(index)));
  });

  it('refuses to buffer without bound for a server that stopped reading, and leaves it', async () => {
    const both = await startServers({ count: 3 });
    const link = await connectNats({ servers: both.urls, name: 'flood', clock: realClock, random: realRandom, log, role: 'control' });
    const index = both.servers.findIndex((server) => server.name === link.info()?.server_name);
    const seen: string[] = [];
    const transport = link.transport();
    transport.onStatus((status) => seen.push(status));
    both.pause(index);
    let refused = '';
    for (let count = 0; count < 100 && refused === ''; count++) {
      try {
        transport.publish(subject('flood'), new Uint8Array(1_000_000));
      } catch (error) {
        refused = (error as { readonly code: string }).code;
      }
    }
    expect(refused).toBe('overloaded');
    await until(
      () => seen.includes('up'),
      20_000,
      () => seen,
    );
    expect(transport.bufferedBytes()).toBeLessThan(1_000_000);
    both.resume(index);
    await link.close();
    await both.stop();
  });

  it('ends cleanly while it cannot reach anybody', async () => {
    const one = await startServers({ count: 1 });
    const link = await connectNats({ servers: one.urls, name: 'ending', clock: realClock, random: realRandom, log, role: 'data' });
    const watching = link
      .stores()
      .kv('K')
      .watch('', () => undefined);
    const controller = new AbortController();
    const reading = (async () => {
      for await (const _ of link.stores().stream('S').read(subject('s.>'), { afterSequence: 0, signal: controller.signal })) break;
    })();
    await one.stop();
    await link.close();
    await reading;
    watching();
  });

  it('logged no error of its own', () => {
    expect(log.errors).toEqual([]);
  });
});
