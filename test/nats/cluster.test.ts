import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { casSelfTest } from '../../src/nats/cas-self-test.ts';
import { connectNats, type NatsLink } from '../../src/nats/connection.ts';
import { readServerInfo } from '../../src/nats/server-info.ts';
import type { Clock } from '../../src/ports/clock.ts';
import type { Kv, Stores } from '../../src/ports/stores.ts';
import { startServers, type TestServers } from '../support/nats.ts';
import { bytes, realClock, realRandom, recordingLogger, subject, text, until } from '../support/real.ts';

const within = { timeoutMs: 5_000 };

/**
 * Writes until the server said yes, and gives the revision. One try may be answered "unknown": a server that has not heard yet that the
 * new stream listens says that nobody does, and a stream whose leader has just come back may be choosing another.
 */
async function put(kv: Kv, key: string, value: Uint8Array, revision = 0): Promise<number> {
  let at = revision;
  await until(async () => {
    const written = at === 0 ? await kv.create(key, value, within) : await kv.update(key, value, at, within);
    if (written.written === 'yes') at = written.revision;
    else at = Math.max(at, (await kv.get(key, within).catch(() => undefined))?.revision ?? 0);
    return written.written === 'yes';
  }, 20_000);
  return at;
}

describe('three servers', () => {
  const log = recordingLogger();
  const links: NatsLink[] = [];
  let servers: TestServers;
  const open = async (name: string, urls: readonly string[] = servers.urls, inOrder = false): Promise<NatsLink> => {
    const link = await connectNats({ servers: urls, name, clock: realClock, random: realRandom, log, role: 'control', inOrder });
    links.push(link);
    return link;
  };
  beforeAll(async () => {
    servers = await startServers({ count: 3 });
  });
  afterAll(async () => {
    await Promise.all(links.map((link) => link.close()));
    await servers?.stop();
  });

  it('tell what they are', async () => {
    const info = await readServerInfo(await open('info'), within);
    expect(info).toMatchObject({ jetStream: true, maxPayloadBytes: 1_048_576 });
    expect(info.version).toMatch(/^2\.\d+\.\d+/);
    expect(info.cluster).toBeTruthy();
  });

  it('are dialled in the order given, when that is wanted', async () => {
    const [a = '', b = '', c = ''] = servers.urls;
    for (const urls of [
      [a, b, c],
      [b, c, a],
      [c, a, b],
    ]) {
      await until(async () => {
        const sinceMs = performance.now();
        const link = await open('in order', urls, true);
        // A dial is given up after a second, and the next server is dialled: on a machine that stood still that is right.
        if (performance.now() - sinceMs > 900) return false;
        const { name } = await readServerInfo(link, within);
        expect(name).toBe(servers.servers[servers.urls.indexOf(urls[0] ?? '')]?.name);
        return true;
      });
    }
  });

  it('have one winner in each of the twenty races of the self-test, start after start', async () => {
    const link = await open('self-test');
    const options = { replicas: 3, clock: realClock, random: realRandom };
    expect(await casSelfTest(link, options)).toBe(0);
    const sinceMs = performance.now();
    expect(await casSelfTest(link, options)).toBe(0);
    console.log(`self-test on three replicas: ${Math.round(performance.now() - sinceMs)} ms`);
  });

  it('keep the bound of one subject against writers on different servers', async () => {
    const writers = await Promise.all(servers.urls.map(async (url, index) => (await open(`filler-${index}`, [url])).stores()));
    const at = subject('BOUND.a');
    const spec = { name: 'BOUND', kind: 'stream', replicas: 3, subjects: [subject('BOUND.*')], mostPerSubject: 10 } as const;
    expect(await writers[0]?.ensure(spec, { timeoutMs: 15_000 })).toBe('created');
    const outcomes = await Promise.all(
      Array.from({ length: 40 }, async (_, index) => {
        let outcome = '';
        // While several are in process at once, and where a server has not heard of the stream yet, there may be no clear answer.
        await until(async () => {
          outcome = await (writers[index % 3] as Stores)
            .stream('BOUND')
            .append(at, bytes(String(index)), { recordId: `b${index}`, ...within })
            .then(
              ({ written }) => written,
              (error) => (error as { readonly code: string }).code,
            );
          return outcome === 'yes' || outcome === 'mailbox-full';
        });
        return outcome;
      }),
    );
    // Never does it take one more.
    expect(outcomes.filter((outcome) => outcome === 'yes')).toHaveLength(10);
    expect((await writers[1]?.stream('BOUND').subjects(at, within))?.get(at)).toBe(10);
    const last = (writers[2] as Stores).stream('BOUND').append(at, bytes('last'), { recordId: 'last', ...within });
    await expect(last).rejects.toMatchObject({ code: 'mailbox-full', definite: true });
  });

  it('have one winner among writers on different servers', async () => {
    const kvs = await Promise.all(
      servers.urls.map(async (url, index) => {
        const { stores } = { stores: (await open(`racer-${index}`, [url])).stores() };
        return { stores, kv: stores.kv('RACE') };
      }),
    );
    const [first] = kvs;
    expect(await first?.stores.ensure({ name: 'RACE', kind: 'kv', replicas: 3 }, { timeoutMs: 15_000 })).toBe('created');
    await Promise.all(kvs.map(({ kv }, index) => put(kv, `known-${index}`, bytes('here'))));
    let revision = 0;
    let clear = 0;
    for (let round = 0; clear < 20; round++) {
      const value = bytes(String(round));
      const outcomes = await Promise.all(
        Array.from({ length: 12 }, (_, index) => {
          const { kv } = kvs[index % 3] as (typeof kvs)[number];
          return revision === 0 ? kv.create('k', value, within) : kv.update('k', value, revision, within);
        }),
      );
      const won = outcomes.flatMap((one) => (one.written === 'yes' ? [one.revision] : []));
      expect(won.length).toBeLessThanOrEqual(1);
      // A leader that changes meanwhile may leave even the winner without an answer: that round says nothing.
      if (won.length === 1) clear++;
      else expect(outcomes).toContainEqual({ written: 'unknown' });
      revision = won[0] ?? (await put(first?.kv as Kv, 'k', value, revision));
    }
  });

  it('leave another server when told to reconnect', async () => {
    const link = await open('mover');
    const seen: string[] = [];
    link.transport().onStatus((status) => seen.push(status));
    for (let round = 0; round < 4; round++) {
      const before = link.info()?.server_id;
      seen.length = 0;
      link.stores().reconnect();
      await until(
        () => seen.includes('up'),
        20_000,
        () => seen,
      );
      expect(link.info()?.server_id).not.toBe(before);
    }
  });

  it('answer unknown while a killed leader has no successor, lose nothing acknowledged, and the watch starts over', async () => {
    const link = await open('survivor');
    const stores = link.stores();
    expect(await stores.ensure({ name: 'KILL', kind: 'kv', replicas: 3 }, { timeoutMs: 15_000 })).toBe('created');
    const kv = stores.kv('KILL');
    const copy = new Map<string, number>();
    let resets = 0;
    kv.watch('', (change) => {
      if ('key' in change) copy.set(change.key, change.revision);
      else if (change.kind === 'reset') {
        resets++;
        copy.clear();
      }
    });
    let revision = await put(kv, 'k', bytes('0'));
    const info = await link.jetStream.api<{ readonly cluster: { readonly leader: string } }>('STREAM.INFO.KV_KILL', undefined, 5_000);
    const leader = info.ok ? info.value.cluster.leader : '';
    const index = servers.servers.findIndex((server) => server.name === leader);
    expect(index).toBeGreaterThanOrEqual(0);
    if (link.info()?.server_name === leader) {
      stores.reconnect();
      await until(() => link.info() !== undefined && link.info()?.server_name !== leader);
    }

    await servers.kill(index);
    const sinceMs = performance.now();
    const outcomes: string[] = [];
    let acknowledged = 0;
    await until(
      async () => {
        acknowledged++;
        const written = await kv.update('k', bytes(String(acknowledged)), revision, { timeoutMs: 500 });
        outcomes.push(written.written);
        if (written.written === 'yes') {
          revision = written.revision;
          return true;
        }
        // An unknown write may have happened: read before the next one.
        const present = await kv.get('k', { timeoutMs: 500 }).catch(() => undefined);
        if (present !== undefined && present.revision > revision) revision = present.revision;
        return false;
      },
      25_000,
      () => outcomes.slice(-3),
    );
    console.log(`writes again after a killed leader: ${Math.round(performance.now() - sinceMs)} ms, ${outcomes.length} tries`);
    // Unless the successor was there before anybody asked.
    if (outcomes.length > 1) expect(outcomes[0]).toBe('unknown');
    expect((await kv.get('k', within))?.revision).toBe(revision);
    await until(
      () => copy.get('k') === revision,
      20_000,
      () => ({ copy: [...copy], revision, resets }),
    );

    await servers.restart(index);
    expect(await put(kv, 'k', bytes('after'), revision)).toBeGreaterThan(revision);
    expect(text((await kv.get('k', within))?.value)).toBe('after');
  }, 60_000);

  it('are noticed when the connected one stops answering', async () => {
    const link = await open('stale');
    const index = servers.servers.findIndex((server) => server.name === link.info()?.server_name);
    const seen: string[] = [];
    link.transport().onStatus((status) => seen.push(status));
    const sinceMs = performance.now();
    servers.pause(index);
    try {
      await until(
        () => seen.includes('up'),
        15_000,
        () => seen,
      );
      console.log(`another server after a stopped one: ${Math.round(performance.now() - sinceMs)} ms`);
      expect(seen.slice(0, 2)).toEqual(['down', 'up']);
      expect(link.info()?.server_name).not.toBe(servers.servers[index]?.name);
    } finally {
      servers.resume(index);
      await servers.ready();
    }
  });
});

