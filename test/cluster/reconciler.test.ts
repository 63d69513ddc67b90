import { expect, test } from 'vitest';
import type { Copy, Entry } from '../../src/cluster/copy.ts';
import type { LocalAgents } from '../../src/cluster/local-agents.ts';
import type { Member, MemberRecord } from '../../src/cluster/member.ts';
import type { Members } from '../../src/cluster/members.ts';
import type { AgentRecord } from '../../src/cluster/place.ts';
import { rendezvous } from '../../src/cluster/placement.ts';
import type { Places } from '../../src/cluster/places.ts';
import { reconciler } from '../../src/cluster/reconciler.ts';
import { seededRandom } from '../../src/memory/random.ts';
import type { Kv } from '../../src/ports/stores.ts';
import { manualClock } from '../support/manual-clock.ts';
import { memberRecord, times } from './stores.ts';

const member = (node: string): Member => ({
  ...memberRecord({ types: { counter: 1 } }),
  ...{ node, suspect: false, suspended: false, admits: true },
});
const agent = (more: Partial<AgentRecord> = {}): AgentRecord => ({
  ...({ type: 'counter', id: 'a', spawnId: '', nonce: 'x', config: undefined, restart: 'permanent', placement: {} } as const),
  ...({ desired: 'running', owner: undefined, prefer: undefined, version: 1, why: 'given back', cause: 'drain', moves: [] } as const),
  ...more,
});
/** n1, n2 and n3 in the order in which they claim `counter/a`. */
const ranked = rendezvous(agent(), ['n1', 'n2', 'n3'].map(member)).map(({ node }) => node) as [string, string, string];

/** The reconciler of one node, before a copy that the test writes. */
function looking(self: string, nodes: readonly string[] = ['n1', 'n2', 'n3']) {
  const clock = manualClock();
  const records = new Map<string, Entry<AgentRecord>>();
  const gone = new Map<string, Entry<MemberRecord>>();
  const claimed: { readonly key: string; readonly why: string; readonly atMs: number }[] = [];
  const superseded: string[] = [];
  const deleted: string[] = [];
  const busy = new Set<string>();
  let admits = true;
  let underWay = 0;
  const store = (name: string) =>
    ({ delete: async (key: string, revision: number) => void deleted.push(`${name} ${key}@${revision}`) }) as unknown as Kv;
  const reconcile = reconciler({
    self: { node: self, incarnation: 1 },
    places: () => ({ get: (key: string) => records.get(key), entries: () => records.values() }) as unknown as Places,
    records: () => ({ get: (node: string) => gone.get(node), entries: () => gone.values() }) as unknown as Copy<MemberRecord>,
    agents: store('agent'),
    memberStore: store('member'),
    members: { all: () => nodes.map(member), isGone: (node: string) => node === 'dead' } as unknown as Members,
    locals: {
      claim: (key: string, _type: string, _id: string, { why }: { why: string }) => {
        underWay++;
        busy.add(key);
        claimed.push({ key, why, atMs: clock.monotonicMs() });
      },
      idle: (key: string) => !busy.has(key),
      superseded: (key: string, revision: number) => superseded.push(`${key}@${revision}`),
      get claimsUnderWay() {
        return underWay;
      },
    } as unknown as LocalAgents,
    admits: () => admits,
    runs: () => admits,
    clock,
    random: seededRandom(1),
    times,
  });
  return {
    ...{ clock, reconcile, claimed, superseded, deleted, busy, gone },
    close: () => {
      admits = false;
    },
    /** A claim that came to nothing. */
    claimFailed: (key: string) => {
      underWay--;
      busy.delete(key);
      reconcile.claimEnded();
    },
    show: (record: AgentRecord, revision = 5, key = 'counter.a') => {
      const entry = { key, value: record, revision };
      records.set(key, entry);
      reconcile.look(key, entry);
    },
  };
}

test('an orphan is claimed after as many steps as this node’s rank, and if it still is one', async () => {
  for (const [rank, node] of ranked.entries()) {
    for (const owner of [undefined, { node: 'dead', incarnation: 1 }]) {
      const { clock, claimed, show } = looking(node);
      show(agent({ owner }));
      await clock.advance(rank * times.rankMs + 1);
      expect(claimed).toMatchObject([{ key: 'counter.a', atMs: rank * times.rankMs }]);
    }
  }
  const late = looking(ranked[1]);
  late.show(agent());
  await late.clock.advance(100);
  late.show(agent({ owner: { node: ranked[0], incarnation: 1 } }), 6);
  await late.clock.advance(5_000);
  expect(late.claimed).toEqual([]);
});

