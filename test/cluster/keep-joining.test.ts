import { expect, test } from 'vitest';
import { join } from '../../src/cluster/join.ts';
import { keepJoining } from '../../src/cluster/keep-joining.ts';
import { encodeMember } from '../../src/cluster/member.ts';
import type { Kv } from '../../src/ports/stores.ts';
import { answering, codec, memberRecord, outcome, storeWorld, TIME, times } from './stores.ts';

/** A node that somebody joined for a moment ago, and who renews for it through `over`. */
async function starting(over: (members: Kv) => Kv = (members) => members) {
  const { clock, bucket } = storeWorld();
  const members = await bucket('MEMBERS');
  const { incarnation: _, ...record } = memberRecord({ state: 'joining', session: 'mine' });
  const store = { members, codec, clock, times };
  const joined = await outcome(clock, join(store, 'n1', record, { timeoutMs: 60_000 }));
  const end = keepJoining({ ...store, members: over(members) }, 'n1', record, joined);
  const revision = async (): Promise<number> => (await outcome(clock, members.get('n1', TIME)))?.revision ?? 0;
  return {
    clock,
    joined,
    end,
    revision,
    /** Whether its record got another revision within `ms`. */
    async renewedWithin(ms: number): Promise<boolean> {
      const before = await revision();
      await clock.advance(ms);
      return (await revision()) !== before;
    },
    async write(state: 'up' | 'gone'): Promise<boolean> {
      const bytes = encodeMember(memberRecord({ incarnation: joined.incarnation, state }), codec);
      return (await outcome(clock, members.update('n1', bytes, await revision(), TIME))).written === 'yes';
    },
  };
}

test('a start that takes longer than a lease is renewed for, each time before anybody may judge', async () => {
  const node = await starting();
  for (let period = 0; period < 20; period++) expect(await node.renewedWithin(times.ttlMs / 2)).toBe(true);
  node.end();
  expect(await node.renewedWithin(2 * times.ttlMs)).toBe(false);
});

test('a start that is quick is left alone: the revision it was told is still that of its record', async () => {
  const node = await starting();
  await node.clock.advance(times.renewMs);
  expect(await node.revision()).toBe(node.joined.revision);
  node.end();
});

test.each(['up', 'gone'] as const)('the first who writes %s ends it', async (state) => {
  const node = await starting();
  expect(await node.renewedWithin(2 * times.ttlMs)).toBe(true);
  expect(await node.write(state)).toBe(true);
  expect(await node.renewedWithin(2 * times.ttlMs)).toBe(false);
});

test('an unknown outcome is repeated at the same revision, so it never writes over another', async () => {
  const lost = await starting((members) => answering(members, ['lost', 'lost']));
  expect(await lost.renewedWithin(times.ttlMs)).toBe(false);
  expect(await lost.renewedWithin(times.ttlMs)).toBe(true);
  lost.end();
  const stored = await starting((members) => answering(members, ['stored, unknown']));
  expect(await stored.renewedWithin(times.ttlMs)).toBe(true);
  expect(await stored.renewedWithin(2 * times.ttlMs)).toBe(false);
});

test('a node that is stuck keeps its name for five minutes', async () => {
  const node = await starting();
  await node.clock.advance(300_000 - times.ttlMs);
  expect(await node.renewedWithin(times.ttlMs / 2)).toBe(true);
  await node.clock.advance(times.ttlMs);
  expect(await node.renewedWithin(2 * times.ttlMs)).toBe(false);
});
