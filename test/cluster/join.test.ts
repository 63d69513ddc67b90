import { expect, test } from 'vitest';
import { declareGone, join } from '../../src/cluster/join.ts';
import { decodeMember, encodeMember, type MemberRecord } from '../../src/cluster/member.ts';
import { answering, codec, memberRecord, outcome, storeWorld, TIME, times } from './stores.ts';

const LONG = { timeoutMs: 60_000 };
const joiner = (session = 'mine'): Omit<MemberRecord, 'incarnation'> => {
  const { incarnation: _, ...record } = memberRecord({ state: 'joining', session });
  return record;
};
async function membership() {
  const world = storeWorld();
  const members = await world.bucket('MEMBERS');
  const { clock } = world;
  const come = async <T>(promise: Promise<T>): Promise<T> => outcome(clock, promise);
  return {
    ...world,
    members,
    come,
    joining: (record = joiner(), over = members) => join({ members: over, codec, clock, times }, 'n1', record, LONG),
    put: (record: MemberRecord, node = 'n1') => come(members.create(node, encodeMember(record, codec), TIME)),
    there: async () => {
      const found = await come(members.get('n1', TIME));
      return found === undefined ? undefined : { ...decodeMember(found.value, codec, 'n1'), revision: found.revision };
    },
    /** A holder that goes on renewing every second. */
    async renewing(record: MemberRecord, everyMs = 1_000, node = 'n1') {
      const written = await come(members.create(node, encodeMember(record, codec), TIME));
      let revision = written.written === 'yes' ? written.revision : 0;
      const renew = async (): Promise<void> => {
        const next = await members.update(node, encodeMember(record, codec), revision, TIME);
        if (next.written !== 'yes') return;
        revision = next.revision;
        clock.after(everyMs, () => void renew());
      };
      clock.after(everyMs, () => void renew());
    },
  };
}

test('over nothing the incarnation is the time of day, in milliseconds', async () => {
  const world = await membership();
  const wallMs = world.clock.wallMs();
  const joined = await world.come(world.joining());
  expect(joined.incarnation).toBeGreaterThanOrEqual(Math.floor(wallMs));
  expect(await world.there()).toMatchObject({
    incarnation: joined.incarnation,
    revision: joined.revision,
    state: 'joining',
    session: 'mine',
  });
});

test('over a gone record it is one above that at least, whatever the time of day', async () => {
  const world = await membership();
  const ahead = Math.floor(world.clock.wallMs()) + 1_000_000;
  await world.put(memberRecord({ incarnation: ahead, state: 'gone' }));
  expect((await world.come(world.joining())).incarnation).toBe(ahead + 1);
});

test('a silent holder is judged after more than ttl and margin, and then succeeded', async () => {
  const world = await membership();
  await world.put(memberRecord({ incarnation: 7 }));
  const beganMs = world.clock.monotonicMs();
  const joined = await world.come(world.joining());
  const tookMs = world.clock.monotonicMs() - beganMs;
  expect(joined.incarnation).toBeGreaterThan(7);
  expect(tookMs).toBeGreaterThan(times.ttlMs * (1 + times.margin));
  expect(tookMs).toBeLessThan(8_000);
});

test('a name whose holder goes on renewing is in use, after twice the ttl', async () => {
  const world = await membership();
  await world.renewing(memberRecord({ incarnation: 7 }));
  const beganMs = world.clock.monotonicMs();
  await expect(world.come(world.joining())).rejects.toMatchObject({ code: 'conflict', where: { node: 'n1' } });
  expect(world.clock.monotonicMs() - beganMs).toBeGreaterThan(2 * times.ttlMs);
  expect(await world.there()).toMatchObject({ incarnation: 7, state: 'up' });
});

test('a holder that renews more and more slowly is not judged while it does', async () => {
  const world = await membership();
  await world.renewing(memberRecord({ incarnation: 7 }), 4_000);
  const joining = world.joining();
  joining.catch(() => undefined);
  await world.clock.advance(40_000);
  expect(await world.there()).toMatchObject({ incarnation: 7, state: 'up' });
});

test('reads that lag behind are no sign of life', async () => {
  const world = await membership();
  for (let revision = 0; revision < 4; revision++) {
    const found = await world.come(world.members.get('n1', TIME));
    const value = encodeMember(memberRecord({ incarnation: 7 }), codec);
    await world.come(
      found === undefined ? world.members.create('n1', value, TIME) : world.members.update('n1', value, found.revision, TIME),
    );
  }
  const latest = await world.come(world.members.get('n1', TIME));
  let reads = 0;
  const lagging = {
    ...world.members,
    // Just before it would judge, it is shown the last but one, then the last.
    get: async (...given: Parameters<typeof world.members.get>) => {
      const found = await world.members.get(...given);
      if (latest === undefined || found?.revision !== latest.revision) return found;
      return ++reads < 25 ? { ...found, revision: found.revision - 1 } : found;
    },
  };
  expect((await world.come(world.joining(joiner(), lagging))).incarnation).toBeGreaterThan(7);
});

