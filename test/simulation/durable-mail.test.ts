import fc from 'fast-check';
import { expect, test } from 'vitest';
import { toNexaError } from '../../src/errors.ts';
import { calmCluster } from './cluster.ts';
import { ledger, read, telling } from './ledgers.ts';

const NODES = ['n1', 'n2', 'n3'] as const;
/** What goes wrong, and so long after what went wrong before it. */
const trouble = fc.record({
  afterMs: fc.integer({ min: 0, max: 2_500 }),
  what: fc.constantFrom('crash', 'crash the owner', 'election', 'stop'),
  node: fc.constantFrom(...NODES),
  ms: fc.integer({ min: 50, max: 6_000 }),
});
const weather = fc.record({
  unknownApplied: fc.constantFrom(0, 0.1),
  unknownLost: fc.constantFrom(0, 0.1),
  late: fc.constantFrom(0, 0.05),
  staleRead: fc.constantFrom(0, 0.2),
  // A slow store: an owner is often killed between what its handler did and the word that it is stored.
  delayMs: fc.constantFrom<readonly [number, number]>([1, 3], [40, 160]),
});

/** Two senders that repeat each message under its id until it is stored, before they go on to the next. */
async function drill(
  seed: number,
  troubles: readonly { readonly afterMs: number; readonly what: string; readonly node: string; readonly ms: number }[],
  store: object,
  passive: boolean,
) {
  const { agent, tried } = ledger('ledger', passive ? { activation: { onDemand: true, idleMs: 300 } } : {});
  await using cluster = await calmCluster({ agents: [agent], seed, faults: {} });
  const { world } = cluster;
  await cluster.spawn('ledger', 'a', 'n1');
  Object.assign(world.network.faults.store, store);
  const sleep = (ms: number) => new Promise<void>((resolve) => void world.clock.after(ms, resolve));
  const up = () => NODES.map((name) => world.nodes.get(name)).filter((node) => node?.alive === true && node.member !== undefined);
  const send = async (sender: string): Promise<string[]> => {
    const stored: string[] = [];
    for (let index = 0; index < 12; index++) {
      const entry = `${sender}${index}`;
      for (;;) {
        const nodes = up();
        const member = nodes[(index + sender.charCodeAt(0)) % Math.max(1, nodes.length)]?.member;
        // A node that was killed answers nobody: whoever asked it gives up and asks another one.
        const told =
          member === undefined
            ? Promise.reject(new Error('nobody is up'))
            : telling(member, 'ledger/a', { type: 'write', entry }, { messageId: entry, timeoutMs: 2_000 });
        const outcome = await Promise.race([
          told.then(
            () => 'stored',
            (thrown) => toNexaError(thrown).code,
          ),
          sleep(3_000).then(() => 'silence'),
        ]);
        if (outcome === 'stored') break;
        await sleep(200);
      }
      stored.push(entry);
      await sleep(100 + ((index * 37) % 400));
    }
    return stored;
  };
  const sending = Promise.all([send('a'), send('b')]);
  for (const { afterMs, what, node, ms } of troubles) {
    await world.run(afterMs);
    if (what === 'election') world.election(ms);
    else if (what === 'crash the owner' && up().length > 1) {
      const owner = cluster.acting('ledger.a')[0] ?? node;
      world.crash(owner, 50);
      world.relaunch(owner, 500);
    } else if (what === 'crash' && up().length > 1) {
      world.crash(node, 50);
      world.relaunch(node, 500);
    } else if (what === 'stop') void world.leave(node).then(() => world.relaunch(node, 500));
  }
  const [a, b] = await world.until(sending, 600_000);
  await world.heal();
  await world.run(40_000);
  const from = up()[0]?.name ?? 'n1';
  const written = await read(cluster, from, 'ledger/a');
  expect([...written].sort()).toEqual([...a, ...b].sort());
  // Each sender waited for each answer: its messages are in its order.
  expect(written.filter((entry) => entry.startsWith('a'))).toEqual(a);
  expect(written.filter((entry) => entry.startsWith('b'))).toEqual(b);
  const stream = world.network.connect('looker').stores.stream(world.subjects.store('MAILBOX'));
  await world.run(20_000);
  expect(await world.until(stream.subjects(world.subjects.recordAll('mailbox'), { timeoutMs: 1_000 }))).toEqual(new Map());
  return { tried: tried.length, written: written.length };
}

test('what was answered as stored is handled exactly once and in its sender’s order, through crashes, elections and doubtful answers', {
  timeout: 120_000,
}, async () => {
  let repeated = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 1e9 }),
      fc.array(trouble, { minLength: 1, maxLength: 5 }),
      weather,
      fc.boolean(),
      async (seed, troubles, store, passive) => {
        const { tried, written } = await drill(seed, troubles, store, passive);
        repeated += tried - written;
      },
    ),
    { numRuns: Number(process.env.NEXA_MAIL_RUNS ?? 40), seed: Number(process.env.NEXA_MAIL_SEED ?? 7) },
  );
  // Handlers were run more often than they had an effect: something was there to be got wrong.
  expect(repeated).toBeGreaterThan(0);
});
