import { expect, test } from 'vitest';
import { FIRED_NAMES, keep, keptByTombstone, keptFields, keptFrom, MESSAGE_IDS, NOTHING_KEPT } from '../../src/durable/kept.ts';

const mail = (sequence: number, messageId = `m${sequence}`) => ({ source: { mail: { sequence, messageId } } });
const fired = (name: string, dueAtMs: number) => ({ source: { fired: { name, declared: 'd', dueAtMs } } });

test('a handled message raises the floor, and its id is among the last thousand', () => {
  let kept = NOTHING_KEPT;
  for (let sequence = 1; sequence <= MESSAGE_IDS + 5; sequence++) kept = keep(kept, mail(sequence));
  expect(kept.floor).toBe(MESSAGE_IDS + 5);
  expect(kept.messageIds).toHaveLength(MESSAGE_IDS);
  expect(kept.messageIds[0]).toBe('m6');
  const again = keep(kept, mail(5_000, 'm7'));
  expect(again).toMatchObject({ floor: 5_000, messageIds: kept.messageIds });
  expect(keep(again, mail(3)).floor).toBe(5_000);
});

test('what fired is kept by name, the last of so many names', () => {
  let kept = keep(keep(NOTHING_KEPT, fired('a', 1)), fired('a', 2));
  expect([...kept.fired]).toEqual([['a', { declared: 'd', dueAtMs: 2 }]]);
  for (let index = 0; index < FIRED_NAMES; index++) kept = keep(kept, fired(String(index), 3));
  expect(kept.fired.size).toBe(FIRED_NAMES);
  expect(kept.fired.has('a')).toBe(false);
});

test('a turn that somebody asked for keeps its request and nothing else', () => {
  const reply = new Uint8Array([1]);
  expect(keep(NOTHING_KEPT, { request: ['q', reply] })).toEqual({ ...NOTHING_KEPT, requests: [['q', reply]] });
  expect(keep(NOTHING_KEPT, {})).toBe(NOTHING_KEPT);
});

test('it survives its record, whatever the names are', () => {
  const kept = keep(keep(keep(NOTHING_KEPT, fired('__proto__', 1)), mail(7)), { request: ['q', new Uint8Array([1])] });
  expect(keptFrom(keptFields(kept))).toEqual(kept);
});

test('with the state everything is forgotten but what was handled', () => {
  expect(keptByTombstone(keep(keep(NOTHING_KEPT, fired('a', 1)), mail(7)))).toEqual({ ...NOTHING_KEPT, floor: 7 });
});

test('how many owners began with a message is counted until one is handled, and survives its record', () => {
  const tried = (sequence: number) => ({ source: { tried: { sequence } } });
  const twice = keep(keep(NOTHING_KEPT, tried(7)), tried(7));
  expect(twice.tried).toEqual({ sequence: 7, times: 2 });
  expect(keptFrom(keptFields(twice))).toEqual(twice);
  expect(keep(twice, tried(8)).tried).toEqual({ sequence: 8, times: 1 });
  expect(keep(twice, mail(7)).tried).toBeUndefined();
  expect(keptFrom([[], 0, [], [], [7, 'often']])).toBeUndefined();
});
