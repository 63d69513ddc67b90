import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { counter } from '../../actors/builtin/index.ts';
import { receive, stopped } from '../../src/actor/behavior.ts';
import type { Request } from '../../src/actor/message.ts';
import { command, streaming } from '../../src/agent/command.ts';
import { defineAgent } from '../../src/agent/define.ts';
import { REMOTE_BOUNDS } from '../../src/cluster/remote-options.ts';
import { startNodeWith } from '../../supervisors/node.ts';
import type { NexaNode } from '../../supervisors/node-contract.ts';
import { eventually, type LiveCluster, liveCluster, report } from './support.ts';

let live: LiveCluster;
beforeAll(async () => {
  live = await liveCluster({ nodes: 1 });
});
afterAll(() => live?.stop());

const MIB = 2 ** 20;
interface Counts {
  readonly handled: number;
  readonly letters: Readonly<Record<string, number>>;
}
interface Status extends Counts {
  /** After a collection of garbage. */
  readonly bytes: number;
}

/** A node in a process of its own. */
async function other(name: string) {
  const child: ChildProcess = fork(
    fileURLToPath(new URL('two-processes.mjs', import.meta.url)),
    [live.urls.join(','), live.cluster, name],
    {
      execArgv: ['--expose-gc'],
      env: { ...process.env, NEXA_LOG: 'silent' },
    },
  );
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const waiting = new Map<number, (answer: unknown) => void>();
  let ids = 0;
  const slow = await new Promise<string>((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`the process of ${name} ended: ${code}`)));
    child.on('message', (said: { readonly ready?: string; readonly id: number; readonly answer: unknown }) => {
      if (said.ready !== undefined) resolve(said.ready);
      else waiting.get(said.id)?.(said.answer);
    });
  });
  const ask = <T>(command: string, given: object = {}): Promise<T> =>
    new Promise((resolve) => {
      const id = ++ids;
      waiting.set(id, (answer) => resolve(answer as T));
      child.send({ id, command, ...given });
    });
  return {
    slow,
    ask,
    async [Symbol.asyncDispose]() {
      child.send({ id: 0, command: 'stop' });
      await ended;
    },
  };
}

test('B1: a producer that ignores false fills no memory, neither its own nor that of a slow consumer in another process', async () => {
  await using near = await other('near');
  await using far = await other('far');
  const [count, bytes] = [60_000, 10_000];
  const [nearBefore, farBefore] = [await near.ask<Status>('status'), await far.ask<Status>('status')];
  let flooded: { readonly told: number; readonly most: number } | undefined;
  const flooding = near.ask<{ readonly told: number; readonly most: number }>('flood', { to: far.slow, count, bytes }).then((came) => {
    flooded = came;
  });
  let farMost = 0;
  const sampled = async (): Promise<boolean> => {
    farMost = Math.max(farMost, (await far.ask<Status>('status')).bytes);
    return flooded !== undefined;
  };
  // What waits there waits as long as the flood lasts; collecting garbage all the time would be most of what that process does.
  await eventually('it was all sent', 240_000, sampled, 500);
  await flooding;
  const nearMost = flooded?.most ?? 0;
  const { window, mostBufferedBytes } = REMOTE_BOUNDS;
  const inMailbox = 8 * MIB;
  report(
    `${Math.round((count * bytes) / MIB)} MiB told, at most ${Math.round((nearMost - nearBefore.bytes) / MIB)} MiB more here and ${Math.round((farMost - farBefore.bytes) / MIB)} there`,
  );
  // Four windows under way, what the transport may hold, and as much again for what the runtime itself moves.
  expect(nearMost - nearBefore.bytes).toBeLessThan(4 * window.bytes + mostBufferedBytes + 16 * MIB);
  // Four windows parked, the mailbox, and the same.
  expect(farMost - farBefore.bytes).toBeLessThan(4 * window.bytes + inMailbox + 4 * window.bytes + 16 * MIB);
  // Ten times what either may hold, so that something had to give.
  expect(count * bytes).toBeGreaterThan(10 * (4 * window.bytes + mostBufferedBytes + 16 * MIB));

  expect((await near.ask<Counts>('counts')).letters.overloaded).toBeGreaterThan(count / 2);
  // Nothing is silent: what was not refused here was handled there, or is a dead letter there.
  const all = ({ letters }: Counts): number => Object.values(letters).reduce((sum, letter) => sum + letter, 0);
  const settled = async (): Promise<number> => {
    const [here, there] = await Promise.all([near.ask<Counts>('counts'), far.ask<Counts>('counts')]);
    return all(here) + all(there) + there.handled;
  };
  await expect.poll(settled, { timeout: 120_000, interval: 200 }).toBe(count);
  expect((await far.ask<Counts>('counts')).handled).toBeGreaterThan(100);
}, 420_000);

