import { beforeAll, describe, expect, it } from 'vitest';
import type { Kv, Stores, Written } from '../../src/ports/stores.ts';
import { bytes, realRandom, text, until } from '../support/real.ts';
import { overBothParts, type Part } from './parts.ts';

const within = { timeoutMs: 5_000 };
const revisionOf = (written: Written): number => {
  if (written.written !== 'yes') throw new Error(`not written: ${written.written}`);
  return written.revision;
};

overBothParts('a kv', (part: Part) => {
  let stores: Stores;
  let kv: Kv;
  let other: Kv;
  const name = `KV${realRandom.id().replaceAll('-', '_')}`;
  beforeAll(async () => {
    stores = (await part.connect('kv')).stores;
    expect(await stores.ensure({ name, kind: 'kv', replicas: 1, firstSequence: 1_000 }, within)).toBe('created');
    kv = stores.kv(name);
    other = (await part.connect('kv-other')).stores.kv(name);
  });

  it('creates once, with a revision above everything before', async () => {
    const first = revisionOf(await kv.create('c.one', bytes('1'), within));
    expect(first).toBeGreaterThanOrEqual(1_000);
    expect(await other.create('c.one', bytes('2'), within)).toEqual({ written: 'no' });
    expect(revisionOf(await kv.create('c.two', bytes('2'), within))).toBeGreaterThan(first);
    expect(await other.get('c.one', within)).toEqual({ value: bytes('1'), revision: first });
  });

  it('updates at exactly the revision read: a later record is no, an expectation above it unknown', async () => {
    const first = revisionOf(await kv.create('u', bytes('1'), within));
    const second = revisionOf(await kv.update('u', bytes('2'), first, within));
    expect(second).toBeGreaterThan(first);
    expect(await other.update('u', bytes('3'), first, within)).toEqual({ written: 'no' });
    expect(await other.update('u', bytes('3'), second + 1_000, within)).toEqual({ written: 'unknown' });
    expect(await other.update('u.nothing', bytes('3'), first, within)).toEqual({ written: 'unknown' });
    expect((await other.get('u', within))?.revision).toBe(second);
  });

  it('proves that a record was deleted only by an answer that knows of it', async () => {
    const first = revisionOf(await kv.create('gone', bytes('1'), within));
    expect(await other.removed('gone', first, within)).toBe(false);
    const second = revisionOf(await kv.update('gone', bytes('2'), first, within));
    expect(await other.removed('gone', first, within)).toBe(false);
    const deleted = revisionOf(await kv.delete('gone', second, within));
    expect(await other.removed('gone', second, within)).toBe(true);
    expect(await other.removed('gone', deleted + 1_000, within)).toBe(false);
    expect(await other.removed('gone.never', deleted + 1_000, within)).toBe(false);
    expect(await other.removed('gone.never', first, within)).toBe(true);
  });

  it('lists the keys that begin so', async () => {
    for (const key of ['k.a.1', 'k.a.2', 'k.b.1', 'k.ab', 'kk']) await kv.create(key, bytes(key), within);
    expect([...(await other.keys('k.a.', within))].sort()).toEqual(['k.a.1', 'k.a.2']);
    expect([...(await other.keys('k.a', within))].sort()).toEqual(['k.a.1', 'k.a.2', 'k.ab']);
    expect(await other.keys('nothing.', within)).toEqual([]);
    expect(await kv.keys('', within)).toEqual(expect.arrayContaining(['kk', 'k.b.1']));
  });

  it('lets exactly one of many racing writers win', async () => {
    let revision = revisionOf(await kv.create('race', bytes('0'), within));
    for (let round = 0; round < 10; round++) {
      const outcomes = await Promise.all(
        Array.from({ length: 12 }, (_, index) => (index % 2 ? kv : other).update('race', bytes(`${round}-${index}`), revision, within)),
      );
      const winners = outcomes.flatMap((one, index) => (one.written === 'yes' ? [{ index, revision: one.revision }] : []));
      expect(winners).toHaveLength(1);
      const [winner] = winners;
      expect(text((await kv.get('race', within))?.value)).toBe(`${round}-${winner?.index}`);
      revision = winner?.revision ?? 0;
    }
  });

  it('deletes at a revision, reads nothing then, and creates again above it', async () => {
    const first = revisionOf(await kv.create('d', bytes('1'), within));
    expect(await other.delete('d', first - 1, within)).toEqual({ written: 'no' });
    const gone = revisionOf(await kv.delete('d', first, within));
    expect(gone).toBeGreaterThan(first);
    expect(await other.get('d', within)).toBeUndefined();
    expect(await other.update('d', bytes('x'), first, within)).toEqual({ written: 'no' });
    expect(revisionOf(await other.create('d', bytes('2'), within))).toBeGreaterThan(gone);
    expect(text((await kv.get('d', within))?.value)).toBe('2');
  });

  it('reads nothing where nothing is', async () => {
    expect(await kv.get('never', within)).toBeUndefined();
  });

  it('keeps the bytes it was given, whatever becomes of the buffer', async () => {
    const shared = bytes('kept');
    const written = kv.create('shared', shared, within);
    shared.fill(0);
    await written;
    expect(text((await kv.get('shared', within))?.value)).toBe('kept');
    expect(revisionOf(await kv.create('empty', new Uint8Array(0), within))).toBeGreaterThan(0);
    expect((await kv.get('empty', within))?.value).toHaveLength(0);
    const all = Uint8Array.from({ length: 256 }, (_, index) => index);
    await kv.create('binary', all, within);
    expect((await kv.get('binary', within))?.value).toEqual(all);
  });

  it.each(['a b', 'a*', 'a.>', '', '.a', 'a..b', 'a.', 'a\r\nb', 'ä', 'a'.repeat(2_000)])('refuses the key %j', async (key) => {
    await expect(kv.create(key, bytes(''), within)).rejects.toMatchObject({ code: 'bad-id' });
    await expect(kv.get(key, within)).rejects.toMatchObject({ code: 'bad-id' });
    await expect(kv.update(key, bytes(''), 1, within)).rejects.toMatchObject({ code: 'bad-id' });
    await expect(kv.delete(key, 1, within)).rejects.toMatchObject({ code: 'bad-id' });
  });

  it('refuses a value beyond the transport’s limit', async () => {
    await expect(kv.create('big', new Uint8Array(1_048_577), within)).rejects.toMatchObject({ code: 'payload-too-large' });
  });

  it('writes unknown and reads unavailable where no store is', async () => {
    const missing = stores.kv('nowhere');
    expect(await missing.create('k', bytes(''), { timeoutMs: 500 })).toEqual({ written: 'unknown' });
    await expect(missing.get('k', { timeoutMs: 500 })).rejects.toMatchObject({ code: 'unavailable', retryable: true });
  });

  describe('watched', () => {
    const watched = (store: Kv, prefix: string) => {
      const got: string[] = [];
      const cancel = store.watch(prefix, (change) =>
        got.push('key' in change ? `${change.kind} ${change.key} ${text(change.value)}` : change.kind),
      );
      return { got, cancel };
    };

    it('shows what is there, then live, then every change in order', async () => {
      const first = revisionOf(await kv.create('w.one', bytes('1'), within));
      await kv.create('w.two', bytes('2'), within);
      await kv.create('x.three', bytes('3'), within);
      const { got, cancel } = watched(other, 'w.');
      await until(
        () => got.includes('live'),
        20_000,
        () => got,
      );
      expect(got).toEqual(['put w.one 1', 'put w.two 2', 'live']);
      const second = revisionOf(await kv.update('w.one', bytes('1b'), first, within));
      await kv.create('x.four', bytes('4'), within);
      await kv.delete('w.one', second, within);
      await kv.create('w.five', bytes('5'), within);
      await until(
        () => got.length >= 6,
        20_000,
        () => got,
      );
      expect(got.slice(3)).toEqual(['put w.one 1b', 'delete w.one ', 'put w.five 5']);
      cancel();
      await kv.create('w.six', bytes('6'), within);
      const probe = watched(other, 'w.six');
      await until(() => probe.got.includes('live'));
      expect(got).toHaveLength(6);
      probe.cancel();
    });

    it('takes any beginning of a key as its prefix', async () => {
      await kv.create('p.alpha', bytes('1'), within);
      await kv.create('p.alpine', bytes('2'), within);
      await kv.create('p.beta', bytes('3'), within);
      const { got, cancel } = watched(kv, 'p.alp');
      await until(
        () => got.includes('live'),
        20_000,
        () => got,
      );
      expect(got).toEqual(['put p.alpha 1', 'put p.alpine 2', 'live']);
      cancel();
    });

    it('is live at once over nothing', async () => {
      const { got, cancel } = watched(kv, 'nothing.here.');
      await until(
        () => got.includes('live'),
        20_000,
        () => got,
      );
      expect(got).toEqual(['live']);
      cancel();
    });

    it('gives the revision of each change', async () => {
      const seen = new Map<string, number>();
      const cancel = kv.watch('r.', (change) => {
        if ('key' in change) seen.set(change.key, change.revision);
      });
      const revision = revisionOf(await kv.create('r.one', bytes('1'), within));
      await until(() => seen.get('r.one') === revision);
      cancel();
    });

    it('starts over with reset after its connection was broken', async () => {
      const { stores: moving } = await part.connect('watcher');
      const { got, cancel } = watched(moving.kv(name), 'm.');
      await kv.create('m.one', bytes('1'), within);
      await until(
        () => got.includes('put m.one 1'),
        20_000,
        () => got,
      );
      moving.reconnect();
      await kv.create('m.two', bytes('2'), within);
      await until(
        () => got.lastIndexOf('live') > got.indexOf('reset') && got.includes('reset') && got.includes('put m.two 2'),
        20_000,
        () => got,
      );
      expect(got.slice(got.indexOf('reset'))).toEqual(expect.arrayContaining(['reset', 'put m.one 1', 'live']));
      cancel();
    });

    it('refuses a prefix with a wildcard', () => {
      expect(() => kv.watch('a.>', () => undefined)).toThrow(expect.objectContaining({ code: 'bad-id' }));
    });

    it('survives a listener that throws while another listens', async () => {
      const { got, cancel } = watched(other, 's.');
      await until(() => got.includes('live'));
      await kv.create('s.one', bytes('1'), within);
      await until(() => got.includes('put s.one 1'));
      cancel();
    });
  });

  it('ensures a store once and tells same from different', async () => {
    const store = `E${realRandom.id().replaceAll('-', '_')}`;
    expect(await stores.info(store, within)).toBeUndefined();
    expect(await stores.ensure({ name: store, kind: 'kv', replicas: 1 }, within)).toBe('created');
    expect(await stores.ensure({ name: store, kind: 'kv', replicas: 1 }, within)).toBe('same');
    expect(await stores.ensure({ name: store, kind: 'kv', replicas: 1, firstSequence: 77 }, within)).toEqual({
      different: [expect.stringMatching(/^first_?seq/i)],
    });
    const info = await stores.info(store, within);
    expect(info?.spec).toEqual({ name: store, kind: 'kv', replicas: 1 });
    expect(Math.abs((info?.createdAtMs ?? 0) - Date.now())).toBeLessThan(60_000);
    expect(await stores.info(name, within)).toMatchObject({ spec: { name, kind: 'kv', replicas: 1, firstSequence: 1_000 } });
  });

  it('refuses a store’s name that would change a subject', async () => {
    await expect(stores.ensure({ name: 'a.b', kind: 'kv', replicas: 1 }, within)).rejects.toMatchObject({ code: 'bad-id' });
    await expect(stores.info('a *', within)).rejects.toMatchObject({ code: 'bad-id' });
  });
});
