import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { removeGroups } from '../../../chaos/worlds/processes/stage/limits/cgroup.ts';
import { cpu } from '../../../chaos/worlds/processes/stage/limits/cpu.ts';
import { descriptors } from '../../../chaos/worlds/processes/stage/limits/descriptors.ts';
import { memory } from '../../../chaos/worlds/processes/stage/limits/memory.ts';
import { eventually } from '../../live/support.ts';
import { machines, subject } from './support.ts';

const isAsleep = (pid: number): boolean => /^\d+ \(.*\) T /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
const openFiles = (pid: number): number => readdirSync(`/proc/${pid}/fd`).length;

test('a process that may have no more descriptors is refused the next one, and gets it when the limit has ended', async () => {
  await using node = await subject();
  using stage = machines({ pid: () => node.pid });
  const limit = await descriptors(stage);
  expect(limit.cannot()).toBeUndefined();
  const most = openFiles(node.pid) + 5;
  await limit.apply({ act: 'descriptors', node: 'n1', most });
  await limit.apply({ act: 'descriptors', node: 'n1', most });
  const refused = await node.ask<{ readonly opened: number; readonly code: string }>('open', { count: 50 });
  expect(refused.code).toBe('EMFILE');
  expect(refused.opened).toBeLessThan(50);
  await limit.apply({ act: 'descriptors', node: 'n1', most: null });
  expect(await node.ask('open', { count: 50 })).toMatchObject({ opened: 50 });
  await limit.apply({ act: 'heal' });
});

test('a limit belongs to its place: who is started there next has it too, until it ends', async () => {
  await using first = await subject();
  await using second = await subject();
  let pid: number | undefined = first.pid;
  using stage = machines({ pid: () => pid });
  const limit = await descriptors(stage);
  const count = 50;
  await limit.apply({ act: 'descriptors', node: 'n1', most: 10 });
  pid = undefined;
  await limit.apply({ act: 'descriptors', node: 'n1', most: 11 });
  pid = second.pid;
  limit.started?.('n1', pid);
  await eventually(
    'it may open no more',
    10_000,
    async () => (await second.ask<{ readonly code?: string }>('open', { count })).code === 'EMFILE',
  );
  await limit.apply({ act: 'heal' });
  expect(await second.ask('open', { count })).toMatchObject({ opened: count });
});

test('a process that takes more memory than it may is killed by the kernel, and one whose limit has ended is not', async (context) => {
  await using spared = await subject();
  await using killed = await subject();
  using stage = machines({ pid: (node) => (node === 'n1' ? spared.pid : killed.pid) });
  const limit = await memory(stage);
  const reason = limit.cannot();
  if (reason !== undefined) return context.skip(reason);
  const mostBytes = 150 * 2 ** 20;
  await limit.apply({ act: 'memory', node: 'n1', mostBytes });
  await limit.apply({ act: 'memory', node: 'n2', mostBytes });
  expect(await spared.ask('take', { bytes: 20 * 2 ** 20 })).toMatchObject({ taken: 20 * 2 ** 20 });
  await limit.apply({ act: 'memory', node: 'n1', mostBytes: null });
  expect(await spared.ask('take', { bytes: 250 * 2 ** 20 })).toMatchObject({ taken: 250 * 2 ** 20 });
  await expect(killed.ask('take', { bytes: 250 * 2 ** 20 })).rejects.toThrow('ended');
  expect(await killed.exited).toEqual({ code: null, signal: 'SIGKILL' });
  await limit.apply({ act: 'heal' });
  expect(await removeGroups(stage.folder)).toEqual([]);
});

for (const by of ['groups', 'signals'] as const)
  test(`a process gets its share of a core and no more, by ${by}, and all of it again afterwards`, async (context) => {
    await using node = await subject();
    using stage = machines({ pid: () => node.pid });
    const limit = await cpu(stage, by === 'signals' ? { by } : {});
    if (limit.by !== by) return context.skip('no control group for cpu');
    await limit.apply({ act: 'cpu', node: 'n1', percent: 20 });
    // Who counts out its share with signals may itself not be run for a while: then it gets more, that once.
    await eventually('it gets no more than its share', 30_000, async () => {
      const { cpuMs } = await node.ask<{ readonly cpuMs: number }>('spin', { ms: 1_500 });
      return cpuMs < 600;
    });
    await limit.apply({ act: 'cpu', node: 'n1', percent: null });
    expect(readFileSync(`/proc/${node.pid}/cgroup`, 'utf8')).not.toContain('nexa-');
    await eventually('it is awake', 10_000, () => !isAsleep(node.pid));
    for (let looks = 0; looks < 50; looks++) {
      expect(isAsleep(node.pid)).toBe(false);
      await node.ask('wall');
    }
    expect(await removeGroups(stage.folder)).toEqual([]);
  });

test('a paused process is not woken up by its share of a core', async () => {
  await using node = await subject();
  let paused = false;
  using stage = machines({ pid: () => node.pid, isPaused: () => paused });
  const limit = await cpu(stage, { by: 'signals' });
  await limit.apply({ act: 'cpu', node: 'n1', percent: 50 });
  paused = true;
  process.kill(node.pid, 'SIGSTOP');
  await limit.apply({ act: 'cpu', node: 'n1', percent: null });
  await limit.apply({ act: 'cpu', node: 'n1', percent: 50 });
  await limit.apply({ act: 'heal' });
  await eventually('it sleeps', 10_000, () => isAsleep(node.pid));
  process.kill(node.pid, 'SIGCONT');
  expect(await node.ask('wall')).toMatchObject({ wallMs: expect.any(Number) });
});
