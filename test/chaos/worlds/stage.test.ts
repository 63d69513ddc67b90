import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test, vi } from 'vitest';
import type { Tier } from '../../../chaos/plan.ts';
import { chooseTier } from '../../../chaos/worlds/processes/net/choose-tier.ts';
import { openProcesses } from '../../../chaos/worlds/processes/open.ts';
import { marked } from '../../../chaos/worlds/processes/proc.ts';
import { builtPrograms } from '../../../chaos/worlds/processes/programs.ts';
import { MARK } from '../../../chaos/worlds/processes/stage/orders.ts';
import { eventually } from '../../live/support.ts';
import { natsServerBinary } from '../../support/nats.ts';

vi.setConfig({ testTimeout: 120_000 });

const drill = fileURLToPath(new URL('./hold-world.mjs', import.meta.url));
const tiers: Tier[] = [];
for (const tier of ['namespaces', 'sudo', 'proxies'] as const)
  await chooseTier({ env: process.env }, tier).then(
    () => tiers.push(tier),
    (error: Error) => void test.skip(`tier ${tier}: ${error.message}`, () => {}),
  );

describe.each(tiers)('nothing is left, tier %s', (tier) => {
  /** A drill in a process of its own, with a paused node and a paused server. */
  const held = async () => {
    const program = spawn(process.execPath, [drill, tier], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [line] = (await once(program.stdout, 'data')) as [Buffer];
    const { mark, folder } = JSON.parse(String(line)) as { readonly mark: string; readonly folder: string };
    const processes = () => marked(MARK, mark).filter(({ pid }) => pid !== program.pid);
    expect(processes().length).toBeGreaterThan(5);
    return { program, folder, processes };
  };

  test('when the drill’s process is killed', async () => {
    const { program, folder, processes } = await held();
    program.kill('SIGKILL');
    await eventually('all of it has ended', 60_000, () => processes().length === 0);
    await eventually('its folder is gone', 20_000, () => !existsSync(folder));
  });

  test('when the stage is killed, and whoever wants something of it is told', async () => {
    const { program, folder, processes } = await held();
    const ended = once(program, 'exit');
    const stage = processes().find(({ command }) => command.includes('stage/main.js') && !command.startsWith('sudo'));
    process.kill(stage?.pid ?? Number.NaN, 'SIGKILL');
    await eventually('all of it has ended', 60_000, () => processes().length === 0);
    // The drill's own process closes its world then.
    const [code] = await ended;
    expect(code).toBe(0);
    expect(existsSync(folder)).toBe(false);
  });

  test('when the opening is given up', async () => {
    const giveUp = new AbortController();
    const lines: string[] = [];
    const opening = openProcesses({
      ...{ seed: 1, nodes: 3, servers: 3, tier, signal: giveUp.signal },
      onProgress: (line) => {
        lines.push(line);
        if (line.startsWith('starting 3 node')) giveUp.abort();
      },
    });
    await expect(opening).rejects.toMatchObject({ code: 'cancelled' });
    expect(lines.at(-1)).toMatch(/^starting 3 node/);
  });

  test('when agents do not load: the opening fails, and says why', async () => {
    const opening = openProcesses({ seed: 1, nodes: 1, servers: 1, tier, agents: '/nowhere' });
    await expect(opening).rejects.toMatchObject({ code: 'unavailable', message: expect.stringContaining('/nowhere') });
  });
});

test('rubbish on its line is answered as such, and does no harm', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'nexa-stage-'));
  const stage = spawn(process.execPath, [builtPrograms().stage], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, [MARK]: folder },
  });
  try {
    let said = '';
    stage.stdout.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    const answers = () => said.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line)]));
    const setting = {
      ...{ tier: 'proxies', seed: 1, needs: [], run: 'r', cluster: 'c', folder, servers: 1, logLevel: 'warn' },
      ...{ natsServer: natsServerBinary().path, nexa: builtPrograms().nexa },
    };
    for (const line of [
      'x',
      '\u0000\u0001{',
      `${'a'.repeat(300_000)}`,
      JSON.stringify({ id: 1, order: 'act', act: { act: 'heal' } }),
      JSON.stringify({ id: 2, order: 'open', setting: { ...setting, servers: 2 } }),
      JSON.stringify({ id: 3, order: 'open', setting }),
      JSON.stringify({ id: 4, order: 'open', setting }),
      JSON.stringify({ id: 5, order: 'act', act: { act: 'start-server', server: 's2' } }),
      JSON.stringify({ id: 6, order: 'act', act: { act: 'start-server', server: 's1' } }),
    ])
      stage.stdin.write(`${line}\n`);
    await eventually('all of it is answered', 60_000, () => answers().length >= 9);
    const byId = (id: number | null) => answers().filter((answer) => answer.id === id);
    expect(byId(null).map(({ error }) => error.code)).toEqual(['invalid-message', 'invalid-message', 'invalid-message']);
    expect(byId(1)).toMatchObject([{ error: { code: 'conflict' } }]);
    expect(byId(2)).toMatchObject([{ error: { code: 'invalid-message', where: { field: 'servers' } } }]);
    expect(byId(3)).toMatchObject([{ value: { servers: [{ place: 's1' }] } }]);
    expect(byId(4)).toMatchObject([{ error: { code: 'conflict' } }]);
    expect(byId(5)).toMatchObject([{ error: { code: 'invalid-message' } }]);
    expect(byId(6)).toMatchObject([{ value: null }]);
    expect(marked(MARK, folder).length).toBeGreaterThan(1);
    stage.stdin.end();
    expect(await once(stage, 'exit')).toEqual([0, null]);
    await eventually('nothing is left', 20_000, () => marked(MARK, folder).length === 0 && !existsSync(folder));
  } finally {
    stage.kill('SIGKILL');
    await rm(folder, { recursive: true, force: true });
  }
});
