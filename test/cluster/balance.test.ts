import fc from 'fast-check';
import { expect, test } from 'vitest';
import { balance, type Movable, type NodeLoad, skew } from '../../src/cluster/balance.ts';

type World = Map<string, { readonly capacity: number; readonly costs: Map<string, number> }>;

const loads = (world: World): NodeLoad[] =>
  [...world].map(([node, { capacity, costs }]) => ({ node, capacity, load: [...costs.values()].reduce((sum, cost) => sum + cost, 0) }));
const movables = (world: World, node: string): Movable[] =>
  [...(world.get(node)?.costs ?? [])].map(([key, cost]) => ({ key, cost, takers: new Set(world.keys()) }));
/** All nodes decide by the same picture, then everything moves. */
const round = (world: World): string[] => {
  const seen = loads(world);
  const plans = [...world.keys()].map((node) => ({ node, transfers: balance(node, seen, movables(world, node)) }));
  return plans.flatMap(({ node, transfers }) =>
    transfers.map(({ key, to }) => {
      world.get(to)?.costs.set(key, world.get(node)?.costs.get(key) ?? 0);
      world.get(node)?.costs.delete(key);
      return key;
    }),
  );
};
const worldOf = (sizes: readonly { readonly agents: number; readonly capacity?: number; readonly cost?: number }[]): World =>
  new Map(
    sizes.map(({ agents, capacity = 1, cost = 1 }, index) => [
      `n${index}`,
      { capacity, costs: new Map(Array.from({ length: agents }, (_, agent) => [`a${index}.${agent}`, cost] as const)) },
    ]),
  );

test('a fourth node gets its fair share in one round, and nothing moves twice', () => {
  const world = worldOf([{ agents: 100 }, { agents: 100 }, { agents: 100 }, { agents: 0 }]);
  const moved = round(world);
  expect([...world.values()].map(({ costs }) => costs.size)).toEqual([75, 75, 75, 75]);
  expect(new Set(moved).size).toBe(moved.length);
  expect(round(world)).toEqual([]);
});

test('a node of twice the capacity gets twice as much', () => {
  const world = worldOf([{ agents: 120 }, { agents: 0, capacity: 2 }, { agents: 0 }]);
  round(world);
  expect([...world.values()].map(({ costs }) => costs.size)).toEqual([30, 60, 30]);
});

test('few busy agents move rather than many idle ones', () => {
  const world = worldOf([{ agents: 60 }, { agents: 40 }, { agents: 40 }]);
  for (const key of ['hot.1', 'hot.2']) world.get('n0')?.costs.set(key, 20);
  const before = skew(loads(world));
  const moved = round(world);
  expect(moved.filter((key) => key.startsWith('hot'))).toEqual(['hot.1', 'hot.2']);
  expect(moved.length).toBeLessThan(10);
  expect(skew(loads(world))).toBeLessThan(before);
  expect(skew(loads(world))).toBeLessThan(1.1);
});

test('what nobody may take stays, and hinders nobody', () => {
  const nodes: NodeLoad[] = [
    { node: 'n0', capacity: 1, load: 4 },
    { node: 'n1', capacity: 1, load: 0 },
  ];
  const mine: Movable[] = ['a', 'b', 'c', 'd'].map((key) => ({ key, cost: 1, takers: new Set(key === 'd' ? ['n1'] : []) }));
  expect(balance('n0', nodes, mine)).toEqual([{ key: 'd', to: 'n1' }]);
});

test('a tie of one agent is left alone', () => {
  for (const sizes of [
    [2, 1],
    [1, 0],
    [2, 2, 1, 1, 1],
    [5, 5, 4],
  ]) {
    expect(round(worldOf(sizes.map((agents) => ({ agents })))), String(sizes)).toEqual([]);
  }
});

test('whatever the loads: no node is overfilled by more than an agent, rounds come to rest, and skew never grows', () => {
  const node = fc.record({ agents: fc.nat(60), capacity: fc.constantFrom(0.5, 1, 2, 3), cost: fc.constantFrom(1, 1.3, 4) });
  fc.assert(
    fc.property(fc.array(node, { minLength: 1, maxLength: 7 }), (sizes) => {
      const world = worldOf(sizes);
      const heaviest = Math.max(...sizes.map(({ cost }) => cost));
      const total = loads(world).reduce((sum, { load }) => sum + load, 0);
      const capacity = sizes.reduce((sum, one) => sum + one.capacity, 0);
      const before = new Map(loads(world).map(({ node, load }) => [node, load]));
      const moved = round(world);
      expect(new Set(moved).size).toBe(moved.length);
      for (const { node, load, capacity: own } of loads(world)) {
        const fair = (total * own) / capacity;
        if (load > (before.get(node) ?? 0)) expect(load - fair).toBeLessThanOrEqual(heaviest * sizes.length);
        else if (load < (before.get(node) ?? 0)) expect(load).toBeGreaterThanOrEqual(fair - heaviest);
      }
      let rounds = 0;
      while (round(world).length > 0) expect(++rounds).toBeLessThan(20);
    }),
    { numRuns: 500 },
  );
});
