import { afterEach, expect, test } from 'vitest';
import type { RuntimeEvent } from '../../src/actor/events.ts';
import type { Clock } from '../../src/ports/clock.ts';
import { type ProcessConfig, processesOf } from '../../supervisors/config-schema.ts';
import { processRunner } from '../../supervisors/process-runner.ts';
import { alive } from '../live/support.ts';
import { realClock, until } from '../support/real.ts';

const ended = new AbortController();
const started: { stop(): Promise<unknown> }[] = [];
afterEach(async () => {
  await Promise.all(started.splice(0).map((process) => process.stop()));
});

/** A runner of one program, written for node, and what it told. */
function runner(script: string, more: Partial<ProcessConfig> = {}, clock: Clock = realClock) {
  const events: RuntimeEvent[] = [];
  const processes = processesOf({ program: { command: process.execPath, args: ['-e', script], ...more } as ProcessConfig });
  const made = processRunner({
    processes,
    environment: { PATH: process.env.PATH ?? '' },
    clock,
    publish: (event) => void events.push(event),
  });
  return {
    events,
    said: () => events.flatMap((event) => (event.event === 'process-output' ? [event.text] : [])),
    async start(name = 'program', signal = ended.signal) {
      const process = await made.start(name, { agent: 'a', epoch: 7, signal });
      started.push(process);
      return process;
    },
  };
}
const numbers = (texts: readonly string[]): readonly number[] => texts.map(Number);

test('a program is told about its agent and its epoch, and finds nothing of ours that could be a secret', async () => {
  const { start, said } = runner(`console.log(JSON.stringify(process.env)); setInterval(() => {}, 1e6)`, { env: { OWN: '1' } });
  await start();
  await until(() => said().length === 1);
  expect(JSON.parse(said()[0] ?? '')).toEqual({ PATH: process.env.PATH, OWN: '1', NEXA_AGENT: 'process/a', NEXA_EPOCH: '7' });
});

test('its lines and its end are told, and its output is kept', async () => {
  const { start, events } = runner(`console.log('one'); console.error('two'); process.exitCode = 3`);
  const process = await start();
  expect(await process.ended).toEqual({ code: 3, signal: null });
  expect(events.at(-1)).toMatchObject({ event: 'process-exited', process: 'program', pid: process.pid, code: 3, signal: null });
  expect(process.output.tail(10).lines).toEqual(
    expect.arrayContaining([
      { stream: 'stdout', text: 'one', cut: false },
      { stream: 'stderr', text: 'two', cut: false },
    ]),
  );
  expect([process.running, process.waitingBytes]).toEqual([false, undefined]);
});

test('it reads what it is given, and gets signals', async () => {
  const { start, said } = runner(
    `process.on('SIGHUP', () => console.log('reload')); process.stdin.on('data', (text) => console.log('got ' + text)).on('end', () => console.log('all'))`,
  );
  const process = await start();
  process.write('hey', false);
  await until(() => said().includes('got hey'));
  process.signal('HUP');
  await until(() => said().includes('reload'));
  process.write('', true);
  await until(() => said().includes('all'));
});

test('stop ends its whole group: gracefully, and after a while by force', async () => {
  const script = `const { spawn } = require('node:child_process');
    const deaf = "process.on('SIGTERM', () => {}); setInterval(() => {}, 1e6); console.log(process.pid)";
    process.on('SIGTERM', () => {});
    spawn(process.execPath, ['-e', deaf], { stdio: 'inherit' });
    console.log(process.pid); setInterval(() => {}, 1e6)`;
  const { start, said } = runner(script, { stopMs: 200 });
  const process = await start();
  await until(() => said().length === 2, 20_000, said);
  expect(numbers(said()).every(alive)).toBe(true);
  expect(await process.stop()).toEqual({ code: null, signal: 'SIGKILL' });
  await until(() => !numbers(said()).some(alive));
});

test('what it leaves behind in its group when it ends by itself ends with it', async () => {
  const script = `const { spawn } = require('node:child_process');
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1e6)'], { stdio: 'inherit' });
    child.once('spawn', () => { console.log(child.pid); process.exit(0); })`;
  const { start, said } = runner(script);
  const process = await start();
  expect(await process.ended).toEqual({ code: 0, signal: null });
  await until(() => said().length === 1);
  await until(() => !numbers(said()).some(alive));
});

test('the end of its agent ends it', async () => {
  const over = new AbortController();
  const { start } = runner('setInterval(() => {}, 1e6)');
  const process = await start('program', over.signal);
  over.abort();
  expect(await process.ended).toEqual({ code: null, signal: 'SIGTERM' });
});

test('a program that does not stop writing is told at a bounded rate, read at a bounded rate, and its rest is counted', async () => {
  let nowMs = 0;
  const resumes: (() => void)[] = [];
  // Time stands still: what is allowed within one instant is all that may be told, and read.
  const still: Clock = {
    ...realClock,
    monotonicMs: () => nowMs,
    after: (_delayMs, run) => {
      resumes.push(run);
      return () => {};
    },
  };
  const script = `const line = 'x'.repeat(99) + '\\n'; const block = line.repeat(1000); (function more() { process.stdout.write(block, more) })()`;
  const { start, said } = runner(script, {}, still);
  const process = await start();
  await until(() => resumes.length === 1);
  const read = process.output.lines;
  expect(said()).toHaveLength(200);
  expect(process.output.untold).toBe(read - 200);
  expect(read * 100).toBeGreaterThanOrEqual(4_194_304 - 100);
  expect(read * 100).toBeLessThan(4_194_304 + 1_048_576);
  nowMs = 1_000;
  resumes.splice(0)[0]?.();
  await until(() => process.output.lines > read);
  expect(said().length).toBeLessThanOrEqual(300);
  process.signal('TERM');
  await until(() => resumes.length > 0);
  for (const run of resumes.splice(0)) run();
});

test('what the configuration does not name, or cannot be started, is refused as unavailable', async () => {
  const { start } = runner('', { command: '/no/such/program' });
  await expect(start()).rejects.toMatchObject({ code: 'unavailable', where: { process: 'program' } });
  await expect(start('rm -rf /')).rejects.toMatchObject({ code: 'unavailable', where: { process: 'rm -rf /' } });
});

test('no more of it run than may, and one that ended or never started makes room', async () => {
  const { start } = runner('setInterval(() => {}, 1e6)', { instances: 1 });
  const first = await start();
  await expect(start()).rejects.toMatchObject({ code: 'overloaded' });
  await first.stop();
  await (await start()).stop();
  const broken = runner('', { command: '/no/such/program', instances: 1 });
  for (let attempt = 0; attempt < 2; attempt++) await expect(broken.start()).rejects.toMatchObject({ code: 'unavailable' });
});
