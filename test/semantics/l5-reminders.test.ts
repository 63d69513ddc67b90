import { expect, test } from 'vitest';
import { z } from 'zod';
import { command, type DueReminder, defineAgent, defineEventSourced, internal, local, type NexaError, type Schedule } from '../../index.ts';
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

/** How many due times were taken in all, and that none was taken twice. */
const taken = ({ due, missed }: Seen): number => {
  expect(new Set(due).size).toBe(due.length);
  return due.length + missed;
};

test('L5: an interval comes due again and again, through the crash of its owner, and once each', async () => {
  const { agent, seen } = watch('watch');
  await using cluster = await calmCluster({ agents: [agent] });
  await cluster.spawn('watch', 'a', 'n1');
  await cluster.ask('n2', 'watch/a', { type: 'set', name: 'tick', when: { everyMs: 1_000 } });
  await cluster.world.run(3_500);
  cluster.world.crash('n1', 50);
  await cluster.world.run(6_000);
  const told = (await cluster.ask('n2', 'watch/a', { type: 'look' })) as Seen;
  expect(cluster.acting('watch.a')).not.toEqual(['n1']);
  expect(taken(told)).toBe(9);
  for (const step of steps(told.due)) expect(step % 1_000).toBe(0);
  expect(seen.every(({ name }) => name === 'tick')).toBe(true);
});

test('L5: while everything is down due times are missed; after the restart they are made up for once, and it goes on in its beat', async () => {
  const { agent, seen } = watch('watch');
  await using cluster = await calmCluster({ agents: [agent] });
  const { world } = cluster;
  await cluster.spawn('watch', 'a', 'n1');
  await cluster.ask('n2', 'watch/a', { type: 'set', name: 'tick', when: { everyMs: 60_000 } });
  await cluster.ask('n2', 'watch/a', { type: 'set', name: 'once', when: { inMs: 600_000 } });
  for (const name of ['n1', 'n2', 'n3']) world.crash(name, 50);
  await world.run(60 * 60_000);
  for (const name of ['n1', 'n2', 'n3']) await world.until(world.start(name));
  await world.run(20_000);
  expect(seen.map(({ name, missed }) => [name, missed])).toEqual([
    ['tick', 59],
    ['once', 0],
  ]);
  await world.run(120_000);
  expect(seen.slice(2).map(({ name, missed }) => [name, missed])).toEqual([
    ['tick', 0],
    ['tick', 0],
  ]);
  const { due } = (await cluster.ask('n1', 'watch/a', { type: 'look' })) as Seen;
  expect(due).toHaveLength(4);
});

test('L5: a cron expression wakes an agent that is put away between its due times, wherever its place then is', async () => {
  const { agent, seen } = watch('watch', { activation: { onDemand: true, idleMs: 60_000 } });
  await using cluster = await calmCluster({ agents: [agent], drift: false });
  await cluster.ask('n1', 'watch/a', { type: 'set', name: 'often', when: { cron: '*/10 * * * *', timeZone: 'Europe/Berlin' } });
  await cluster.world.run(25 * 60_000);
  const [owner = ''] = cluster.activated.filter(({ agent }) => agent === 'watch/a').map(({ node }) => node);
  cluster.world.crash(owner, 50);
  await cluster.world.run(35 * 60_000);
  expect(seen.map(({ dueAtMs }) => new Date(dueAtMs).toISOString().slice(11, 16))).toEqual([
    ...['00:10', '00:20', '00:30', '00:40', '00:50', '01:00'],
  ]);
  expect(cluster.activated.length).toBeGreaterThan(6);
  expect(cluster.activated.at(-1)?.node).not.toBe(owner);
});

