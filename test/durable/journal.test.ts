import { describe, expect, test } from 'vitest';
import { encodeRecord } from '../../src/durable/journal-record.ts';
import { codec, outcome, TIME } from '../cluster/stores.ts';
import { adding, answeringStream, journalWorld, listing } from './journals.ts';

const reply = (text: string) => new TextEncoder().encode(text);

describe('one record a turn', () => {
  test('opening appends a fence that says how it began; turns count without a gap and are replayed with what they keep', async () => {
    const { open, come, records } = await journalWorld();
    const journal = await open(10);
    expect(await records()).toMatchObject([{ epoch: 10, n: 1, begins: { config: { from: 'here' } }, events: [] }]);
    await come(journal.commit({ ...adding(journal, 'one'), request: ['r1', reply('one')] }));
    await come(journal.commit({ ...adding(journal, 'two'), source: { mail: { sequence: 7, messageId: 'm' } } }));
    await come(journal.commit({ state: journal.state, source: { fired: { name: 'tick', declared: 'd', dueAtMs: 5 } } }));
    expect((await records()).map(({ n, events }) => [n, events.length])).toEqual([
      [1, 0],
      [2, 1],
      [3, 1],
      [4, 0],
    ]);
    const next = await open(20);
    expect(next.state).toEqual(['one', 'two']);
    expect(next.kept).toEqual(journal.kept);
    expect(next.kept).toMatchObject({ requests: [['r1', reply('one')]], floor: 7, messageIds: ['m'] });
    expect((await records()).at(-1)).toMatchObject({ epoch: 20, n: 5, begins: undefined });
  });

  test('a long tail is read through a consumer, and one that gives nothing only delays', async () => {
    const { open, come, stores } = await journalWorld();
    const journal = await open(10);
    const items = Array.from({ length: 60 }, (_, index) => index);
    for (const item of items) await come(journal.commit(adding(journal, item)));
    expect((await open(20)).state).toEqual(items);
    const given = stores('owner');
    const silent = {
      ...given,
      stream: (name: string) => ({
        ...given.stream(name),
        read: async function* (_subject: unknown, { signal }: { readonly signal: AbortSignal }) {
          await new Promise((resolve) => signal.addEventListener('abort', resolve));
        },
      }),
    };
    expect((await open(30, { stores: silent })).state).toEqual(items);
  });

  test('what one turn stores has a limit; beyond it nothing is stored', async () => {
    const { open, come, records } = await journalWorld();
    const journal = await open(10);
    await expect(come(journal.commit(adding(journal, 'x'.repeat(600_000))))).rejects.toMatchObject({
      code: 'payload-too-large',
      definite: true,
    });
    await come(journal.commit(adding(journal, 'fits')));
    expect(await records()).toHaveLength(2);
  });
});

describe('the fence', () => {
  test('from the next opening on an append of the older epoch is refused as fenced, and changes nothing', async () => {
    const { open, come, records } = await journalWorld();
    const old = await open(10);
    await open(20);
    await expect(come(old.commit(adding(old, 'late')))).rejects.toMatchObject({ code: 'fenced', definite: false });
    expect((await records()).map(({ epoch }) => epoch)).toEqual([10, 20]);
  });

  test('an owner of an older epoch cannot open what a newer one opened', async () => {
    const { open, records } = await journalWorld();
    await open(20);
    await expect(open(10)).rejects.toMatchObject({ code: 'fenced' });
    expect(await records()).toHaveLength(1);
  });

  test('an append of the older owner that lands before the fence is replayed, not lost, and the fence has a fresh id', async () => {
    const { open, stores, records } = await journalWorld();
    const old = await open(10);
    const given = stores('owner');
    const ids: string[] = [];
    let slipped = false;
    const racing = {
      ...given,
      stream: (name: string) => ({
        ...given.stream(name),
        append: async (...args: Parameters<ReturnType<typeof given.stream>['append']>) => {
          ids.push(args[2].recordId);
          if (!slipped) {
            slipped = true;
            await old.commit({ ...adding(old, 'slipped'), request: ['r', reply('s')] });
            await old.commit(adding(old, 'again'));
          }
          return given.stream(name).append(...args);
        },
      }),
    };
    const opened = await open(20, { stores: racing });
    expect(opened.state).toEqual(['slipped', 'again']);
    expect(opened.kept.requests).toEqual([['r', reply('s')]]);
    expect(new Set(ids).size).toBe(2);
    expect((await records()).map(({ epoch, n }) => [epoch, n])).toEqual([
      [10, 1],
      [10, 2],
      [10, 3],
      [20, 4],
    ]);
  });

  test('reads that lag behind, or show nothing, only delay it', async () => {
    const { open, come, stores, stream, subject } = await journalWorld();
    const owner = await open(10);
    for (const item of [1, 2, 3]) await come(owner.commit(adding(owner, item)));
    const second = await come(stream.next(subject, { fromSequence: 2, ...TIME }));
    const given = stores('owner');
    let late = 3;
    const lagging = {
      ...given,
      stream: (name: string) => ({
        ...given.stream(name),
        last: (...args: Parameters<typeof stream.last>) => (late-- > 0 ? Promise.resolve(second) : given.stream(name).last(...args)),
        next: (...args: Parameters<typeof stream.next>) => (late-- > 0 ? Promise.resolve(undefined) : given.stream(name).next(...args)),
      }),
    };
    expect((await open(20, { stores: lagging })).state).toEqual([1, 2, 3]);
  });
});

