import { beforeAll, expect, it } from 'vitest';
import type { Stores, Stream, Written } from '../../src/ports/stores.ts';
import type { Subject } from '../../src/ports/transport.ts';
import { bytes, realRandom, subject, text, until } from '../support/real.ts';
import { overBothParts, type Part } from './parts.ts';

const within = { timeoutMs: 5_000 };
const sequenceOf = (written: Written): number => {
  if (written.written !== 'yes') throw new Error(`not written: ${written.written}`);
  return written.revision;
};

overBothParts('a stream', (part: Part) => {
  let stores: Stores;
  let stream: Stream;
  let other: Stream;
  const name = `S${realRandom.id().replaceAll('-', '_')}`;
  const at = (id: string): Subject => subject(`${name}.log.${id}`);
  const append = async (to: Subject, value: string, expectedSequence?: number, recordId = realRandom.id()): Promise<Written> =>
    stream.append(to, bytes(value), { ...(expectedSequence === undefined ? {} : { expectedSequence }), recordId, ...within });
  const fill = async (to: Subject, values: readonly string[]): Promise<number[]> => {
    const sequences: number[] = [];
    for (const value of values) sequences.push(sequenceOf(await append(to, value, sequences.at(-1) ?? 0)));
    return sequences;
  };
  const take = async (from: AsyncIterable<{ readonly record: Uint8Array; readonly sequence: number }>, count: number) => {
    const taken: { readonly value: string | undefined; readonly sequence: number }[] = [];
    if (count === 0) return taken;
    for await (const { record, sequence } of from) if (taken.push({ value: text(record), sequence }) >= count) break;
    return taken;
  };
  beforeAll(async () => {
    stores = (await part.connect('stream')).stores;
    expect(
      await stores.ensure({ name, kind: 'stream', replicas: 1, firstSequence: 5_000, subjects: [subject(`${name}.log.>`)] }, within),
    ).toBe('created');
    stream = stores.stream(name);
    other = (await part.connect('stream-other')).stores.stream(name);
  });

  it('appends at the expected last sequence of a subject only', async () => {
    const first = sequenceOf(await append(at('a'), '1', 0));
    expect(first).toBeGreaterThanOrEqual(5_000);
    await append(at('b'), 'between', 0);
    expect(await append(at('a'), '2', 0)).toEqual({ written: 'no' });
    const second = sequenceOf(await append(at('a'), '2', first));
    expect(await append(at('a'), '3', first)).toEqual({ written: 'no' });
    expect(await append(at('a'), '3', second + 100)).toEqual({ written: 'unknown' });
    expect(await other.last(at('a'), within)).toEqual({ record: bytes('2'), sequence: second });
  });

  it('stores a repeated record id once and answers with the sequence it has', async () => {
    const first = sequenceOf(await append(at('ids'), '1', 0, 'same-id'));
    expect([{ written: 'yes', revision: first }, { written: 'no' }]).toContainEqual(await append(at('ids'), '1', 0, 'same-id'));
    expect(await append(at('ids'), '1', undefined, 'same-id')).toEqual({ written: 'yes', revision: first });
    expect((await stream.subjects(at('ids'), within)).get(at('ids'))).toBe(1);
  });

  it('appends without an expectation in the order sent', async () => {
    const written = await Promise.all(Array.from({ length: 50 }, (_, index) => append(at('mail'), String(index))));
    const sequences = written.map(sequenceOf);
    expect(sequences).toEqual([...sequences].sort((one, two) => one - two));
    expect(
      (await take(other.read(at('mail'), { afterSequence: 0, signal: new AbortController().signal }), 50)).map((one) => one.value),
    ).toEqual(Array.from({ length: 50 }, (_, index) => String(index)));
  });

  it('lets one of many racing writers win', async () => {
    const last = sequenceOf(await append(at('race'), '0', 0));
    const outcomes = await Promise.all(Array.from({ length: 12 }, (_, index) => append(at('race'), String(index), last)));
    expect(outcomes.filter((one) => one.written === 'yes')).toHaveLength(1);
  });

  it('reads the last and the next record of one subject', async () => {
    expect(await stream.last(at('none'), within)).toBeUndefined();
    expect(await stream.next(at('none'), { fromSequence: 1, ...within })).toBeUndefined();
    const [first, second, third] = await fill(at('walk'), ['1', '2', '3']);
    expect(await stream.next(at('walk'), { fromSequence: 0, ...within })).toEqual({ record: bytes('1'), sequence: first });
    expect(await stream.next(at('walk'), { fromSequence: (first ?? 0) + 1, ...within })).toEqual({ record: bytes('2'), sequence: second });
    expect(await stream.next(at('walk'), { fromSequence: third ?? 0, ...within })).toEqual({ record: bytes('3'), sequence: third });
    expect(await stream.next(at('walk'), { fromSequence: (third ?? 0) + 1, ...within })).toBeUndefined();
  });

  it('reads on from a sequence until it is told to stop', async () => {
    const sequences = await fill(at('read'), ['1', '2', '3']);
    const leaving = new AbortController();
    const got: (string | undefined)[] = [];
    const reading = (async () => {
      for await (const { record } of other.read(at('read'), { afterSequence: sequences[0] ?? 0, signal: leaving.signal }))
        got.push(text(record));
    })();
    await until(() => got.length === 2);
    await append(at('read'), '4', sequences[2]);
    await until(() => got.length === 3);
    expect(got).toEqual(['2', '3', '4']);
    leaving.abort();
    await reading;
    const gone = AbortSignal.abort();
    expect(await take(other.read(at('read'), { afterSequence: 0, signal: gone }), 1)).toEqual([]);
  });

  it('reads several subjects in the order of the stream', async () => {
    const one = await append(at('tree.a'), 'a1', 0);
    await append(at('tree.b'), 'b1', 0);
    await append(at('tree.a'), 'a2', sequenceOf(one));
    const all = stream.read(subject(`${name}.log.tree.>`), { afterSequence: 0, signal: new AbortController().signal });
    const got: string[] = [];
    for await (const { record, subject: of } of all) if (got.push(`${text(record)} of ${of.split('.').at(-1)}`) === 3) break;
    expect(got).toEqual(['a1 of a', 'b1 of b', 'a2 of a']);
  });

  it('reads many records at the reader’s pace', async () => {
    const count = 3_000;
    const record = new Uint8Array(4_096).fill(7);
    for (let from = 0; from < count; from += 200) {
      await Promise.all(
        Array.from({ length: 200 }, (_, index) => stream.append(at('many'), record, { recordId: `many-${from + index}`, ...within })),
      );
    }
    let seen = 0;
    let last = 0;
    for await (const { sequence, record: found } of other.read(at('many'), { afterSequence: 0, signal: new AbortController().signal })) {
      expect(sequence).toBeGreaterThan(last);
      expect(found).toHaveLength(4_096);
      last = sequence;
      if (seen % 500 === 0) await new Promise((resolve) => setImmediate(resolve));
      if (++seen === count) break;
    }
    expect(seen).toBe(count);
  });

  it('purges below a sequence and keeps that one', async () => {
    const [first, second, third] = await fill(at('purge'), ['1', '2', '3']);
    expect(await stream.purge(at('purge'), { belowSequence: 0, ...within })).toBe('yes');
    expect((await stream.subjects(at('purge'), within)).get(at('purge'))).toBe(3);
    expect(await stream.purge(at('purge'), { belowSequence: second ?? 0, ...within })).toBe('yes');
    expect(await stream.next(at('purge'), { fromSequence: first ?? 0, ...within })).toEqual({ record: bytes('2'), sequence: second });
    expect((await stream.subjects(at('purge'), within)).get(at('purge'))).toBe(2);
    expect(sequenceOf(await append(at('purge'), '4', third))).toBeGreaterThan(third ?? 0);
  });

  it('removes one record, and a second time changes nothing', async () => {
    const [first, second, third] = await fill(at('remove'), ['1', '2', '3']);
    expect(await stream.remove(second ?? 0, within)).toBe('yes');
    expect(await stream.remove(second ?? 0, within)).toBe('yes');
    expect(await other.next(at('remove'), { fromSequence: (first ?? 0) + 1, ...within })).toEqual({ record: bytes('3'), sequence: third });
    expect((await stream.subjects(at('remove'), within)).get(at('remove'))).toBe(2);
  });

  it('finds the next record of several subjects in the order of the stream', async () => {
    const [first] = await fill(at('wide.b'), ['b1']);
    const [second] = await fill(at('wide.a'), ['a1']);
    const wide = subject(`${name}.log.wide.*`);
    expect(await stream.next(wide, { fromSequence: 1, ...within })).toEqual({ record: bytes('b1'), sequence: first });
    expect(await stream.next(wide, { fromSequence: (first ?? 0) + 1, ...within })).toEqual({ record: bytes('a1'), sequence: second });
    expect(await stream.next(wide, { fromSequence: (second ?? 0) + 1, ...within })).toBeUndefined();
  });

  it('counts what is left by subject', async () => {
    await fill(at('count.a'), ['1', '2']);
    await fill(at('count.b'), ['1']);
    expect(Object.fromEntries(await stream.subjects(subject(`${name}.log.count.*`), within))).toEqual({
      [at('count.a')]: 2,
      [at('count.b')]: 1,
    });
    expect((await stream.subjects(subject(`${name}.log.nothing.*`), within)).size).toBe(0);
  });

  it('keeps the bytes it was given, whatever becomes of the buffer', async () => {
    const shared = bytes('kept');
    const written = stream.append(at('shared'), shared, { recordId: 'shared', ...within });
    shared.fill(0);
    await written;
    expect(text((await other.last(at('shared'), within))?.record)).toBe('kept');
  });

  it('refuses hostile names and ids, and records beyond the limit', async () => {
    await expect(append(subject('a b'), '')).rejects.toMatchObject({ code: 'bad-id' });
    await expect(append(subject(`${name}.log.*`), '')).rejects.toMatchObject({ code: 'bad-id' });
    await expect(append(at('x'), '', 0, 'id\r\nNats-Rollup: all')).rejects.toMatchObject({ code: 'bad-id' });
    await expect(stream.append(at('x'), new Uint8Array(1_048_577), { recordId: 'big', ...within })).rejects.toMatchObject({
      code: 'payload-too-large',
    });
    await expect(stores.ensure({ name: 'NoSubjects', kind: 'stream', replicas: 1 }, within)).rejects.toMatchObject({
      code: 'store-misconfigured',
    });
  });

  it('refuses what is beyond the bound of one subject, and takes it once there is room', async () => {
    const spec = { name: `${name}B`, kind: 'stream', replicas: 1, subjects: [subject(`${name}B.*`)], mostPerSubject: 2 } as const;
    expect(await stores.ensure(spec, within)).toBe('created');
    expect((await stores.info(spec.name, within))?.spec).toMatchObject({ mostPerSubject: 2 });
    const bounded = stores.stream(spec.name);
    const put = (to: string, recordId: string) => bounded.append(subject(`${name}B.${to}`), bytes(recordId), { recordId, ...within });
    const first = sequenceOf(await put('a', '1'));
    await put('a', '2');
    await expect(put('a', '3')).rejects.toMatchObject({ code: 'mailbox-full', definite: true });
    expect(await put('a', '1')).toEqual({ written: 'yes', revision: first });
    await put('b', '4');
    await bounded.remove(first, within);
    expect(await put('a', '3')).toMatchObject({ written: 'yes' });
    expect(await stores.ensure({ ...spec, mostPerSubject: 3 }, within)).toEqual({ different: [expect.any(String)] });
  });

  it('answers unknown outside its subjects', async () => {
    expect(await stream.append(subject(`${name}.else`), bytes(''), { recordId: 'else', timeoutMs: 500 })).toEqual({ written: 'unknown' });
  });

  it('tells a stream from one with other subjects', async () => {
    const spec = { name, kind: 'stream', replicas: 1, firstSequence: 5_000, subjects: [subject(`${name}.log.>`)] } as const;
    expect(await stores.ensure(spec, within)).toBe('same');
    expect(await stores.ensure({ ...spec, subjects: [subject(`${name}.other.>`)] }, within)).toEqual({ different: ['subjects'] });
    expect((await stores.info(name, within))?.spec).toEqual(spec);
  });
});