test('L5: a handler that fails is tried again, and its due time counts once', async () => {
  const { agent, seen, fail } = watch('watch');
  await using cluster = await calmCluster({ size: 1, agents: [agent] });
  await cluster.spawn('watch', 'a', 'n1');
  fail(3);
  await cluster.ask('n1', 'watch/a', { type: 'set', name: 'once', when: { inMs: 1_000 } });
  await cluster.world.run(5_000);
  expect(seen).toHaveLength(4);
  expect(new Set(seen.map(({ dueAtMs }) => dueAtMs)).size).toBe(1);
  expect(taken((await cluster.ask('n1', 'watch/a', { type: 'look' })) as Seen)).toBe(1);
});

test('L5: a due time that fails too often is given up as a dead letter, and the next one comes', async () => {
  const { agent, seen, fail } = watch('watch');
  await using cluster = await calmCluster({ size: 1, agents: [agent] });
  const letters: unknown[] = [];
  cluster.member('n1').system.events.subscribe((event) => {
    if (event.event === 'dead-letter') letters.push([event.reason, event.envelope.message, event.error?.message]);
  });
  await cluster.spawn('watch', 'a', 'n1');
  fail(8);
  await cluster.ask('n1', 'watch/a', { type: 'set', name: 'tick', when: { everyMs: 30_000 } });
  await cluster.world.run(70_000);
  expect(letters).toEqual([['poison', { type: 'due', note: '' }, 'not now']]);
  expect(seen).toHaveLength(9);
  expect(await cluster.ask('n1', 'watch/a', { type: 'look' })).toMatchObject({ due: [(seen[0]?.dueAtMs ?? 0) + 30_000], missed: 0 });
});

test('L5: declared alike it keeps its beat, declared otherwise it begins anew, and forgotten it is silent', async () => {
  const { agent, seen } = watch('watch');
  await using cluster = await calmCluster({ size: 1, agents: [agent] });
  const set = (when: Schedule, note = '') => cluster.ask('n1', 'watch/a', { type: 'set', name: 'tick', when, note });
  await cluster.spawn('watch', 'a', 'n1');
  const startMs = cluster.world.clock.wallMs();
  await set({ everyMs: 10_000 });
  for (let again = 0; again < 5; again++) {
    await cluster.world.run(3_000);
    await set({ everyMs: 10_000 });
  }
  expect(seen).toHaveLength(1);
  await set({ everyMs: 10_000 }, 'other');
  await cluster.world.run(9_000);
  expect(seen).toHaveLength(1);
  await cluster.world.run(2_000);
  expect(seen).toHaveLength(2);
  expect((seen[1]?.dueAtMs ?? 0) - startMs).toBeGreaterThan(24_999);
  await set({ inMs: 5_000 });
  await cluster.world.run(3_000);
  await set({ inMs: 5_000 });
  await cluster.world.run(3_000);
  expect(seen).toHaveLength(2);
  await cluster.world.run(3_000);
  expect(seen).toHaveLength(3);
  await set({ everyMs: 1_000 });
  await cluster.ask('n1', 'watch/a', { type: 'cancel', name: 'tick' });
  await cluster.ask('n1', 'watch/a', { type: 'cancel', name: 'never was' });
  await cluster.world.run(60_000);
  expect(seen).toHaveLength(3);
});

test('L5: an instant that has come does not come again, however often it is declared', async () => {
  const { agent, seen } = watch('watch');
  await using cluster = await calmCluster({ size: 1, agents: [agent] });
  await cluster.spawn('watch', 'a', 'n1');
  const atMs = Math.floor(cluster.world.clock.wallMs()) - 5_000;
  for (let again = 0; again < 3; again++) {
    await cluster.ask('n1', 'watch/a', { type: 'set', name: 'launch', when: { atMs } });
    await cluster.world.run(2_000);
  }
  expect(seen).toEqual([{ name: 'launch', dueAtMs: atMs, missed: 0 }]);
});

