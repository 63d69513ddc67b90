import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { createCodec } from '../../src/cluster/codec.ts';
import { decodeState, encodeState, type StateRecord } from '../../src/durable/fenced-state.ts';
import { NOTHING_KEPT } from '../../src/durable/kept.ts';
import { decodeReminder, encodeReminder, type Reminder } from '../../src/durable/reminder.ts';

const codec = createCodec();
const recorded = (name: string): Uint8Array =>
  Uint8Array.from(Buffer.from(readFileSync(new URL(`../fixtures/records/${name}.hex`, import.meta.url), 'utf8').trim(), 'hex'));
const state: StateRecord = {
  ...{ recordId: 'r1', epoch: 41, n: 3, version: 2, state: { value: 7 } },
  kept: {
    requests: [['q1', codec.encode([7])]],
    floor: 9,
    messageIds: ['m1', 'm2'],
    fired: new Map([['charge', { declared: 'd1', dueAtMs: 1_700_000_000_000 }]]),
  },
};

test('a state record is written as it was recorded, and read back', () => {
  expect(Buffer.from(encodeState(state, codec)).toString('hex')).toBe(Buffer.from(recorded('state-2')).toString('hex'));
  expect(decodeState(recorded('state-2'), codec, 'counter.a')).toEqual(state);
});

test('one from before there was a mailbox is read, with nothing of it', () => {
  const { requests } = state.kept;
  expect(decodeState(recorded('state-1'), codec, 'counter.a')).toEqual({ ...state, kept: { ...NOTHING_KEPT, requests } });
});

test('one of a later layout, or with fields of another kind, is none', () => {
  const fields = codec.decode(recorded('state-2')) as unknown[];
  const read = (at: number, value: unknown) => () => decodeState(codec.encode(fields.with(at, value)), codec, 'counter.a');
  expect(read(0, 3)).toThrow(expect.objectContaining({ code: 'unknown-version' }));
  for (const [at, value] of [
    [1, 7],
    [2, 'x'],
    [6, 'x'],
    [6, [['q1', 'text']]],
    [7, -1],
    [7, '9'],
    [8, [1]],
    [9, [['charge', 'd1', 'late']]],
    [9, undefined],
  ] as const)
    expect(read(at, value), `${at} ${String(value)}`).toThrow(
      expect.objectContaining({ code: 'corrupt-record', where: { key: 'counter.a' } }),
    );
});

const reminder: Reminder = {
  ...{ epoch: 41, declared: 'd1', schedule: { cron: '0 12 * * *', timeZone: 'Europe/Berlin' } },
  ...{ message: codec.encode({ type: 'tick' }), dueAtMs: 1_700_000_000_000, firedAtMs: 1_699_913_600_000 },
};

test('a reminder is written as it was recorded, and read back, whatever its schedule is', () => {
  expect(Buffer.from(encodeReminder(reminder, codec)).toString('hex')).toBe(Buffer.from(recorded('reminder-1')).toString('hex'));
  expect(decodeReminder(recorded('reminder-1'), codec, 'a.b.c')).toEqual(reminder);
  for (const schedule of [{ atMs: 5 }, { everyMs: 1_000 }] as const) {
    const other: Reminder = { ...reminder, schedule, firedAtMs: undefined };
    expect(decodeReminder(encodeReminder(other, codec), codec, 'a.b.c')).toEqual(other);
  }
});

test('a reminder of a later layout, or with fields of another kind, is none', () => {
  const fields = codec.decode(recorded('reminder-1')) as unknown[];
  const read = (bytes: Uint8Array) => () => decodeReminder(bytes, codec, 'a.b.c');
  const where = { store: 'REMINDERS', key: 'a.b.c' };
  expect(read(codec.encode(fields.with(0, 2)))).toThrow(expect.objectContaining({ code: 'unknown-version', where }));
  const rubbish = [
    ...[
      [1, 1.5],
      [2, 7],
      [3, 'daily'],
      [3, {}],
      [3, { everyMs: 0 }],
      [3, { cron: '* * * * *' }],
      [4, 'text'],
      [5, null],
      [6, 'never'],
    ].map(([at, value]) => codec.encode(fields.with(at as number, value))),
    codec.encode({ dueAtMs: 1 }),
    recorded('reminder-1').subarray(0, 9),
    new Uint8Array(0),
  ];
  for (const bytes of rubbish) expect(read(bytes)).toThrow(expect.objectContaining({ code: 'corrupt-record', where }));
});
