import { expect, test } from 'vitest';
import { z } from 'zod';
import { command, type DueReminder, defineAgent, internal, type Schedule } from '../../index.ts';
import { calmCluster } from '../simulation/cluster.ts';

const when = z.record(z.string(), z.union([z.number(), z.string()]));
/** Counts what came due, and what was missed; `seen` is what its handlers were told, stored or not. */
function watch(type: string, more: object = {}) {
  const seen: DueReminder[] = [];
  let failing = 0;
  const agent = defineAgent({
    type,
    version: 1,
    commands: {
      set: command({ name: z.string(), when, note: z.string().default('') }),
      cancel: command({ name: z.string() }),
      look: command({}, { reply: z.object({ due: z.array(z.number()), missed: z.int() }) }),
      due: internal({ note: z.string() }),
    },
    state: z.object({ due: z.array(z.number()), missed: z.int() }),
    initial: { due: [], missed: 0 },
    ...more,
  }).handle({
    set: (context, { name, when, note }) => context.remind(name, when as unknown as Schedule, { type: 'due', note }),
    cancel: (context, { name }) => context.forget(name),
    look: ({ state }) => ({ reply: state }),
    due({ state, reminder }) {
      if (reminder === undefined) throw new Error('nothing was due');
      seen.push(reminder);
      if (failing-- > 0) throw new Error('not now');
      return { state: { due: [...state.due, reminder.dueAtMs], missed: state.missed + reminder.missed } };
    },
  });
  return {
    agent,
    seen,
    fail: (times: number) => {
      failing = times;
    },
  };
}
type Seen = { readonly due: readonly number[]; readonly missed: number };
const steps = (due: readonly number[]): readonly number[] => due.slice(1).map((at, index) => at - (due[index] as number));

test('L5: an interval comes due again and again, through the crash of its owner, and once each', { timeout: 60_000 }, async () => {
  const { agent, seen } = watch('watch');
  await using cluster = await calmCluster({ agents: [agent] });
  await cluster.spawn('watch', 'a', 'n1');
  await cluster.ask('n2', 'watch/a', { type: 'set', name: 'tick', when: { everyMs: 1_000 } });
  await cluster.world.run(3_500);
  cluster.world.crash('n1', 50);
  await cluster.world.run(6_000);
  const { due, missed } = (await cluster.ask('n2', 'watch/a', { type: 'look' })) as Seen;
  expect(cluster.acting('watch.a')).not.toEqual(['n1']);
  expect(due.length + missed).toBe(9);
  expect(new Set(due).size).toBe(due.length);
  for (const step of steps(due)) expect(step % 1_000).toBe(0);
  expect(seen.every(({ name }) => name === 'tick')).toBe(true);
});
