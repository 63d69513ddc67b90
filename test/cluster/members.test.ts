import { expect, test } from 'vitest';
import type { Copy, Entry } from '../../src/cluster/copy.ts';
import { type MemberRecord, provesGone } from '../../src/cluster/member.ts';
import { type Beat, membersOf } from '../../src/cluster/members.ts';
import { memberRecord, times } from './stores.ts';

function table() {
  const records = new Map<string, Entry<MemberRecord>>();
  let nowMs = 0;
  const copy = { get: (key: string) => records.get(key), entries: () => records.values() } as unknown as Copy<MemberRecord>;
  const members = membersOf({ copy: () => copy, times, nowMs: () => nowMs, self: 'n1', admits: () => true, suspended: () => false });
  return {
    members,
    put: (node: string, more: Partial<MemberRecord> = {}) => records.set(node, { key: node, value: memberRecord(more), revision: 1 }),
    forget: (node: string) => records.delete(node),
    pass: (ms: number) => {
      nowMs += ms;
    },
  };
}
const beat = (node: string, more: Partial<Beat> = {}): Beat => ({
  ...{ node, incarnation: 1, suspended: false, admits: true, agents: 0, lagMs: 0, pid: 1, load: 0 },
  ...more,
});

test('gone is what a record of a higher incarnation, or this one in state gone, proves; absence proves nothing', () => {
  expect(provesGone(memberRecord({ incarnation: 5 }), 4)).toBe(true);
  expect(provesGone(memberRecord({ incarnation: 5, state: 'gone' }), 5)).toBe(true);
  expect(provesGone(memberRecord({ incarnation: 5 }), 5)).toBe(false);
  expect(provesGone(memberRecord({ incarnation: 4, state: 'gone' }), 5)).toBe(false);
  expect(table().members.isGone('n2', 1)).toBe(false);
});

test('what was proven gone stays so when the record is deleted, and says nothing of later incarnations', () => {
  const { members, put, forget } = table();
  put('n2', { incarnation: 5, state: 'gone' });
  expect(members.isGone('n2', 5)).toBe(true);
  forget('n2');
  expect([4, 5, 6].map((incarnation) => members.isGone('n2', incarnation))).toEqual([true, true, false]);
});

test('a member is suspect when its beats are missed, and at once when none was ever heard; oneself never is', () => {
  const { members, put, pass } = table();
  put('n1');
  put('n2');
  expect(members.find('n1')).toMatchObject({ suspect: false, admits: true });
  expect(members.find('n2')).toMatchObject({ suspect: true, admits: false });
  members.heard(beat('n2'));
  expect(members.find('n2')).toMatchObject({ suspect: false, admits: true });
  pass(4 * times.beatMs + 1);
  expect(members.find('n2')).toMatchObject({ suspect: true });
});

test('a beat of another incarnation says nothing about this one, and an earlier one is not taken', () => {
  const { members, put } = table();
  put('n2', { incarnation: 2 });
  members.heard(beat('n2', { incarnation: 1, suspended: true }));
  expect(members.find('n2')).toMatchObject({ suspended: false, suspect: true });
  members.heard(beat('n2', { incarnation: 2 }));
  members.heard(beat('n2', { incarnation: 1, suspended: true }));
  expect(members.find('n2')).toMatchObject({ suspended: false, suspect: false });
});

test('beats of names that no record knows are not kept', () => {
  const { members } = table();
  members.heard(beat('stranger'));
  expect(members.beatOf('stranger')).toBeUndefined();
});

test('the load is what the last beat said and what was placed there since', () => {
  const { members, put } = table();
  put('n2');
  expect(members.load('n2')).toBe(0);
  members.heard(beat('n2', { agents: 10 }));
  members.placed('n2');
  members.placed('n2');
  expect(members.load('n2')).toBe(12);
  members.heard(beat('n2', { agents: 12 }));
  expect(members.load('n2')).toBe(12);
});
