import { describe, expect, test } from 'vitest';
import type { Act } from '../../../chaos/act.ts';
import type { World } from '../../../chaos/world.ts';
import { openSimulation } from '../../../chaos/worlds/simulation.ts';

/** Inside a calm world of three nodes with one agent, and a client. */
async function inside<T>(
  given: (at: {
    readonly world: World;
    readonly add: () => Promise<unknown>;
    readonly wait: (ms: number) => Promise<void>;
    readonly states: () => Promise<readonly string[]>;
    readonly owner: () => Promise<string | null | undefined>;
  }) => Promise<T>,
): Promise<T> {
  const world = await openSimulation({ seed: 1, nodes: 3, servers: 3 });
  try {
    return await world.run(async () => {
      const { client } = await world.link('test');
      await client.spawnRaw({ agent: 'counter', id: 'one', placement: { node: 'n1' } });
      return given({
        world,
        add: () => client.askRaw('counter', 'one', { type: 'add', by: 1 }, { timeoutMs: 2_000 }),
        wait: (ms) => new Promise((resolve) => void world.clock.after(ms, resolve)),
        states: async () =>
          ((await client.cluster.nodes()) as { node: string; state: string }[])
            .filter(({ state }) => state !== 'gone')
            .map(({ node, state }) => `${node} ${state}`)
            .sort(),
        owner: async () => (await client.cluster.list({ type: 'counter' }))[0]?.node,
      });
    });
  } finally {
    expect(await world.close()).toEqual([]);
  }
}
const all = ['n1 running', 'n2 running', 'n3 running'];

describe('a simulated world', () => {
  test('a node that is killed is seen, and comes back', () =>
    inside(async ({ world, add, wait, states, owner }) => {
      await world.act({ act: 'kill-node', node: 'n1', silent: false });
      await wait(300);
      expect(await states()).toEqual(['n2 running', 'n3 running']);
      expect(await add()).toEqual({ value: 1 });
      expect(await owner()).not.toBe('n1');
      await wait(4_000);
      expect(await states()).toEqual(all);
      expect(world.exits).toMatchObject([{ place: 'n1', code: null, signal: 'SIGKILL' }]);
    }));

  test('a machine that is lost stays away until it is started, and nobody sees it go', () =>
    inside(async ({ world, add, wait, states }) => {
      await world.act({ act: 'kill-node', node: 'n1', silent: true });
      await wait(2_000);
      expect(await states()).toEqual(all);
      await wait(8_000);
      expect(await states()).toEqual(['n2 running', 'n3 running']);
      expect(await add()).toEqual({ value: 1 });
      await wait(30_000);
      expect(await states()).toEqual(['n2 running', 'n3 running']);
      await world.act({ act: 'start-node', node: 'n1' });
      await wait(5_000);
      expect(await states()).toEqual(all);
    }));

  test('a node that is stopped gives its agents away first, and a new one may come', () =>
    inside(async ({ world, add, wait, states, owner }) => {
      await world.act({ act: 'stop-node', node: 'n1' });
      expect(world.exits).toMatchObject([{ place: 'n1', code: 0 }]);
      expect(await add()).toEqual({ value: 1 });
      await world.act({ act: 'start-node', node: 'n4' });
      await wait(5_000);
      expect(world.nodes).toEqual(['n1', 'n2', 'n3', 'n4']);
      expect(await states()).toEqual(['n2 running', 'n3 running', 'n4 running']);
      expect(['n2', 'n3', 'n4']).toContain(await owner());
    }));

  test('a node that stands still too long is declared gone, and begins anew', () =>
    inside(async ({ world, wait, add, states }) => {
      await world.act({ act: 'pause-node', node: 'n1', launcher: true });
      await wait(9_000);
      expect(await states()).toEqual(['n2 running', 'n3 running']);
      expect(await add()).toEqual({ value: 1 });
      await world.act({ act: 'resume-node', node: 'n1' });
      await wait(5_000);
      expect(world.exits).toMatchObject([{ place: 'n1', code: 75 }]);
      expect(await states()).toEqual(all);
    }));

  test.each<[string, Act, Act]>([
    ['the store', { act: 'cut', from: 'n1', to: 'store' }, { act: 'mend', from: 'n1', to: 'store' }],
    ['the answers of the store', { act: 'cut', from: 'store', to: 'n1' }, { act: 'mend', from: 'store', to: 'n1' }],
    ['everything', { act: 'link-down', place: 'n1' }, { act: 'link-up', place: 'n1' }],
    ['its credentials', { act: 'revoke', node: 'n1' }, { act: 'grant', node: 'n1' }],
  ])('a node without %s loses its agents, and is one of them again afterwards', (_what, on, off) =>
    inside(async ({ world, wait, add, owner, states }) => {
      await world.act(on);
      await wait(9_000);
      expect(await owner()).not.toBe('n1');
      expect(await add()).toEqual({ value: 1 });
      await world.act(off);
      await wait(10_000);
      expect(await states()).toEqual(all);
    }),
  );

  test('a node at a server that is cut off goes to another server, and keeps its agents', () =>
    inside(async ({ world, wait, add, owner }) => {
      await world.act({ act: 'strand', node: 'n1' });
      await wait(10_000);
      expect(await owner()).toBe('n1');
      expect(await add()).toEqual({ value: 1 });
    }));

  test('two cuts of one node are mended one by one', () =>
    inside(async ({ world, wait, owner }) => {
      await world.act({ act: 'cut', from: 'n1', to: 'store' });
      await world.act({ act: 'cut', from: 'store', to: 'n1' });
      await world.act({ act: 'mend', from: 'store', to: 'n1' });
      await wait(9_000);
      expect(await owner()).not.toBe('n1');
    }));

  test('everything heals at once', () =>
    inside(async ({ world, wait, add, states, owner }) => {
      await world.act({ act: 'cut', from: 'n1', to: 'store' });
      await world.act({ act: 'loss', from: 'n2', to: 'n3', percent: 100 });
      await world.act({ act: 'delay', from: 'n3', to: 'n2', ms: 9_000, jitterMs: 0 });
      await world.act({ act: 'pause-node', node: 'n2', launcher: false });
      await world.act({ act: 'heal' });
      await wait(3_000);
      expect(await states()).toEqual(all);
      expect(await owner()).toBe('n1');
      expect(await add()).toEqual({ value: 1 });
    }));

  test('what it has not it says', () =>
    inside(async ({ world }) => {
      for (const act of ['kill-server', 'fill-disk', 'slice', 'memory'] as const) expect(world.cannot(act)).toContain(act);
      await expect(world.act({ act: 'kill-server', server: 's1' })).rejects.toMatchObject({ code: 'unavailable' });
      await expect(world.act({ act: 'pause-node', node: 'n9', launcher: false })).rejects.toMatchObject({ code: 'invalid-message' });
      await expect(world.act({ act: 'cut', from: 'n1', to: 's1' })).rejects.toMatchObject({ code: 'invalid-message' });
    }));
});
