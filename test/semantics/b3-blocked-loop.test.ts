import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { command } from '../../src/agent/command.ts';
import { defineAgent } from '../../src/agent/define.ts';
import { calmCluster } from '../simulation/cluster.ts';

/** A cluster with an agent that stops its own process in the middle of a turn: the rest of it comes when the loop goes round again. */
async function blocking() {
  const stuck = defineAgent({
    type: 'stuck',
    version: 1,
    commands: {
      block: command({}, { reply: z.object({ value: z.int() }) }),
      add: command({}, { reply: z.object({ value: z.int() }) }),
    },
    state: z.object({ value: z.int() }),
    initial: { value: 0 },
  }).handle({
    async block({ state }) {
      cluster.world.pause('n1');
      await new Promise<void>((resolve) => void cluster.world.nodes.get('n1')?.clock.after(1, resolve));
      return { state: { value: state.value + 100 }, reply: { value: state.value + 100 } };
    },
    add: ({ state }) => ({ state: { value: state.value + 1 }, reply: { value: state.value + 1 } }),
  });
  const cluster = await calmCluster({ agents: [stuck], drift: false });
  await cluster.spawn('stuck', 'a', 'n1');
  await cluster.spawn('counter', 'neighbour', 'n1');
  await cluster.spawn('counter', 'elsewhere', 'n2');
  return cluster;
}

describe('B3: a blocked event loop harms nobody else', () => {
  test('shorter than the lease it costs latency: nothing moves, and what waited is answered', async () => {
    await using cluster = await blocking();
    const { world } = cluster;
    const places = ['stuck.a', 'counter.neighbour'].map((key) => cluster.member('n2').cluster.places.get(key));
    const blocked = cluster.asking('n2', 'stuck/a', { type: 'block' }, { timeoutMs: 10_000 });
    await world.run(500);
    const waiting = cluster.asking('n2', 'counter/neighbour', { type: 'add', by: 1 }, { timeoutMs: 10_000 });
    await world.run(2_500);
    expect(await cluster.ask('n3', 'counter/elsewhere', { type: 'add', by: 1 })).toEqual({ value: 1 });
    expect([blocked.came, waiting.came]).toEqual([undefined, undefined]);
    world.resume('n1');
    await world.run(1_000);
    expect([blocked.came, waiting.came]).toEqual([{ reply: { value: 100 } }, { reply: { value: 1 } }]);
    await world.run(20_000);
    expect(['stuck.a', 'counter.neighbour'].map((key) => cluster.member('n2').cluster.places.get(key))).toEqual(places);
    expect(cluster.over).toEqual([]);
  });

  test('longer, its agents move; what it had begun is refused when it goes on, and nothing that was acknowledged is lost', async () => {
    await using cluster = await blocking();
    const { world } = cluster;
    expect(await cluster.ask('n2', 'stuck/a', { type: 'add' })).toEqual({ value: 1 });
    expect(await cluster.ask('n2', 'counter/neighbour', { type: 'add', by: 5 })).toEqual({ value: 5 });
    const before = world.nodes.get('n1')?.incarnation;
    const old = cluster.member('n1');
    const fenced: string[] = [];
    old.system.events.subscribe((event) => {
      if (event.event === 'fenced' && event.address.kind === 'agent') fenced.push(`${event.address.type}/${event.address.id}`);
    });
    const blocked = cluster.asking('n2', 'stuck/a', { type: 'block' }, { timeoutMs: 5_000 });
    await world.run(9_000);
    expect(blocked.came).toMatchObject({ error: { definite: false } });
    expect(cluster.acting('stuck.a')).not.toContain('n1');
    expect(await cluster.ask('n2', 'stuck/a', { type: 'add' })).toEqual({ value: 2 });
    expect(await cluster.ask('n2', 'counter/neighbour', { type: 'add', by: 5 })).toEqual({ value: 10 });
    world.resume('n1');
    await world.run(3_000);
    expect(cluster.over).toEqual([`n1.${before} declared-gone`]);
    expect(['stuck.a', 'counter.neighbour'].map((key) => old.cluster.locals.acts(key))).toEqual([false, false]);
    // Its turn of 100 was sent when the loop went round again, and the store refused it.
    expect(await cluster.ask('n2', 'stuck/a', { type: 'add' })).toEqual({ value: 3 });
    await world.run(20_000);
    expect(await cluster.ask('n3', 'stuck/a', { type: 'add' })).toEqual({ value: 4 });
    expect(await cluster.ask('n3', 'counter/neighbour', { type: 'get' })).toEqual({ value: 10 });
  });
});