test('L5: a stopped agent is reminded when it is spawned again, one that was forgotten with its state is not', async () => {
  const { agent, seen } = watch('watch');
  await using cluster = await calmCluster({ agents: [agent] });
  const stop = (id: string, forget: boolean) =>
    cluster.world.until(cluster.member('n2').agents.stop('watch', id, { forget, timeoutMs: 5_000 }));
  for (const id of ['kept', 'gone']) {
    await cluster.spawn('watch', id, 'n1');
    await cluster.ask('n1', `watch/${id}`, { type: 'set', name: id, when: { everyMs: 10_000 } });
    await stop(id, id === 'gone');
  }
  await cluster.world.run(35_000);
  expect(seen).toEqual([]);
  await cluster.spawn('watch', 'kept', 'n2');
  await cluster.spawn('watch', 'gone', 'n2');
  await cluster.world.run(2_000);
  expect(seen).toMatchObject([{ name: 'kept', missed: 2 }]);
  expect(await cluster.world.until(cluster.member('n3').cluster.reminders.list('watch', 'gone'))).toEqual([]);
  expect(await cluster.world.until(cluster.member('n3').cluster.reminders.list('watch', 'kept'))).toMatchObject([
    { name: 'kept', schedule: { everyMs: 10_000 } },
  ]);
});

test('L5: an agent without durable state is reminded too, at least once', async () => {
  const { agent, seen } = watch('watch', { storage: 'memory' });
  await using cluster = await calmCluster({ agents: [agent] });
  await cluster.spawn('watch', 'a', 'n1');
  await cluster.ask('n1', 'watch/a', { type: 'set', name: 'tick', when: { everyMs: 1_000 } });
  await cluster.world.run(2_500);
  cluster.world.crash('n1', 50);
  await cluster.world.run(5_000);
  const due = new Set(seen.map(({ dueAtMs }) => dueAtMs));
  expect(due.size + seen.reduce((sum, { missed }) => sum + missed, 0)).toBeGreaterThanOrEqual(7);
});

test('L5: when the wall clock jumps, what is due then comes, and nothing comes twice', async () => {
  const { agent, seen } = watch('watch');
  await using cluster = await calmCluster({ size: 1, agents: [agent] });
  await cluster.spawn('watch', 'a', 'n1');
  await cluster.ask('n1', 'watch/a', { type: 'set', name: 'tick', when: { everyMs: 600_000 } });
  await cluster.world.run(5_000);
  cluster.world.clock.jumpWall(2 * 600_000);
  await cluster.world.run(31_000);
  expect(seen).toMatchObject([{ missed: 1 }]);
  cluster.world.clock.jumpWall(-600_000);
  await cluster.world.run(700_000);
  expect(seen).toHaveLength(1);
  await cluster.world.run(600_000);
  expect(taken((await cluster.ask('n1', 'watch/a', { type: 'look' })) as Seen)).toBe(3);
});

test('L5: a timer dies with its incarnation; a reminder does not', async () => {
  const heard: string[] = [];
  const agent = defineAgent({
    type: 'both',
    version: 1,
    commands: { arm: command({}), ring: internal({ from: z.string() }) },
    state: z.object({}),
    initial: {},
  }).handle({
    async arm(context) {
      context.after(2_000, { type: 'ring', from: 'timer' });
      await context.remind('r', { inMs: 2_000 }, { type: 'ring', from: 'reminder' });
    },
    ring: (_context, { from }) => void heard.push(from),
  });
  await using cluster = await calmCluster({ agents: [agent] });
  await cluster.spawn('both', 'a', 'n1');
  await cluster.ask('n1', 'both/a', { type: 'arm' });
  cluster.world.crash('n1', 50);
  await cluster.world.run(10_000);
  expect(heard).toEqual(['reminder']);
});

