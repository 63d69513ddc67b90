import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { command } from '../../src/agent/command.ts';
import { defineAgent } from '../../src/agent/define.ts';
import type { NexaError } from '../../src/errors.ts';
import { actor, kit } from '../actor/kit.ts';
import { calmCluster } from '../simulation/cluster.ts';

/** All that the mailboxes of a node may take together here; what each of them may is far more. */
const MEMORY_BYTES = 4_000_000;
const BODY = 'x'.repeat(1_000);

/** A node whose agents take half a second for each message; its memory is what waits in their mailboxes. */
async function slowNode() {
  const slow = defineAgent({
    type: 'slow',
    version: 1,
    commands: { take: command({ text: z.string() }, { reply: z.object({ taken: z.int() }) }) },
    state: z.object({ taken: z.int() }),
    initial: { taken: 0 },
    storage: 'memory',
  }).handle({
    async take({ state }) {
      await new Promise<void>((resolve) => void cluster.world.clock.after(500, resolve));
      return { state: { taken: state.taken + 1 }, reply: { taken: state.taken + 1 } };
    },
  });
  const waiting = (): number => {
    const usage = cluster?.world.nodes.get('n1')?.member?.cluster.host.usage() ?? {};
    return Object.values(usage).reduce((sum, { mailboxBytes }) => sum + mailboxBytes, 0);
  };
  let cluster: Awaited<ReturnType<typeof calmCluster>>;
  cluster = await calmCluster({
    size: 2,
    agents: [slow],
    drift: false,
    memoryOf: (name) => ({ heapBytes: name === 'n1' ? waiting() : 0, heapLimitBytes: MEMORY_BYTES, rssBytes: 0, memoryLimitBytes: 1 }),
  });
  const ids = Array.from({ length: 20 }, (_, index) => `${index}`);
  for (const id of ids) await cluster.spawn('slow', id, 'n1');
  return { cluster, ids, waiting };
}

describe('B1: what one actor may hold is bounded', () => {
  const refusals = (count: number, act: (n: number) => void): readonly string[] =>
    Array.from({ length: count }, (_, n) => {
      try {
        act(n);
        return 'ok';
      } catch (error) {
        return (error as NexaError).code;
      }
    }).filter((code) => code !== 'ok');

  test('timers, and piped work', async () => {
    await using world = kit();
    let timers: readonly string[] = [];
    let pipes: readonly string[] = [];
    const ref = world.system.spawn(
      actor<{ readonly type: string }>((context, { type }) => {
        if (type !== 'go') return;
        timers = refusals(10_001, () => context.after(60_000, { type: 'timer' }));
        pipes = refusals(1_001, () =>
          context.pipe(
            () => new Promise(() => undefined),
            () => ({ type: 'piped' }),
          ),
        );
      }),
    );
    ref.tell({ type: 'go' });
    await world.settle();
    expect([timers, pipes]).toEqual([['overloaded'], ['overloaded']]);
  });

  test('what it sets aside counts to its mailbox', async () => {
    await using world = kit();
    const seen: string[] = [];
    const ref = world.system.spawn(
      actor<{ readonly type: string }>(
        (context) => {
          seen.push(...refusals(1, () => context.stash()));
        },
        { mailbox: { limit: 10 } },
      ),
    );
    for (let n = 0; n < 30; n++) {
      ref.tell({ type: 'aside' });
      await world.settle();
    }
    const kept = world.system.snapshot().children.reduce((sum, child) => sum + child.mailbox, 0);
    expect(kept).toBeLessThanOrEqual(10);
    expect(seen.length + world.deadLetters().length).toBeGreaterThan(0);
  });
});

describe('B1: a node sheds load with typed errors before it runs out of memory', () => {
  test('under a flood of asks and tells from another node and from outside it never holds more than it has', async () => {
    const { cluster, ids, waiting } = await slowNode();
    await using _ = cluster;
    const { world } = cluster;
    const asked: ReturnType<typeof cluster.asking>[] = [];
    const strangers: Promise<string>[] = [];
    let most = 0;
    for (let round = 0; round < 120; round++) {
      for (const id of ids) {
        for (let n = 0; n < 4; n++) cluster.member('n2').system.unsafeRef(`nexa:slow/${id}`).tell({ type: 'take', text: BODY });
        asked.push(cluster.asking('n2', `slow/${id}`, { type: 'take', text: BODY }, { timeoutMs: 2_000 }));
        const outside = world.outside.request(world.subjects.agent('slow', id), { type: 'take', text: BODY }, { timeoutMs: 2_000 });
        strangers.push(
          outside.then(
            () => 'ok',
            (error: NexaError) => error.code,
          ),
        );
      }
      await world.run(50);
      most = Math.max(most, waiting());
    }
    expect(most).toBeGreaterThan(0.85 * MEMORY_BYTES);
    expect(most).toBeLessThan(MEMORY_BYTES);
    expect(cluster.member('n1').cluster.admission.level).not.toBe('open');
    await world.run(5_000);
    // Each has one outcome: taken, refused for certain, or not taken in time.
    const outcomes = (codes: readonly string[]): ReadonlySet<string> => new Set(codes);
    const codes = asked.map(({ came }) => (came === undefined ? 'nothing' : 'error' in came ? came.error.code : 'ok'));
    for (const said of [outcomes(codes), outcomes(await world.until(Promise.all(strangers)))]) {
      expect(said).toContain('overloaded');
      for (const code of said) expect(['ok', 'overloaded', 'ask-timeout']).toContain(code);
    }
    for (const { came } of asked)
      if (came !== undefined && 'error' in came && came.error.code === 'overloaded')
        expect(came.error).toMatchObject({ definite: true, retryable: true });
    expect(Object.keys(cluster.member('n1').system.deadLetters.counts)).toEqual(expect.arrayContaining(['overloaded']));
    // And when the flood is over it works off what it took, and takes everything again.
    await world.run(120_000);
    expect([waiting(), cluster.member('n1').cluster.admission.level]).toEqual([0, 'open']);
    expect(await cluster.ask('n2', 'slow/0', { type: 'take', text: '' })).toMatchObject({ taken: expect.any(Number) });
    expect(await cluster.spawn('slow', 'new', 'n1')).toMatchObject({ created: true });
    expect(cluster.over).toEqual([]);
  });
});