const startedWith = (name: string, wireVersions: readonly number[]): Promise<NexaNode> =>
  startNodeWith({ cluster: live.cluster, nats: live.urls, name }, { wireVersions });

test('C9: a node of wire 1 and one of wire 2 spawn, ask, tell and fail over with each other', async () => {
  await using young = await startedWith('young', [2, 1]);
  const old = await startedWith('old', [1]);
  const within = { timeoutMs: 10_000 };
  for (const [asker, owner] of [
    [young, old],
    [old, young],
  ] as const) {
    const id = `of-${owner.name}`;
    // It may be placed there from its first beat on.
    const { ref, node } = await eventually(`${asker.name} hears of ${owner.name}`, 20_000, () =>
      asker.spawn(counter, { id, placement: { node: owner.name } }).catch(() => undefined),
    );
    expect(node).toBe(owner.name);
    expect(await ref.ask({ type: 'add', by: 2 }, within)).toEqual({ value: 2 });

    const heard: number[] = [];
    type Told = { readonly type: 'n'; readonly n: number } | Request<{ readonly type: 'size'; readonly text: string }, number>;
    const here = owner.system.spawn<Told>({
      behavior: () =>
        receive<Told>((context, message) => {
          if (message.type === 'n') heard.push(message.n);
          else context.reply(message, message.text.length);
        }),
    });
    const across = asker.system.unsafeRef<Told>(here.toJSON());
    for (let n = 0; n < 3_000; n++) if (!across.tell({ type: 'n', n })) await across.ready(within);
    expect(await across.ask({ type: 'size', text: 'x'.repeat(400_000) }, within)).toBe(400_000);
    expect(heard).toEqual(Array.from({ length: 3_000 }, (_, n) => n));
    await expect(across.ask({ type: 'size', text: 'x'.repeat(2_000_000) }, within)).rejects.toMatchObject({ code: 'payload-too-large' });
  }
  await old.stop();
  expect(await young.agent(counter, 'of-old').ask({ type: 'add', by: 1 }, within)).toEqual({ value: 3 });
});

/** Counts up to what it was asked for, and by what it was told. */
const counting = defineAgent({
  type: 'counting',
  version: 1,
  commands: {
    add: command({ by: z.int() }, { reply: z.int() }),
    upTo: streaming({ count: z.int() }, { item: z.int() }),
  },
  state: z.int(),
  initial: 0,
}).handle({
  add: ({ state }, { by }) => ({ state: state + by, reply: state + by }),
  upTo: (_context, { count }) => ({
    stream: async function* () {
      for (let n = 1; n <= count; n++) yield n;
    },
  }),
});

