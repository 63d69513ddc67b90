import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type LiveCluster, liveCluster } from './support.ts';

let live: LiveCluster;
beforeAll(async () => {
  live = await liveCluster({ nodes: 1 });
});
afterAll(() => live?.stop());

const limit = (pid: number, most: number): void => void execFileSync('prlimit', ['--pid', `${pid}`, `--nofile=${most}:`]);
const INCREMENTS = 60;

test.skipIf(!existsSync('/proc/self/fd'))('a node that can open no file any more goes on with what is open', async () => {
  const pid = live.pid('n1');
  const { client } = live;
  expect((await client.insist('spawn', { type: 'counter', id: 'c1' })).ok).toBe(true);
  const open = new Set(readdirSync(`/proc/${pid}/fd`).map(Number));
  let free = 0;
  while (open.has(free)) free++;
  limit(pid, free);
  try {
    // Several looks at its memory, its clocks and its lease lie between them.
    for (let n = 1; n <= INCREMENTS; n++) {
      expect(await client.insist('agent.counter.c1', { type: 'add', by: 1 }, { requestId: `${n}` })).toEqual({
        ok: true,
        reply: { value: n },
      });
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    expect((await client.insist('ctl.n1', { type: 'status' }, { timeoutMs: 5_000 })).ok).toBe(true);
  } finally {
    limit(pid, 1_024);
  }
  expect(live.pid('n1')).toBe(pid);
  expect(await client.ask('agent.counter.c1', { type: 'get' }, { timeoutMs: 5_000 })).toMatchObject({ reply: { value: INCREMENTS } });
});
