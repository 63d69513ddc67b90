// Holds a net as a stage does, in namespaces of its own where the tier has them, and starts peers at its places. Orders and events in JSON lines.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { openNet } from '../../../../dist/chaos/worlds/processes/net/open-net.js';
import { systemClock } from '../../../../dist/src/system-clock.js';

const peer = fileURLToPath(new URL('./peer.mjs', import.meta.url));
const env = { ...process.env };
const options = JSON.parse(process.argv[2]);
const tell = (event) => process.stdout.write(`${JSON.stringify(event)}\n`);
const peers = new Map();
const net = await openNet({ ...options, env, clock: systemClock });

const orders = {
  async add({ place }) {
    await net.add(place);
    const [command, ...args] = [...net.at(place), process.execPath, peer];
    const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'], env });
    createInterface({ input: child.stdout }).on('line', (line) => tell({ place, ...JSON.parse(line) }));
    peers.set(place, child);
    return { pid: child.pid, host: net.hostOf(place) };
  },
  order: async ({ place, order }) => void peers.get(place).stdin.write(`${JSON.stringify(order)}\n`),
  reach: ({ from, to, port }) => net.reach(from, to, port),
  act: ({ act }) => net.act(act),
  cannot: async ({ act }) => net.cannot(act) ?? null,
  async close() {
    await net.close();
    return readFileSync('/proc/self/mounts', 'utf8').includes(options.folder);
  },
  host: async ({ place }) => net.hostOf(place),
  uid: async ({ place }) => readFileSync(`/proc/${peers.get(place).pid}/status`, 'utf8').match(/^Uid:\s+(\d+)/m)[1],
};

createInterface({ input: process.stdin }).on('line', async (line) => {
  const { id, name, ...order } = JSON.parse(line);
  try {
    tell({ answers: id, said: await orders[name](order) });
  } catch (error) {
    tell({ answers: id, failed: JSON.parse(JSON.stringify(error)) });
  }
});
process.stdin.on('end', () => process.exit(0));
tell({ answers: 0, said: net.tier });