test('a join whose answer is lost is taken over, so that its lease counts from a send that is known', async () => {
  const world = await membership();
  const joined = await world.come(world.joining(joiner(), answering(world.members, ['stored, unknown'])));
  expect(await world.there()).toMatchObject({ incarnation: joined.incarnation, revision: joined.revision, session: 'mine' });
});

test('a join that lands after a later try was sent is found to be its own by its session', async () => {
  const world = await membership();
  let late: (() => Promise<unknown>) | undefined;
  const over = {
    ...world.members,
    create: async (...given: Parameters<typeof world.members.create>) => {
      if (late === undefined) {
        late = () => world.members.create(...given);
        return { written: 'unknown' } as const;
      }
      await late();
      return { written: 'unknown' } as const;
    },
  };
  const beganMs = world.clock.monotonicMs();
  const joined = await world.come(world.joining(joiner(), over));
  expect(await world.there()).toMatchObject({ incarnation: joined.incarnation, session: 'mine' });
  expect(world.clock.monotonicMs() - beganMs).toBeLessThan(1_000);
});

test('of two that join in one millisecond one has the name, and the other does not take that for its own', async () => {
  const world = await membership();
  const first = world.joining(joiner('one'));
  const second = world.joining(joiner('two'));
  const joined = await world.come(Promise.race([first.then(() => 'one'), second.then(() => 'two')]));
  expect(await world.there()).toMatchObject({ session: joined });
  // The winner never renews here: the other one judges it, and comes after it.
  const [one, two] = await world.come(Promise.all([first, second]));
  expect(one.incarnation).not.toBe(two.incarnation);
  expect((await world.there())?.incarnation).toBe(Math.max(one.incarnation, two.incarnation));
});

test('the cordon of an incarnation that was lost is taken over, that of one that left is not', async () => {
  for (const [cause, cordoned] of [
    ['crash', true],
    ['lease', true],
    ['left', false],
  ] as const) {
    const world = await membership();
    await world.put(memberRecord({ incarnation: 7, state: 'gone', cordoned: true, cause }));
    const joined = await world.come(world.joining(joiner(), answering(world.members, ['stored, unknown'])));
    expect([joined.cordoned, (await world.there())?.cordoned], cause).toEqual([cordoned, cordoned]);
  }
});

test('C9: who has no wire version in common with a member that lives is refused before it is one; one that is dead refuses nobody', async () => {
  const world = await membership();
  await world.renewing(memberRecord({ incarnation: 7, wireVersions: [2, 1], version: '0.1.0' }), 1_000, 'n2');
  const future = { ...joiner(), wireVersions: [99] };
  await expect(world.come(world.joining(future))).rejects.toMatchObject({
    code: 'unknown-version',
    definite: true,
    message: 'this node speaks wire 99, and n2 speaks 2 and 1',
    where: { node: 'n1', wire: '99', other: 'n2', otherWire: '2 1', otherVersion: '0.1.0' },
    fix: expect.stringContaining('one release at a time'),
  });
  expect(await world.there()).toBeUndefined();
  expect(await world.come(world.joining({ ...joiner(), wireVersions: [3, 2] }))).toMatchObject({ cordoned: false });

  const dead = await membership();
  await dead.put(memberRecord({ incarnation: 7 }), 'n2');
  expect(await dead.come(dead.joining(future))).toMatchObject({ cordoned: false });
});

test('without a store it is unavailable when its time is over', async () => {
  const world = await membership();
  world.network.faults.election(1e9);
  await expect(world.come(world.joining())).rejects.toMatchObject({ code: 'unavailable', definite: true });
});

test('proof of death is written for exactly that incarnation, whatever is lost, and once it moved on not at all', async () => {
  const world = await membership();
  const { clock, members } = world;
  await world.put(memberRecord({ incarnation: 7 }));
  const gone = (incarnation: number, over = members) =>
    world.come(declareGone({ members: over, codec, clock, times }, 'n1', incarnation, { ...LONG, cause: 'crash' }));
  expect(await gone(6)).toBeUndefined();
  expect(await world.there()).toMatchObject({ state: 'up' });
  const revision = await gone(7, answering(members, ['lost', 'stored, unknown']));
  expect(await world.there()).toMatchObject({ incarnation: 7, state: 'gone', revision });
  expect(await gone(7)).toBe(revision);
});
