import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { command, defineAgent, defineEventSourced, oneForOne, type Props, receive } from '../../../index.ts';
import { calmCluster } from '../../simulation/cluster.ts';

const failing: Props<{ type: 'fail' }> = {
  behavior: () =>
    receive(() => {
      throw new Error('broken');
    }),
};
const sum = z.object({ value: z.int() });
const spec = {
  version: 1,
  commands: { add: command({ by: z.int(), failing: z.boolean() }, { reply: sum }), look: command({}, { reply: sum }) },
  state: sum,
  initial: { value: 0 },
  strategy: oneForOne({ decide: () => 'escalate' }),
};

const stored = defineAgent({ type: 'stored-sum', ...spec }).handle({
  add(context, { by, failing: fails }) {
    if (fails) context.spawn(failing).tell({ type: 'fail' });
    const value = context.state.value + by;
    return { state: { value }, reply: { value } };
  },
  look: ({ state }) => ({ reply: state }),
});
const journaled = defineEventSourced({ type: 'journaled-sum', ...spec, events: { added: { by: z.int() } } })
  .apply({ added: ({ value }, { by }) => ({ value: value + by }) })
  .handle({
    add(context, { by, failing: fails }) {
      if (fails) context.spawn(failing).tell({ type: 'fail' });
      return { events: [{ type: 'added', by }], reply: (after) => after };
    },
    look: ({ state }) => ({ reply: state }),
  });

// A turn lasts until what it stores is stored, and only between two turns a failure is attended to: no restart overtakes a commit.
describe('a child escalates its failure while the commit of its parent hangs in an election', () => {
  for (const agent of [stored, journaled]) {
    test(`the next incarnation goes on from what that commit stored: ${agent.type}`, async () => {
      await using cluster = await calmCluster({ agents: [agent], drift: false });
      const { world } = cluster;
      const name = `${agent.type}/a`;
      const restarts: string[] = [];
      cluster.member('n1').system.events.subscribe((event) => {
        if (event.event === 'restarted' && event.address.kind === 'agent') restarts.push(event.error.message);
      });
      await cluster.spawn(agent.type, 'a', 'n1');
      expect(await cluster.ask('n1', name, { type: 'add', by: 1, failing: false })).toEqual({ value: 1 });
      world.network.faults.election(3_000);
      const hanging = cluster.asking('n1', name, { type: 'add', by: 2, failing: true }, { timeoutMs: 60_000 });
      await world.run(2_000);
      expect(hanging.came).toBeUndefined();
      expect(restarts).toEqual([]);
      await world.run(10_000);
      expect(hanging.came).toEqual({ reply: { value: 3 } });
      expect(restarts).toEqual(['broken']);
      expect(await cluster.ask('n2', name, { type: 'look' })).toEqual({ value: 3 });
      expect(await cluster.ask('n2', name, { type: 'add', by: 4, failing: false })).toEqual({ value: 7 });
    });
  }
});
