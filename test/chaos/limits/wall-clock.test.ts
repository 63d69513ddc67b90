import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { Limit } from '../../../chaos/worlds/processes/stage/limits/limit.ts';
import { wallClock } from '../../../chaos/worlds/processes/stage/limits/wall-clock.ts';
import { FAKETIME } from '../../../chaos/worlds/processes/tools.ts';
import { obtainTool } from '../../../src/programs/tool.ts';
import { built, eventually, liveCluster } from '../../live/support.ts';
import { machines, subject } from './support.ts';

interface Times {
  readonly wallMs: number;
  readonly monotonicMs: number;
  /** Of a program that it starts, to a second, and of a thread. */
  readonly childMs: number;
  readonly threadMs: number;
  readonly timerMs: number;
}
const HOUR_MS = 3_600_000;
const shared = (): readonly string[] => (existsSync('/dev/shm') ? readdirSync('/dev/shm').filter((name) => name.includes('faketime')) : []);

/** What a node has after the words before its command line have done their work. */
const environmentOf = (limit: Limit, node: string): Readonly<Record<string, string>> => {
  const [, ...given] = limit.under?.(node) ?? [];
  return { ...limit.environment?.(node), ...Object.fromEntries(given.map((each) => each.split('='))) };
};

/** Debian's library, fetched once as the tests fetch the server. */
const library = async (skip: (why: string) => never): Promise<void> => {
  await obtainTool(FAKETIME, { env: process.env }).catch((error: Error) => skip(error.message));
};

test('the wall clock of a process jumps, also for its threads and programs; its monotonic clock and timers do not', async (context) => {
  await library((why) => context.skip(why));
  const before = shared();
  using stage = machines();
  const limit = await wallClock(stage);
  expect(limit.cannot()).toBeUndefined();
  {
    await using node = await subject(environmentOf(limit, 'n1'));
    limit.started?.('n1', node.pid);
    const agrees = async (offsetMs: number): Promise<Times> => {
      const sinceMs = Date.now();
      const times = await node.ask<Times>('times');
      for (const ms of [times.wallMs, times.childMs, times.threadMs]) {
        expect(ms).toBeGreaterThanOrEqual(sinceMs + offsetMs - 1_000);
        expect(ms).toBeLessThanOrEqual(Date.now() + offsetMs + 1_000);
      }
      return times;
    };
    const first = await agrees(0);
    await limit.apply({ act: 'wall-jump', node: 'n1', byMs: HOUR_MS });
    await agrees(HOUR_MS);
    await limit.apply({ act: 'wall-jump', node: 'n1', byMs: -3 * HOUR_MS });
    const last = await agrees(-2 * HOUR_MS);
    expect(last.monotonicMs - first.monotonicMs).toBeLessThan(60_000);
    expect(last.monotonicMs).toBeGreaterThan(first.monotonicMs);
    expect(last.timerMs).toBeLessThan(60_000);
    await limit.apply({ act: 'heal' });
    await agrees(0);
  }
  await limit.close?.();
  expect(shared()).toEqual(before);
});

test('a wall clock at double rate is ahead by as much as has gone by, and stays there when the rate is true again', async (context) => {
  await library((why) => context.skip(why));
  using stage = machines();
  const limit = await wallClock(stage);
  await using node = await subject(environmentOf(limit, 'n1'));
  limit.started?.('n1', node.pid);
  /** It looked at its clock at some time between our two looks at ours, however long it took to answer. */
  const ahead = async () => {
    const [sinceMs, { wallMs }] = [Date.now(), await node.ask<Times>('wall')];
    return { leastMs: wallMs - Date.now(), mostMs: wallMs - sinceMs };
  };
  await limit.apply({ act: 'clock-rate', node: 'n1', rate: 2 });
  await eventually('it is a second ahead', 30_000, async () => (await ahead()).leastMs > 1_000);
  await limit.apply({ act: 'clock-rate', node: 'n1', rate: 1 });
  const stays = await ahead();
  for (let looks = 0; looks < 20; looks++) {
    const { leastMs, mostMs } = await ahead();
    expect(leastMs - stays.mostMs).toBeLessThan(500);
    expect(stays.leastMs - mostMs).toBeLessThan(500);
  }
  await limit.apply({ act: 'clock-rate', node: 'n1', rate: 0.5 });
  await eventually('it is behind again', 30_000, async () => (await ahead()).mostMs < stays.leastMs - 500);
  await limit.close?.();
});

test('a node whose wall clock jumps an hour ahead and two back suspends at most, and keeps its agents, its process and what they counted', async (context) => {
  await library((why) => context.skip(why));
  const before = shared();
  using stage = machines();
  const limit = await wallClock(stage);
  await using live = await liveCluster({ nodes: 1 });
  const launcher = spawn(
    process.execPath,
    [built('nexa'), 'node', '--name', 'n2', '--cluster', live.cluster, '--nats', live.urls.join(',')],
    {
      stdio: 'ignore',
      env: { ...process.env, ...environmentOf(limit, 'n2') },
    },
  );
  try {
    const pidOf = async (): Promise<number | undefined> => {
      const answer = await live.client.ask('ctl', { type: 'nodes' });
      return answer.ok && answer.reply.nodes.find(({ node }: { readonly node: string }) => node === 'n2')?.pid;
    };
    const pid = await eventually('n2 is up', 60_000, pidOf);
    limit.started?.('n2', pid);
    const spawned = () => live.client.ask('spawn', { type: 'counter', id: 'a', placement: { node: 'n2' } });
    await eventually('the agent is spawned', 20_000, async () => (await spawned()).ok);
    const placed = await live.client.list();
    expect(placed).toMatchObject([{ id: 'a', node: 'n2' }]);
    let value = 0;
    for (const byMs of [0, HOUR_MS, -2 * HOUR_MS, 30_000]) {
      await limit.apply({ act: 'wall-jump', node: 'n2', byMs });
      for (let adds = 0; adds < 100; adds++)
        await eventually('it is answered', 30_000, async () => {
          const answer = await live.client.ask('agent.counter.a', { type: 'add', by: 1 }, { timeoutMs: 5_000 });
          if (!answer.ok) expect(answer.error).toMatchObject({ code: 'unavailable', definite: true });
          else expect(answer.reply).toEqual({ value: ++value });
          return answer.ok;
        });
    }
    expect(value).toBe(400);
    expect(await pidOf()).toBe(pid);
    expect(await live.client.list()).toEqual(placed);
  } finally {
    const ended = once(launcher, 'exit');
    launcher.kill('SIGTERM');
    await ended;
  }
  await limit.close?.();
  expect(shared()).toEqual(before);
});

test('nodes of a drill that moves no clock are started as ever, and it says why their clocks cannot be moved', async () => {
  using stage = machines({ wants: () => false });
  const limit = await wallClock(stage);
  expect(limit.cannot()).toBe('the nodes were not started for it');
  expect(environmentOf(limit, 'n1')).toEqual({});
});
