import fc from 'fast-check';
import { expect, test } from 'vitest';
import { claimDelayMs, mayReturn, orphaned } from '../../src/cluster/failover.ts';
import type { Member } from '../../src/cluster/member.ts';
import { nobodyTakes } from '../../src/cluster/nobody.ts';
import { choose, eligible, rendezvous } from '../../src/cluster/placement.ts';
import type { NexaError } from '../../src/errors.ts';
import { seededRandom } from '../../src/memory/random.ts';

const member = (node: string, more: Partial<Member> = {}): Member => ({
  ...({ node, incarnation: 1, state: 'up', suspect: false, cordoned: false, suspended: false, admits: true } as const),
  ...{ labels: {}, capacity: 1, version: '1', wireVersions: [1], types: { counter: 1 } },
  ...more,
});
const agent = (id = 'a', wish = {}, version = 1) => ({ type: 'counter', id, version, wish });
const three = [member('n1'), member('n2'), member('n3')];
const names = (members: readonly Member[]) => members.map(({ node }) => node);

test('only a member that is up, well, admitting, of the type, the version and the labels is eligible', () => {
  const unfit: Partial<Member>[] = [
    { state: 'joining' },
    { state: 'leaving' },
    { state: 'gone' },
    { cordoned: true },
    { suspended: true },
    { suspect: true },
    { admits: false },
    { capacity: 0 },
    { types: {} },
    { types: { counter: 1 } },
    { labels: {} },
    { labels: { zone: 'b' } },
  ];
  const good = { types: { counter: 2 }, labels: { zone: 'a', disk: 'ssd' } };
  const members = [member('good', good), ...unfit.map((each, index) => member(`bad${index}`, { ...good, ...each }))];
  expect(names(eligible(agent('a', { labels: { zone: 'a' } }, 2), members))).toEqual(['good']);
});

test('a named node is chosen or nobody is', () => {
  const random = seededRandom(1);
  const options = { local: 'n1', load: () => 0, random };
  expect(choose(agent('a', { node: 'n2' }), three, options)).toBe('n2');
  expect(choose(agent('a', { node: 'n9' }), three, options)).toBeUndefined();
  expect(choose(agent('a', { node: 'n2' }), [member('n1'), member('n2', { suspended: true })], options)).toBeUndefined();
});

test('local stays where it is asked for, and goes elsewhere only if that is not eligible', () => {
  const options = { local: 'n2', load: () => 0, random: seededRandom(1) };
  expect(choose(agent('a', { strategy: 'local' }), three, options)).toBe('n2');
  expect(choose(agent('a', { strategy: 'local' }), [member('n1'), member('n2', { cordoned: true })], options)).toBe('n1');
});

test('rendezvous gives each node a share of its capacity, within a tenth', () => {
  const members = [member('n1', { capacity: 1 }), member('n2', { capacity: 2 }), member('n3', { capacity: 5 })];
  const count = new Map<string, number>();
  const ids = 40_000;
  for (let index = 0; index < ids; index++) {
    const [first] = rendezvous(agent(`agent-${index}`), members);
    count.set(first?.node ?? '', (count.get(first?.node ?? '') ?? 0) + 1);
  }
  for (const { node, capacity } of members) {
    const share = (count.get(node) ?? 0) / ids;
    expect(share / (capacity / 8)).toBeGreaterThan(0.9);
    expect(share / (capacity / 8)).toBeLessThan(1.1);
  }
});

test('losing a node moves its agents alone, and evenly', () => {
  const members = [1, 2, 3, 4, 5].map((index) => member(`n${index}`));
  const left = members.filter(({ node }) => node !== 'n3');
  const to = new Map<string, number>();
  for (let index = 0; index < 10_000; index++) {
    const before = rendezvous(agent(`x${index}`), members)[0]?.node;
    const after = rendezvous(agent(`x${index}`), left)[0]?.node ?? '';
    if (before !== 'n3') expect(after).toBe(before);
    else to.set(after, (to.get(after) ?? 0) + 1);
  }
  expect(Math.min(...to.values()) / Math.max(...to.values())).toBeGreaterThan(0.75);
});

test('the order is the same for everybody, in whatever order they know the members', () => {
  expect(names(rendezvous(agent(), three))).toEqual(names(rendezvous(agent(), [...three].reverse())));
});

test('the less loaded of two random picks, by capacity, keeps the loads together', () => {
  const members = [...Array(10).keys()].map((index) => member(`n${index}`, { capacity: index < 5 ? 1 : 3 }));
  const load = new Map<string, number>();
  const random = seededRandom(7);
  for (let index = 0; index < 10_000; index++) {
    const node = choose(agent(`a${index}`), members, { local: 'n0', load: (name) => load.get(name) ?? 0, random }) ?? '';
    load.set(node, (load.get(node) ?? 0) + 1);
  }
  const perCapacity = members.map(({ node, capacity }) => (load.get(node) ?? 0) / capacity);
  expect(Math.max(...perCapacity) / Math.min(...perCapacity)).toBeLessThan(1.15);
});

test('nobody eligible: nobody is chosen', () => {
  expect(choose(agent(), [], { local: 'n1', load: () => 0, random: seededRandom(1) })).toBeUndefined();
});

const record = (more = {}) => ({ type: 'counter', id: 'a', version: 1, placement: {}, prefer: undefined, ...more });