describe('an append whose outcome is unknown', () => {
  test('that was stored is found by its record id, and not done twice', async () => {
    const { open, come, stores, records } = await journalWorld();
    const journal = await open(10, { stores: answeringStream(stores('owner'), ['stored, unknown', 'stored, unknown', 'no']) });
    await come(journal.commit(adding(journal, 1)));
    await come(journal.commit(adding(journal, 2)));
    expect((await records()).map(({ n }) => n)).toEqual([1, 2, 3]);
  });

  test('that was lost is repeated, the same record under the same id, until it is stored', async () => {
    const { open, come, stores, records } = await journalWorld();
    const answers: ('lost' | 'no')[] = [];
    const ids: string[] = [];
    const journal = await open(10, { stores: answeringStream(stores('owner'), answers, ids) });
    ids.length = 0;
    answers.push('lost', 'no', 'lost', 'lost');
    await come(journal.commit(adding(journal, 1)));
    expect(ids).toHaveLength(5);
    expect(new Set(ids).size).toBe(1);
    expect(await records()).toHaveLength(2);
  });

  test('that was lost to a newer owner ends in fenced, and only then', async () => {
    const { open, come, stores, records } = await journalWorld();
    const answers: 'lost'[] = [];
    const journal = await open(10, { stores: answeringStream(stores('owner'), answers) });
    answers.push('lost', 'lost', 'lost');
    const committing = journal.commit(adding(journal, 1));
    committing.catch(() => undefined);
    await open(20);
    await expect(come(committing)).rejects.toMatchObject({ code: 'fenced' });
    expect((await records()).map(({ epoch }) => epoch)).toEqual([10, 20]);
  });

  test('a full store refuses at once, but gives no definite answer once an earlier try is in doubt', async () => {
    const { open, come, stores, records } = await journalWorld();
    const answers: ('lost' | 'full')[] = [];
    const journal = await open(10, { stores: answeringStream(stores('owner'), answers) });
    answers.push('full');
    await expect(come(journal.commit(adding(journal, 1)))).rejects.toMatchObject({ code: 'quota-exceeded', definite: true });
    answers.push('lost', 'full', 'full');
    await come(journal.commit(adding(journal, 2)));
    expect((await records()).at(-1)?.events).toEqual([{ type: 'added', data: 2 }]);
  });

  test('an activation that is over gives up what is not resolved', async () => {
    const { open, network, abort, clock } = await journalWorld();
    const journal = await open(10);
    network.faults.election(1e9);
    const committing = journal.commit(adding(journal, 1));
    committing.catch(() => undefined);
    await clock.advance(10_000);
    abort.abort();
    await expect(outcome(clock, committing)).rejects.toMatchObject({ code: 'fenced', definite: false });
  });
});

