// A process that does what it is told, and says what came of it.
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { openSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';

const kept = [];
const orders = {
  wall: () => ({ wallMs: Date.now(), monotonicMs: performance.now() }),
  times: async () => {
    const fromMs = performance.now();
    await setTimeout(50);
    const timerMs = performance.now() - fromMs;
    const thread = new Worker("require('node:worker_threads').parentPort.postMessage(Date.now())", { eval: true });
    const [threadMs] = await once(thread, 'message');
    const childMs = Number(execFileSync('date', ['+%s'])) * 1_000;
    return { wallMs: Date.now(), monotonicMs: performance.now(), timerMs, threadMs, childMs };
  },
  open: ({ count }) => {
    for (let opened = 0; opened < count; opened++) {
      try {
        kept.push(openSync('/dev/null', 'r'));
      } catch (error) {
        return { opened, code: error.code };
      }
    }
    return { opened: count };
  },
  take: ({ bytes }) => {
    kept.push(Buffer.alloc(bytes, 1));
    return { taken: bytes };
  },
  spin: ({ ms }) => {
    const untilMs = performance.now() + ms;
    const from = process.cpuUsage();
    while (performance.now() < untilMs);
    const { user, system } = process.cpuUsage(from);
    return { cpuMs: (user + system) / 1_000 };
  },
};
process.on('message', async (order) => process.send({ id: order.id, ...(await orders[order.do](order)) }));
process.on('disconnect', () => process.exit(0));
process.send({ ready: true });
