import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { granted } from './granted.ts';
import { temporary } from './program.ts';
import { eventually, type LiveCluster, liveCluster, report } from './support.ts';

/** Keeps every due time that was taken, in its durable state. */
const WATCH = `import { command, defineAgent, internal } from 'nexa';
import { z } from 'zod';
const state = z.object({ due: z.array(z.number()), missed: z.int() });
export const watch = defineAgent({
  type: 'watch', version: 1,
  commands: {
    set: command({ everyMs: z.int() }),
    cancel: command({}),
    look: command({}, { reply: state }),
    due: internal({}),
  },
  state, initial: { due: [], missed: 0 },
  activation: { onDemand: true, idleMs: 400 },
}).handle({
  set: (context, { everyMs }) => context.remind('tick', { everyMs }, { type: 'due' }),
  cancel: (context) => context.forget('tick'),
  look: ({ state }) => ({ reply: state }),
  due: ({ state, reminder }) => ({ state: { due: [...state.due, reminder.dueAtMs], missed: state.missed + reminder.missed } }),
});
`;
const EVERY_MS = 1_000;
const ids = [...Array(12).keys()].map((index) => `w${index}`);

interface Seen {
  readonly due: readonly number[];
  readonly missed: number;
}
const look = (live: LiveCluster, id: string): Promise<Seen> =>
  eventually(`watch/${id} answers`, 30_000, async () => {
    const answer = await live.client.ask(`agent.watch.${id}`, { type: 'look' }, { timeoutMs: 2_000 });
    return answer.ok && (answer.reply as Seen);
  });
/** Every due time from the first to the last was taken once, alone or together with others. Answers how many that were. */
function whole({ due, missed }: Seen): number {
  expect(new Set(due).size).toBe(due.length);
  expect(due).toEqual([...due].sort((a, b) => a - b));
  for (const at of due) expect((at - (due[0] as number)) % EVERY_MS).toBe(0);
  const taken = due.length + missed;
  expect(taken).toBe(((due.at(-1) as number) - (due[0] as number)) / EVERY_MS + 1);
  return taken;
}
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

test('L5: through SIGKILLs of owners and a restart of everything each due time changes durable state once', async () => {
  await using folder = await temporary();
  const agents = join(folder.path, 'agents');
  await mkdir(agents);
  await writeFile(join(agents, 'watch.ts'), WATCH);
  const named = { folder: join(folder.path, 'cluster'), cluster: `remind-${process.pid}`, agents };
  await mkdir(named.folder);
  const before = new Map<string, Seen>();
  {
    await using first = await liveCluster(named);
    const setMs = Date.now();
    for (const id of ids)
      await granted(() => first.client.ask(`agent.watch.${id}`, { type: 'set', everyMs: EVERY_MS }, { requestId: 'set' }));
    for (const [round, node] of ['n1', 'n2', 'n3', 'n1', 'n2'].entries()) {
      // Each time at another moment of the beat.
      await pause(1_500 + round * 230);
      const from = first.events.length;
      first.signal(node, 'SIGKILL');
      await first.heard('ready', node, from);
    }
    await pause(3_000);
    let missed = 0;
    let late = 0;
    for (const id of ids) {
      const seen = await eventually(`watch/${id} has caught up`, 30_000, async () => {
        const now = await look(first, id);
        const behindMs = Date.now() - setMs - whole(now) * EVERY_MS;
        late = Math.max(late, behindMs);
        return behindMs < 10_000 && now;
      });
      missed += seen.missed;
      before.set(id, seen);
    }
    report(
      `5 SIGKILLs under ${ids.length} reminders a second: ${missed} due times made up for together; ${Math.round(late)} ms behind at most`,
    );
  }
  await pause(5_000);
  await using second = await liveCluster(named);
  for (const id of ids) {
    const earlier = before.get(id) as Seen;
    const seen = await eventually(`watch/${id} goes on`, 30_000, async () => {
      const now = await look(second, id);
      return now.due.length > earlier.due.length + 2 && now;
    });
    const { due, missed } = seen;
    expect(due.slice(0, earlier.due.length)).toEqual(earlier.due);
    whole(seen);
    expect(missed).toBeGreaterThan(earlier.missed + 3);
    await granted(() => second.client.ask(`agent.watch.${id}`, { type: 'cancel' }, { requestId: 'cancel' }));
    const silent = await look(second, id);
    await pause(id === ids.at(-1) ? 2_500 : 0);
    if (id === ids.at(-1)) expect(await look(second, id)).toEqual(silent);
  }
});
