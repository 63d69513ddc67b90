// A process that does what it is told, and says what came of it.
import { openSync } from 'node:fs';

const kept = [];
const orders = {
  wall: () => ({ wallMs: Date.now(), monotonicMs: performance.now() }),
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
process.on('message', (order) => process.send({ id: order.id, ...orders[order.do](order) }));
process.on('disconnect', () => process.exit(0));
process.send({ ready: true });