test('L5: an event-sourced agent stores its due times with its events, through a crash and the replay after it', async () => {
  const agent = defineEventSourced({
    type: 'ledger',
    version: 1,
    commands: {
      set: command({}),
      look: command({}, { reply: z.object({ due: z.array(z.number()), missed: z.int() }) }),
      due: internal({}),
    },
    events: { came: { dueAtMs: z.number(), missed: z.int() } },
    state: z.object({ due: z.array(z.number()), missed: z.int() }),
    initial: { due: [], missed: 0 },
    snapshotEvery: { events: 3 },
  })
    .apply({ came: (state, { dueAtMs, missed }) => ({ due: [...state.due, dueAtMs], missed: state.missed + missed }) })
    .handle({
      set: (context) => context.remind('tick', { everyMs: 1_000 }, { type: 'due' }),
      look: ({ state }) => ({ reply: state }),
      due: ({ reminder }) => ({ events: [{ type: 'came', dueAtMs: reminder?.dueAtMs ?? 0, missed: reminder?.missed ?? 0 }] }),
    });
  await using cluster = await calmCluster({ agents: [agent] });
  await cluster.spawn('ledger', 'a', 'n1');
  await cluster.ask('n2', 'ledger/a', { type: 'set' });
  await cluster.world.run(4_500);
  cluster.world.crash('n1', 50);
  await cluster.world.run(5_000);
  const told = (await cluster.ask('n2', 'ledger/a', { type: 'look' })) as Seen;
  expect(cluster.acting('ledger.a')).not.toEqual(['n1']);
  expect(taken(told)).toBe(9);
});

test('L5: what cannot be a reminder is refused, typed, before anything is stored', async () => {
  const errors: unknown[] = [];
  const attempt = async (what: () => Promise<void>): Promise<void> => {
    await what().catch((error: NexaError) => errors.push([error.code, error.definite]));
  };
  let kept: (() => Promise<void>) | undefined;
  const agent = defineAgent({
    type: 'odd',
    version: 1,
    commands: { try: command({}), ring: internal({ text: z.string() }), flush: local(), ping: command({}) },
    state: z.object({}),
    initial: {},
  }).handle({
    async try(context) {
      const ring = { type: 'ring', text: '' } as const;
      const soon = { inMs: 1_000 } as const;
      kept = () => context.remind('late', soon, ring);
      await attempt(() => context.remind('', soon, ring));
      await attempt(() => context.remind('x'.repeat(65), soon, ring));
      await attempt(() => context.remind('\ud800', soon, ring));
      await attempt(() => context.forget('é'.repeat(33)));
      await attempt(() => context.remind('a', { everyMs: 10 }, ring));
      await attempt(() => context.remind('a', { cron: 'noon' }, ring));
      await attempt(() => context.remind('a', soon, { type: 'flush' } as never));
      await attempt(() => context.remind('a', soon, { type: 'nothing' } as never));
      await attempt(() => context.remind('a', soon, { type: 'ring' } as never));
      await attempt(() => context.remind('a', soon, { ...ring, text: 'x'.repeat(16_400) }));
      await context.remind('é'.repeat(32), { everyMs: 60_000 }, { type: 'ping' });
      // Nobody waits for this one, and that ends nothing.
      void context.remind('', soon, ring);
    },
    ring: () => undefined,
    flush: () => undefined,
    ping: () => undefined,
  });
  await using cluster = await calmCluster({ size: 1, agents: [agent] });
  await cluster.spawn('odd', 'a', 'n1');
  await cluster.ask('n1', 'odd/a', { type: 'try' });
  await attempt(() => kept?.() ?? Promise.resolve());
  expect(errors).toEqual([
    ...Array(6).fill(['invalid-definition', true]),
    ['invalid-message', true],
    ['unknown-command', true],
    ['invalid-message', true],
    ['payload-too-large', true],
    ['context-misused', true],
  ]);
  const { reminders } = cluster.member('n1').cluster;
  expect(await cluster.world.until(reminders.list('odd', 'a'))).toMatchObject([{ name: 'é'.repeat(32), schedule: { everyMs: 60_000 } }]);
});