test('what stands still and is nobody’s business is left alone', async () => {
  const { clock, claimed, show } = looking(ranked[0]);
  show(agent({ desired: 'stopped' }));
  show(agent({ desired: 'quarantined' }), 6, 'counter.b');
  show(agent({ owner: { node: ranked[1], incarnation: 1 } }), 7, 'counter.c');
  await clock.advance(60_000);
  expect(claimed).toEqual([]);
});

test('a record that names this node, though nothing runs here, is claimed again; one that is under way is not', async () => {
  const { clock, claimed, show, busy } = looking('n1');
  busy.add('counter.b');
  show(agent({ owner: { node: 'n1', incarnation: 1 } }));
  show(agent({ owner: { node: 'n1', incarnation: 1 } }), 6, 'counter.b');
  await clock.advance(times.rankMs);
  expect(claimed).toMatchObject([{ key: 'counter.a', why: 'its record named this node' }]);
});

test('a record that names another owner is told to what runs here, at its revision', () => {
  const { show, superseded } = looking('n1');
  show(agent({ owner: { node: 'n2', incarnation: 1 } }), 9);
  show(agent({ owner: { node: 'n1', incarnation: 1 } }), 10);
  expect(superseded).toEqual(['counter.a@9']);
});

test('a node that takes nothing claims nothing, not even what was planned', async () => {
  const { clock, claimed, show, close } = looking(ranked[1]);
  show(agent());
  close();
  await clock.advance(60_000);
  expect(claimed).toEqual([]);
});

test('after an activation failed here the others go first, and this node again after half a minute', async () => {
  const { clock, claimed, show, reconcile } = looking(ranked[0], [ranked[0]]);
  reconcile.exclude('counter.a');
  show(agent());
  expect(reconcile.unplaced).toBe(1);
  await clock.advance(times.excludeMs - 1_000);
  expect(claimed).toEqual([]);
  await clock.advance(3_000);
  expect(claimed).toHaveLength(1);
});

test('what nobody may run is unplaced, and claimed when somebody may', async () => {
  const nodes: string[] = [];
  const { clock, claimed, show, reconcile } = looking('n1', nodes);
  show(agent());
  expect(reconcile.unplaced).toBe(1);
  nodes.push('n1');
  await clock.advance(2_000);
  expect(claimed).toHaveLength(1);
  expect(reconcile.unplaced).toBe(0);
});

test('a stopped record is deleted an hour after it was first seen so, by every clock, and not if it changed', async () => {
  const { clock, deleted, show } = looking('n1');
  show(agent({ desired: 'stopped' }), 5);
  await clock.advance(times.keepStoppedMs * (1 + times.margin) - times.reconcileMs);
  expect(deleted).toEqual([]);
  show(agent({ desired: 'stopped' }), 8);
  await clock.advance(times.keepStoppedMs);
  expect(deleted).toEqual([]);
  await clock.advance(times.keepStoppedMs * times.margin + 3 * times.reconcileMs);
  expect(new Set(deleted)).toEqual(new Set(['agent counter.a@8']));
});

test('the record of a gone member is kept a day, and as long as an agent names it', async () => {
  const { clock, deleted, show, gone } = looking('n1', ['n1']);
  for (const node of ['dead', 'long-dead']) gone.set(node, { key: node, value: memberRecord({ state: 'gone' }), revision: 3 });
  show(agent({ desired: 'quarantined', owner: { node: 'dead', incarnation: 1 } }));
  await clock.advance(times.keepGoneMs);
  expect(deleted).toEqual([]);
  await clock.advance(times.keepGoneMs * 0.2);
  expect(new Set(deleted)).toEqual(new Set(['member long-dead@3']));
});

test('once stopped it does nothing more', async () => {
  const { clock, claimed, show, reconcile } = looking(ranked[2]);
  show(agent());
  reconcile.stop();
  await clock.advance(60_000);
  expect(claimed).toEqual([]);
});

test('of many orphans 256 are claimed at a time, and the next one as soon as one of those has ended', async () => {
  const { clock, claimed, show, claimFailed } = looking('n1', ['n1']);
  for (let index = 0; index < 300; index++) show(agent({ id: `a${index}` }), 5, `counter.a${index}`);
  await clock.advance(1);
  expect(claimed).toHaveLength(256);
  claimFailed('counter.a0');
  claimFailed('counter.a1');
  expect(claimed.slice(256).map(({ key }) => key)).toEqual(['counter.a256', 'counter.a257']);
});