test('the rank in the rendezvous is the number of steps a claim waits', () => {
  const order = names(rendezvous(agent(), three));
  expect(order.map((node) => claimDelayMs(node, record(), three, 300))).toEqual([0, 300, 600]);
});

test('whom the last owner preferred goes first, the others keep their order', () => {
  const order = names(rendezvous(agent(), three));
  const [a, b, c] = order as [string, string, string];
  const given = record({ prefer: c });
  expect([c, a, b].map((node) => claimDelayMs(node, given, three, 300))).toEqual([0, 300, 600]);
  expect(claimDelayMs(a, record({ prefer: 'unknown' }), three, 300)).toBe(0);
});

test('who is not eligible never claims; a named node that is lost is no chain', () => {
  expect(claimDelayMs('n9', record(), three, 300)).toBeUndefined();
  expect(claimDelayMs('n1', record(), [member('n1', { suspended: true }), member('n2')], 300)).toBeUndefined();
  expect(claimDelayMs('n2', record({ placement: { node: 'n1' } }), [member('n2')], 300)).toBe(0);
  expect(claimDelayMs('n2', record({ placement: { labels: { zone: 'a' } } }), [member('n2')], 300)).toBeUndefined();
});

test('an orphan is meant to run and has no owner, or one that is recorded gone', () => {
  const gone = (node: string, incarnation: number) => node === 'n1' && incarnation <= 4;
  expect(orphaned({ desired: 'running', owner: undefined }, gone)).toBe(true);
  expect(orphaned({ desired: 'running', owner: { node: 'n1', incarnation: 4 } }, gone)).toBe(true);
  expect(orphaned({ desired: 'running', owner: { node: 'n1', incarnation: 5 } }, gone)).toBe(false);
  expect(orphaned({ desired: 'stopped', owner: undefined }, gone)).toBe(false);
  expect(orphaned({ desired: 'quarantined', owner: undefined }, gone)).toBe(false);
  expect(['permanent', 'transient', 'temporary'].map((restart) => mayReturn({ restart } as never))).toEqual([true, true, false]);
});

/**
 * Pearson's statistic of counts against shares, with k - 1 degrees of freedom: for up to 5 nodes it stays below 30 for all but one
 * in a hundred thousand draws that are what they claim to be.
 */
const chiSquare = (counts: readonly number[], shares: readonly number[]): number => {
  const [total, whole] = [counts, shares].map((all) => all.reduce((sum, each) => sum + each, 0)) as [number, number];
  return counts.reduce((sum, count, index) => {
    const expected = (total * (shares[index] ?? 0)) / whole;
    return sum + (count - expected) ** 2 / expected;
  }, 0);
};
const capacities = fc.array(fc.constantFrom(0.5, 1, 2, 4, 20), { minLength: 2, maxLength: 5 });

test('S0-091: many spawns fill the nodes in proportion to their capacities, whatever these are', () => {
  fc.assert(
    fc.property(capacities, fc.integer(), (given, seed) => {
      const members = given.map((capacity, index) => member(`n${index}`, { capacity }));
      const counts = new Map<string, number>();
      const options = { local: 'n0', load: (node: string) => counts.get(node) ?? 0, random: seededRandom(seed) };
      for (let index = 0; index < 2_000; index++) {
        const node = choose(agent(`a${index}`), members, options) ?? '';
        counts.set(node, (counts.get(node) ?? 0) + 1);
      }
      expect(
        chiSquare(
          members.map(({ node }) => counts.get(node) ?? 0),
          given,
        ),
      ).toBeLessThan(30);
    }),
    { numRuns: 60, seed: 91 },
  );
});

test('a node that is large among many small ones gets its share before anybody knows a load', () => {
  const members = [member('big', { capacity: 12 }), ...[...Array(6).keys()].map((index) => member(`n${index}`))];
  const options = { local: 'n0', load: () => 0, random: seededRandom(7) };
  let big = 0;
  for (let index = 0; index < 6_000; index++) if (choose(agent(`a${index}`), members, options) === 'big') big++;
  expect(chiSquare([big, 6_000 - big], [12, 6])).toBeLessThan(30);
});

test('why nobody takes an agent names what is missing: the type, its version, the node, the label, or a node that may', () => {
  const members = [member('n1', { labels: { zone: 'a' } }), member('n2', { types: {} }), member('n3', { cordoned: true })];
  const whyNot = (wish: object, version = 1, type = 'counter') => nobodyTakes({ ...agent('a', wish, version), type }, members);
  const reasons: readonly [NexaError, string, object][] = [
    [whyNot({}, 1, 'other'), 'no node runs its type', { type: 'other' }],
    [whyNot({}, 2), 'no node runs version 2 of its type, or a later one', { version: '2' }],
    [whyNot({ node: 'n2' }), 'node n2 does not take it', { node: 'n2' }],
    [whyNot({ labels: { zone: 'b' } }), 'no node that could run it has the label zone=b', { 'label zone': 'b' }],
    [whyNot({ labels: { toString: 'b' } }), 'no node that could run it has the label toString=b', { 'label toString': 'b' }],
    [whyNot({ node: 'n3' }), 'no node may take it at the moment', { node: 'n3' }],
  ];
  for (const [error, message, where] of reasons) {
    expect(error).toMatchObject({ code: 'unavailable', definite: true, message, where });
    expect(error.fix).toMatch(/\w/);
  }
});
