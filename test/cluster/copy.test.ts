import { expect, test } from 'vitest';
import { silentLogger } from '../../src/actor/safe-logger.ts';
import { type Copy, type Entry, watchedCopy } from '../../src/cluster/copy.ts';
import type { Kv } from '../../src/ports/stores.ts';
import { storeWorld, TIME } from './stores.ts';

const text = (value: string) => new TextEncoder().encode(value);
type Change = Parameters<Parameters<Kv['watch']>[1]>[0];

/** A copy whose watch and whose reads the test speaks for. */
function copied(read: (key: string) => { readonly value: string; readonly revision: number } | undefined = () => undefined) {
  let tell: (change: Change) => void = () => undefined;
  const log: string[] = [];
  const reads: string[] = [];
  const kv = {
    watch: (_prefix, listener) => {
      tell = listener;
      return () => log.push('closed');
    },
    get: async (key) => {
      reads.push(key);
      const found = read(key);
      return found === undefined ? undefined : { value: text(found.value), revision: found.revision };
    },
  } as Pick<Kv, 'watch' | 'get'> as Kv;
  const shown = (entry: Entry<string> | undefined) => (entry === undefined ? '-' : `${entry.value}@${entry.revision}`);
  const copy: Copy<string> = watchedCopy({
    kv,
    store: 'TEST',
    prefix: '',
    decode: (bytes) => {
      const value = new TextDecoder().decode(bytes);
      if (value === 'bad') throw new Error('it cannot be read');
      return value;
    },
    onChange: (key, now, before) => log.push(`${key}: ${shown(before)} → ${shown(now)}`),
    onLive: () => log.push('live'),
    onReset: () => log.push('reset'),
    storeMs: TIME.timeoutMs,
    log: silentLogger,
  });
  return {
    copy,
    log,
    reads,
    put: (key: string, value: string, revision: number) => tell({ kind: 'put', key, value: text(value), revision }),
    gone: (key: string, revision: number) => tell({ kind: 'delete', key, value: text(''), revision }),
    tell: (kind: 'live' | 'reset') => tell({ kind }),
    has: () => [...copy.entries()].map(({ key, value, revision }) => `${key}=${value}@${revision}`).sort(),
  };
}

test('each key only ever moves to a higher revision, whatever way the news came', () => {
  const { copy, put, has, log } = copied();
  put('a', 'one', 5);
  put('a', 'older', 4);
  copy.apply('a', 'mine', 7);
  put('a', 'between', 6);
  put('a', 'the same again', 7);
  expect(has()).toEqual(['a=mine@7']);
  expect(log).toEqual(['a: - → one@5', 'a: one@5 → mine@7']);
});

test('a deleted key is not brought back by an older put', () => {
  const { put, gone, has } = copied();
  put('a', 'one', 5);
  gone('a', 8);
  put('a', 'late', 7);
  expect(has()).toEqual([]);
  put('a', 'anew', 9);
  expect(has()).toEqual(['a=anew@9']);
});

test('when the watch started over, what the replay has not is deleted', () => {
  const { put, tell, has, log } = copied();
  put('a', 'one', 5);
  put('b', 'one', 6);
  tell('live');
  tell('reset');
  put('b', 'one', 6);
  put('c', 'new', 9);
  tell('live');
  expect(has()).toEqual(['b=one@6', 'c=new@9']);
  expect(log.filter((line) => line === 'reset' || line === 'live')).toEqual(['live', 'reset', 'live']);
});

test('a replay that lags deletes nothing that is newer than its end', () => {
  const { put, tell, has } = copied();
  put('a', 'one', 5);
  put('b', 'two', 9);
  tell('live');
  tell('reset');
  put('a', 'one', 5);
  tell('live');
  expect(has()).toEqual(['a=one@5', 'b=two@9']);
});

test('a key that was written while the replay ran is kept', () => {
  const { copy, put, tell, has } = copied();
  put('a', 'one', 5);
  tell('live');
  tell('reset');
  copy.apply('mine', 'written', 7);
  put('a', 'one', 5);
  tell('live');
  expect(has()).toEqual(['a=one@5', 'mine=written@7']);
});

test('a hint that is newer is read through the leader, once at a time; an older one is not', async () => {
  const { copy, put, reads, has } = copied(() => ({ value: 'newer', revision: 8 }));
  put('a', 'one', 5);
  copy.hint('a', 5);
  expect(reads).toEqual([]);
  copy.hint('a', 8);
  copy.hint('a', 8);
  await copy.refresh('a');
  expect(reads).toEqual(['a']);
  expect(has()).toEqual(['a=newer@8']);
  copy.hint('a', 7);
  expect(reads).toEqual(['a']);
});

test('a read that finds nothing, or fails, takes nothing away', async () => {
  const { copy, put, has } = copied(() => {
    throw new Error('no answer');
  });
  put('a', 'one', 5);
  await copy.refresh('a');
  await copied().copy.refresh('a');
  expect(has()).toEqual(['a=one@5']);
});

test('a record that cannot be read leaves the others alone', () => {
  const { put, has } = copied();
  put('a', 'bad', 5);
  put('b', 'good', 6);
  expect(has()).toEqual(['b=good@6']);
});

test('once closed nothing changes any more', async () => {
  const { copy, put, has, log } = copied(() => ({ value: 'newer', revision: 8 }));
  put('a', 'one', 5);
  copy.close();
  put('b', 'two', 6);
  copy.hint('a', 8);
  await copy.refresh('a');
  expect(has()).toEqual(['a=one@5']);
  expect(log.at(-1)).toBe('closed');
});

test('over a bucket whose watch is late, breaks and starts over, the copy ends as the bucket is', async () => {
  const { clock, bucket, network } = storeWorld({ store: { watchDelayMs: [0, 800], watchReset: 0.2 } });
  const kv = await bucket('B');
  const copy = watchedCopy({
    kv,
    store: 'TEST',
    prefix: '',
    decode: (bytes) => new TextDecoder().decode(bytes),
    onChange: () => undefined,
    onLive: () => undefined,
    onReset: () => undefined,
    storeMs: 500,
    log: silentLogger,
  });
  const revisions = new Map<string, number>();
  for (let index = 0; index < 300; index++) {
    const key = `k${index % 17}`;
    const revision = revisions.get(key);
    const writing =
      revision === undefined
        ? kv.create(key, text(`v${index}`), TIME)
        : index % 5 === 0
          ? kv.delete(key, revision, TIME)
          : kv.update(key, text(`v${index}`), revision, TIME);
    await clock.advance(20);
    const written = await writing;
    if (written.written !== 'yes') throw new Error('not written');
    if (revision !== undefined && index % 5 === 0) revisions.delete(key);
    else revisions.set(key, written.revision);
    if (index % 60 === 30) network.faults.cutStore('tester');
    if (index % 60 === 31) {
      await clock.advance(2_500);
      network.faults.heal();
    }
    if (index % 60 === 30) {
      await clock.advance(2_500);
      network.faults.heal();
    }
  }
  await clock.advance(10_000);
  expect(new Map([...copy.entries()].map(({ key, revision }) => [key, revision]))).toEqual(revisions);
});