describe('no server', () => {
  it('is an error that says what to do, in time', async () => {
    let waitedMs = 0;
    // Only waiting takes time: nobody is refused by a port where nothing listens.
    const clock: Clock = {
      ...realClock,
      monotonicMs: () => waitedMs,
      after: (delayMs, run) => {
        waitedMs += delayMs;
        const soon = setImmediate(run);
        return () => clearImmediate(soon);
      },
    };
    const failing = connectNats({
      servers: ['127.0.0.1:1'],
      name: 'nobody',
      clock,
      random: realRandom,
      log: recordingLogger(),
      role: 'client',
      connectWithinMs: 500,
    });
    await expect(failing).rejects.toMatchObject({ code: 'disconnected', retryable: true, fix: expect.stringContaining('NATS') });
    expect(waitedMs).toBeGreaterThan(0);
    expect(waitedMs).toBeLessThanOrEqual(500);
  });

  it('costs unknown writes and unavailable reads, and a close settles what waits', async () => {
    const servers = await startServers({ count: 1 });
    const link = await connectNats({
      servers: servers.urls,
      name: 'alone',
      clock: realClock,
      random: realRandom,
      log: recordingLogger(),
      role: 'control',
    });
    const seen: string[] = [];
    link.transport().onStatus((status) => seen.push(status));
    const kv = link.stores().kv('K');
    await servers.kill(0);
    await until(
      () => seen.includes('down'),
      20_000,
      () => seen,
    );
    expect(await kv.create('k', bytes(''), { timeoutMs: 10_000 })).toEqual({ written: 'unknown' });
    await expect(kv.get('k', { timeoutMs: 10_000 })).rejects.toMatchObject({ code: 'unavailable' });
    await link.close();
    await servers.stop();
  });
});