test('C9: between a node of wire 1 and one of wire 2, both ways: streams, durable messages, watches, hand-offs, failover', async () => {
  const within = { timeoutMs: 10_000 };
  const start = (name: string, wireVersions: readonly number[]) =>
    startNodeWith({ cluster: live.cluster, nats: live.urls, name, agents: [counting] }, { wireVersions });
  await using young = await start('young-2', [2, 1]);
  const old = await start('old-2', [1]);
  const told = new Map<string, number>();
  try {
    for (const [asker, owner] of [
      [young, old],
      [old, young],
    ] as const) {
      const id = `of-${owner.name}`;
      const { ref } = await eventually(`${asker.name} hears of ${owner.name}`, 20_000, () =>
        asker.spawn(counting, { id, placement: { node: owner.name } }).catch(() => undefined),
      );
      const items: number[] = [];
      for await (const item of ref.stream({ type: 'upTo', count: 500 }, { idleTimeoutMs: 10_000 })) items.push(item);
      expect(items).toEqual(Array.from({ length: 500 }, (_, index) => index + 1));

      for (let n = 1; n <= 20; n++) await ref.tellDurably({ type: 'add', by: 1 }, { ...within, messageId: `m${n}` });
      for (let n = 1; n <= 20; n++) await ref.tellDurably({ type: 'add', by: 1 }, { ...within, messageId: `m${n}` });
      told.set(id, 20);
      await eventually(`${id} has handled each once`, 20_000, async () => (await ref.ask({ type: 'add', by: 0 }, within)) === 20);

      const ends: string[] = [];
      type End = { readonly type: 'end' };
      const near = owner.system.spawn<End>({ behavior: () => receive<End>(() => stopped) });
      type Watch = { readonly type: 'watch' };
      asker.system
        .spawn<Watch>({
          behavior: () =>
            receive<Watch>(
              (context) => context.watch(asker.system.unsafeRef<never>(near.toJSON())),
              (_context, signal) => void (signal.signal === 'terminated' && ends.push(signal.reason)),
            ),
        })
        .tell({ type: 'watch' });
      near.tell({ type: 'end' });
      await eventually('its watcher hears of its end', 10_000, () => ends.length === 1);
      expect(ends).toEqual(['stopped']);
    }
    // Handed over by drains, there and back, and by the loss of either.
    for (const [from, to] of [
      [young, old],
      [old, young],
    ] as const) {
      // That the other one takes agents again it hears with its next beat.
      const moved = await eventually(`${to.name} may take them`, 20_000, () => from.drain().catch(() => undefined));
      expect(moved.left).toBe(0);
      for (const [id, value] of told) expect(await to.agent(counting, id).ask({ type: 'add', by: 0 }, within)).toBe(value);
      await from.uncordon();
    }
    await old.stop();
    for (const [id, value] of told) expect(await young.agent(counting, id).ask({ type: 'add', by: 0 }, within)).toBe(value);
  } finally {
    // Once more does nothing.
    await old.stop();
  }
});

test('M2, M8: messages of 16 MB and small ones of the same sender keep their order over a real server, and a large answer comes back', async () => {
  await using a = await startedWith('a', [2, 1]);
  await using b = await startedWith('b', [2, 1]);
  type Big =
    | { readonly type: 'tell'; readonly n: number; readonly bytes: Uint8Array }
    | Request<{ readonly type: 'heard' }, readonly string[]>
    | Request<{ readonly type: 'give'; readonly bytes: number }, Uint8Array>;
  const heard: string[] = [];
  const there = b.system.spawn<Big>({
    mailbox: { limitBytes: 64 * MIB },
    behavior: () =>
      receive<Big>((context, message) => {
        if (message.type === 'tell') heard.push(`${message.n}: ${message.bytes.length} of ${message.bytes.at(-1)}`);
        else if (message.type === 'heard') context.reply(message, heard);
        else context.reply(message, new Uint8Array(message.bytes).fill(9));
      }),
  });
  const far = a.system.unsafeRef<Big>(there.toJSON());
  // Until they have heard of each other they write what every wire version reads, and no large messages.
  await eventually('they know each other', 20_000, () =>
    far.ask({ type: 'give', bytes: MIB }, { timeoutMs: 5_000 }).catch(() => undefined),
  );
  const sizes = [10, 15 * MIB, 20, MIB, 30, 600_000, 40];
  for (const [n, size] of sizes.entries()) far.tell({ type: 'tell', n, bytes: new Uint8Array(size).fill(n) });
  expect(await far.ask({ type: 'heard' }, { timeoutMs: 30_000 })).toEqual(sizes.map((size, n) => `${n}: ${size} of ${n}`));
  const answer = await far.ask({ type: 'give', bytes: 8 * MIB }, { timeoutMs: 30_000 });
  expect(Buffer.compare(answer, new Uint8Array(8 * MIB).fill(9))).toBe(0);
});
