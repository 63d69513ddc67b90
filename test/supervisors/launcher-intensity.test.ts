import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createCodec } from '../../src/cluster/codec.ts';
import { DEFAULT_TIMES } from '../../src/cluster/config.ts';
import { form } from '../../src/cluster/formation.ts';
import { subjects as subjectsOf } from '../../src/cluster/subject.ts';
import { NexaError } from '../../src/errors.ts';
import { memoryNetwork } from '../../src/memory/network.ts';
import type { Clock } from '../../src/ports/clock.ts';
import type { Stores } from '../../src/ports/stores.ts';
import { type Launcher, type LauncherEvent, launch } from '../../supervisors/launcher.ts';
import { realClock, realRandom, recordingLogger, until } from '../support/real.ts';

/** Only waiting takes time, and none of ours: however slow the machine is, a crash loop is as fast as its back-off lets it be. */
function waitingClock(): Clock {
  let nowMs = 0;
  return {
    monotonicMs: () => nowMs,
    wallMs: realClock.wallMs,
    bootMs: () => nowMs,
    after: (delayMs, run) => {
      // That of a node which is starting: no process here takes so long, and none of them is to be slower than it.
      if (delayMs === 2 * DEFAULT_TIMES.renewMs) {
        const renewal = setTimeout(run, delayMs);
        return () => clearTimeout(renewal);
      }
      const dueMs = nowMs + delayMs;
      const soon = setImmediate(() => {
        nowMs = Math.max(nowMs, dueMs);
        run();
      });
      return () => clearImmediate(soon);
    },
  };
}

/** Launches real processes that run `script` instead of a node. */
async function launched(names: readonly string[], script: string, around: (stores: Stores) => Stores = (stores) => stores) {
  const log = recordingLogger();
  const events: LauncherEvent[] = [];
  const { stores, transport } = memoryNetwork({ clock: realClock, random: realRandom }).connect('launcher');
  const within = { timeoutMs: 5_000, storeMs: 2_000 };
  await form({ stores, subjects: subjectsOf('c'), codec: createCodec(), clock: realClock, replicas: 1, ...within });
  const launcher: Launcher = launch({
    workers: names.map((node) => ({ node, cluster: 'c', nats: [], labels: {}, capacity: 1, logLevel: 'silent' })),
    command: ['-e', script],
    stores: around(stores),
    transport,
    clock: waitingClock(),
    random: realRandom,
    log,
    onEvent: (event) => void events.push(event),
  });
  return { launcher, events, log };
}
const spec = `const { node } = JSON.parse(process.env.NEXA_WORKER);`;
const ready = `process.send({ news: 'ready' }`;
const heedful = `${ready}); process.on('message', () => process.exit(0));`;

test('a worker that crashes eleven times within a minute ends its launcher with 1, and a sound one beside it gracefully', async () => {
  const { launcher, events, log } = await launched(
    ['sound', 'looping'],
    `${spec} if (node === 'sound') { ${heedful} } else ${ready}, () => process.exit(7));`,
  );
  await launcher.ready;
  expect(await launcher.done).toBe(1);
  const exits = (node: string) => events.flatMap((event) => (event.event === 'exited' && event.node === node ? [event.code] : []));
  expect(exits('looping')).toEqual(Array.from({ length: 11 }, () => 7));
  expect(exits('sound')).toEqual([0]);
  expect(log.errors).toEqual([expect.objectContaining({ code: 'unavailable', node: 'looping' })]);
});

test('an incarnation that was over is no crash: ten crashes besides do not end the launcher', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'nexa-launcher-'));
  try {
    const { launcher, events } = await launched(
      ['tried'],
      `const fs = require('node:fs'); const file = ${JSON.stringify(join(folder, 'starts'))};
       fs.appendFileSync(file, '.'); const starts = fs.statSync(file).size;
       if (starts > 13) { ${heedful} } else ${ready}, () => process.exit(starts > 10 ? 75 : 7));`,
    );
    const starts = () => events.filter((event) => event.event === 'ready').length;
    await until(() => starts() === 14, 20_000, starts);
    launcher.stop();
    expect(await launcher.done).toBe(0);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test('a worker that never came up is not tried again: its launcher ends with its code', async () => {
  const { launcher, events } = await launched(['broken'], 'process.exit(9);');
  await expect(launcher.ready).rejects.toMatchObject({ code: 'unavailable', where: { node: 'broken', exit: '9' } });
  expect(await launcher.done).toBe(9);
  expect(events.filter((event) => event.event === 'started')).toHaveLength(1);
});

test('C6: what once ran is started again after an outage of the store, however long that was', async () => {
  let dark = false;
  const unlit = (stores: Stores): Stores => ({
    ...stores,
    kv: (name) => {
      const kv = stores.kv(name);
      return {
        ...kv,
        get: async (...given) => {
          if (dark) throw new NexaError('unavailable', 'dark');
          return kv.get(...given);
        },
      };
    },
  });
  const { launcher, events, log } = await launched(['patient'], heedful, unlit);
  await launcher.ready;
  dark = true;
  launcher.kill('patient');
  await until(
    () => log.errors.length >= 3,
    20_000,
    () => log.errors.length,
  );
  expect(log.errors[0]).toMatchObject({ code: 'unavailable', node: 'patient' });
  dark = false;
  const starts = () => events.filter((event) => event.event === 'ready').length;
  await until(() => starts() === 2, 20_000, starts);
  launcher.stop();
  expect(await launcher.done).toBe(0);
});
