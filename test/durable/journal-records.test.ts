import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { createCodec } from '../../src/cluster/codec.ts';
import { decodeRecord, encodeRecord, type JournalRecord } from '../../src/durable/journal-record.ts';
import { decodeSnapshot, encodeSnapshot, type SnapshotRecord } from '../../src/durable/snapshot-record.ts';

const codec = createCodec();
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const recorded = (name: string): Uint8Array =>
  Uint8Array.from(Buffer.from(readFileSync(new URL(`../fixtures/records/${name}.hex`, import.meta.url), 'utf8').trim(), 'hex'));
const where = { stream: 'JOURNAL', subject: 'a.b', sequence: '7' };

const turn: JournalRecord = {
  ...{ recordId: 'r1', epoch: 41, n: 3, version: 2, events: [{ type: 'deposited', data: { cents: 5 } }] },
  request: ['q1', codec.encode([7])],
  source: { mail: { sequence: 9, messageId: 'm1' } },
};
const fired: JournalRecord = {
  ...{ recordId: 'r2', epoch: 41, n: 4, version: 2, events: [] },
  source: { fired: { name: 'charge', declared: 'd1', dueAtMs: 1_700_000_000_000 } },
};
const fence: JournalRecord = { recordId: 'r3', epoch: 42, n: 1, version: 2, begins: { config: { overdraftCents: 0 } }, events: [] };
const tombstone: JournalRecord = { recordId: 'r4', epoch: 43, n: 5, version: 0, deleted: { floor: 9 }, events: [] };
const records = { 'journal-1-turn': turn, 'journal-1-fired': fired, 'journal-1-fence': fence, 'journal-1-tombstone': tombstone };

test.each(Object.entries(records))('%s is written as it was recorded, and read back', (name, record) => {
  expect(hex(encodeRecord(record, codec))).toBe(hex(recorded(name)));
  expect(decodeRecord(recorded(name), codec, where)).toEqual(record);
});

test('a record with fields of another kind is none, whichever it is', () => {
  const read = (bytes: Uint8Array) => () => decodeRecord(bytes, codec, where);
  const fields = codec.decode(recorded('journal-1-turn')) as unknown[];
  expect(read(codec.encode(fields.with(0, 2)))).toThrow(expect.objectContaining({ code: 'unknown-version', where }));
  for (const [at, value] of [
    [1, ''],
    [2, -1],
    [3, 1.5],
    [4, 'x'],
    [5, [1, 2]],
    [6, [-1]],
    [7, null],
    [7, [['deposited']]],
    [7, [[7, {}]]],
    [8, ['q1', 'text']],
    [9, ['mail', 'x', 'm1']],
    [9, ['fired', 'charge', 'd1', Number.NaN]],
    [9, ['other']],
  ] as const)
    expect(read(codec.encode(fields.with(at, value))), `${at} ${value}`).toThrow(
      expect.objectContaining({ code: 'corrupt-record', where }),
    );
  expect(read(codec.encode(fields.slice(0, 9)))).toThrow(expect.objectContaining({ code: 'corrupt-record', where }));
});

const snapshot: SnapshotRecord = {
  ...{ recordId: 'r1', epoch: 41, n: 3, version: 2, sequence: 17, state: codec.encode({ cents: 5 }) },
  kept: {
    requests: [['q1', codec.encode([7])]],
    floor: 9,
    messageIds: ['m1', 'm2'],
    fired: new Map([['charge', { declared: 'd1', dueAtMs: 1_700_000_000_000 }]]),
  },
};
const large: SnapshotRecord = { ...snapshot, state: 'account.a.r1' };

test.each(Object.entries({ 'snapshot-1': snapshot, 'snapshot-1-object': large }))(
  '%s is written as it was recorded, and read back',
  (name, one) => {
    expect(hex(encodeSnapshot(one, codec))).toBe(hex(recorded(name)));
    expect(decodeSnapshot(recorded(name), codec, where)).toEqual(one);
  },
);

test('a snapshot of a later layout, or with fields of another kind, is none', () => {
  const fields = codec.decode(recorded('snapshot-1')) as unknown[];
  const read = (at: number, value: unknown) => () => decodeSnapshot(codec.encode(fields.with(at, value)), codec, where);
  expect(read(0, 2)).toThrow(expect.objectContaining({ code: 'unknown-version', where }));
  for (const [at, value] of [
    [1, 7],
    [3, -1],
    [5, 'x'],
    [6, null],
    [6, ''],
    [7, 'x'],
    [8, -1],
  ] as const)
    expect(read(at, value), `${at} ${value}`).toThrow(expect.objectContaining({ code: 'corrupt-record', where }));
});
