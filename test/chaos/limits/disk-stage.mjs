// In a mount namespace of its own: one real server on a small disk, writes before, while it is full, and afterwards. What was seen, as JSON.
import { join } from 'node:path';
import { disk } from '../../../dist/chaos/worlds/processes/stage/limits/disk.js';
import { connectNats } from '../../../dist/src/nats/connection.js';
import { readMonitor } from '../../../dist/src/nats-server/monitor.js';
import { freePorts } from '../../../dist/src/nats-server/ports.js';
import { whenReady } from '../../../dist/src/nats-server/ready.js';
import { NatsServer } from '../../../dist/src/nats-server/server.js';
import { systemClock as clock } from '../../../dist/src/system-clock.js';
import { systemRandom as random } from '../../../dist/src/system-random.js';

const [, , binary, folder] = process.argv;
const [ports] = await freePorts(1, '127.0.0.1');
const server = new NatsServer({
  binary,
  folder: join(folder, 's1'),
  config: { name: 's1', host: '127.0.0.1', port: ports.client, monitorPort: ports.monitor, fsync: false },
});
const silent = { debug() {}, info() {}, warn() {}, error() {} };
const seen = { starts: 0 };
const start = async () => {
  seen.starts++;
  await server.start();
};
const isHealthy = () =>
  readMonitor('/healthz', { port: server.monitorPort }, 2_000).then(
    () => true,
    () => false,
  );
const limit = await disk({
  clock,
  ownMounts: true,
  wants: () => true,
  pid: () => server.pid,
  serverFolder: () => join(folder, 's1'),
  isHealthy,
  kill: () => server.kill(),
  start,
});
await limit.prepare('s1');
await start();
const ready = () => whenReady([server], { replicas: 1, timeoutMs: 30_000 });
await ready();
const link = await connectNats({ servers: [server.url], name: 'writer', role: 'client', clock, random, log: silent });
const stores = link.stores();
await stores.ensure({ name: 'full', kind: 'stream', replicas: 1, subjects: ['full.>'] }, { timeoutMs: 5_000 });
const acked = [];
const write = async (count, timeoutMs) => {
  const outcomes = {};
  for (let index = 0; index < count; index++) {
    const id = random.id();
    const outcome = await stores
      .stream('full')
      .append('full.x', new Uint8Array(4_096), { recordId: id, timeoutMs })
      .then(
        ({ written, sequence, revision }) => {
          if (written === 'yes') acked.push(sequence ?? revision);
          return written;
        },
        (error) => error.code,
      );
    outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
  }
  return outcomes;
};
seen.before = await write(50, 5_000);
await limit.apply({ act: 'fill-disk', server: 's1' });
await limit.apply({ act: 'fill-disk', server: 's1' });
seen.whileFull = await write(5, 1_000);
seen.healthyWhileFull = await isHealthy();
seen.pidWhileFull = server.pid !== undefined;
const fromMs = clock.monotonicMs();
await limit.apply({ act: 'free-disk', server: 's1' });
seen.freedAfterMs = Math.round(clock.monotonicMs() - fromMs);
await ready();
// The writer dials again meanwhile.
while (
  !(await link
    .transport()
    .flush({ timeoutMs: 1_000 })
    .then(
      () => true,
      () => false,
    ))
)
  await new Promise((resolve) => setTimeout(resolve, 50));
seen.after = await write(50, 5_000);
const kept = new Set();
for (let from = 1; ; ) {
  const next = await stores.stream('full').next('full.x', { fromSequence: from, timeoutMs: 5_000 });
  if (next === undefined) break;
  kept.add(next.sequence);
  from = next.sequence + 1;
}
seen.acked = acked.length;
seen.lost = acked.filter((sequence) => !kept.has(sequence)).length;
await link.close();
await server.stop();
await limit.close();
console.log(JSON.stringify(seen));