describe('what cannot be replayed is told with its place, and nothing is overwritten', () => {
  const PLACE = { stream: 'nexa_test_JOURNAL', subject: 'nexa.test.v1.journal.list.a' };
  const record = (more: object) =>
    encodeRecord({ recordId: 'x', epoch: 10, n: 2, version: 1, events: [{ type: 'added', data: 1 }], ...more }, codec);

  test.each([
    ['bytes that are no record', new Uint8Array([0xc1, 1, 2]), 'corrupt-record'],
    ['a truncated record', record({}).slice(0, -5), 'corrupt-record'],
    ['something else', codec.encode({ hello: 1 }), 'corrupt-record'],
    ['fields of the wrong kind', codec.encode([1, 'x', 10, 2, 1, null, null, 'events', null, null]), 'corrupt-record'],
    ['a layout of a later release', codec.encode([2, 'x', 10, 2]), 'unknown-version'],
    ['an event that nobody knows', record({ events: [{ type: 'odd', data: 1 }] }), 'corrupt-record'],
    ['an event of a newer version', record({ version: 2 }), 'unknown-version'],
    ['a gap in the numbers', record({ n: 4 }), 'corrupt-record'],
    ['a second beginning', record({ begins: { config: null } }), 'corrupt-record'],
  ])('%s', async (_what, bytes, code) => {
    const { open, raw, come, stream, subject } = await journalWorld();
    await open(10);
    expect(await raw(bytes, 1)).toEqual({ written: 'yes', revision: 2 });
    await expect(open(20)).rejects.toMatchObject({ code, where: { ...PLACE, sequence: '2' } });
    expect(await come(stream.last(subject, TIME))).toEqual({ record: bytes, sequence: 2 });
  });

  test('a journal that lost its beginning', async () => {
    const { open, come, stream, subject, records } = await journalWorld();
    const journal = await open(10);
    await come(journal.commit(adding(journal, 1)));
    await come(stream.purge(subject, { belowSequence: 2, ...TIME }));
    await expect(open(20)).rejects.toMatchObject({ code: 'corrupt-record', where: { ...PLACE, sequence: '2' } });
    expect(await records()).toHaveLength(1);
  });

  test('a record that its owner reads instead of its own ends the activation, and stays', async () => {
    const { open, raw, come, stream, subject } = await journalWorld();
    const journal = await open(10);
    await raw(new Uint8Array([0xc1]));
    await expect(come(journal.commit(adding(journal, 1)))).rejects.toMatchObject({ code: 'corrupt-record', where: { sequence: '2' } });
    expect((await come(stream.last(subject, TIME)))?.sequence).toBe(2);
  });

  test('records of an owner that was fenced off do not count', async () => {
    const { open, raw } = await journalWorld();
    await open(10);
    const owner = await open(20);
    await raw(record({ n: 3, epoch: 10 }), 2);
    expect(owner.state).toEqual([]);
    expect((await open(30)).state).toEqual([]);
  });
});

describe('deleting', () => {
  test('is fenced: a lower epoch deletes nothing, its own does, and what comes after begins anew; mail stays handled', async () => {
    const { open, come, forget, records } = await journalWorld();
    const journal = await open(10);
    await come(journal.commit({ ...adding(journal, 1), request: ['r', reply('r')], source: { mail: { sequence: 9, messageId: 'm' } } }));
    await forget(5);
    expect(await records()).toHaveLength(2);
    await forget(11);
    expect(await records()).toMatchObject([{ epoch: 11, n: 3, deleted: { floor: 9 }, events: [] }]);
    await expect(come(journal.commit(adding(journal, 2)))).rejects.toMatchObject({ code: 'fenced' });
    const anew = await open(20, { folding: { ...listing, config: { from: 'there' } } });
    expect(anew.state).toEqual([]);
    expect(anew.kept).toMatchObject({ requests: [], floor: 9 });
    await come(anew.commit(adding(anew, 2)));
    expect((await open(30)).state).toEqual([2]);
    expect((await records()).map(({ n, begins }) => [n, begins])).toEqual([
      [3, undefined],
      [4, { config: { from: 'there' } }],
      [5, undefined],
      [6, undefined],
    ]);
  });

  test('also what cannot be replayed, and what was never stored', async () => {
    const { open, raw, forget, records, come } = await journalWorld();
    const journal = await open(10);
    await come(journal.commit(adding(journal, 1)));
    await raw(new Uint8Array([0xc1]));
    await expect(open(20)).rejects.toMatchObject({ code: 'corrupt-record' });
    await forget(20);
    expect(await records()).toMatchObject([{ epoch: 20, deleted: { floor: 0 } }]);
    expect((await open(30)).state).toEqual([]);
    const other = await journalWorld();
    await other.forget(10);
    await expect(other.open(5)).rejects.toMatchObject({ code: 'fenced' });
    expect((await other.open(20)).state).toEqual([]);
  });
});
