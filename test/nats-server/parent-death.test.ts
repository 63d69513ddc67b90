import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test, vi } from 'vitest';
import { natsServerBinary } from '../support/nats.ts';

const jiti = join(dirname(createRequire(import.meta.url).resolve('jiti/package.json')), 'lib/jiti-cli.mjs');
const script = fileURLToPath(new URL('./hold-servers.ts', import.meta.url));

/** The command line; empty for a process that is gone or only waits to be reaped. */
const commandLine = (pid: number) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');

test.runIf(process.platform === 'linux')('no server, running or stopped, outlives a whole process group that is killed', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'nexa-parent-'));
  const { path, version } = natsServerBinary();
  const parent = spawn(process.execPath, [jiti, script, path, version, folder], { stdio: ['ignore', 'pipe', 'inherit'], detached: true });
  try {
    const line = await new Promise<string>((resolve, reject) => {
      parent.stdout.once('data', (chunk) => resolve(String(chunk)));
      parent.once('exit', () => reject(new Error('the parent ended early')));
    });
    const pids = JSON.parse(line) as number[];
    expect(pids).toHaveLength(3);
    for (const pid of pids) expect(await commandLine(pid)).toContain('nats-server');
    const killedAt = performance.now();
    process.kill(-(parent.pid as number), 'SIGKILL');
    await vi.waitFor(async () => expect(await Promise.all(pids.map(commandLine))).toEqual(['', '', '']), { timeout: 20_000, interval: 5 });
    console.log(`servers gone ${Math.round(performance.now() - killedAt)} ms after their parent was killed`);
  } finally {
    parent.kill('SIGKILL');
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  }
});
