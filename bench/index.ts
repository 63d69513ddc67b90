// All measurements, each in a process of its own, or the named one: npm run bench [-- local | cluster | moving | stream | remote | routing | passive | failover | journal [its arguments]]
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const benches = ['local', 'cluster', 'moving', 'stream', 'remote', 'routing', 'passive', 'failover', 'journal'];
const [wanted, ...args] = process.argv.slice(2);
if (wanted !== undefined && !benches.includes(wanted)) {
  console.error(`no measurement ${wanted}: ${benches.join(', ')}`);
  process.exit(2);
}
for (const bench of wanted === undefined ? benches : [wanted]) {
  const { status } = spawnSync(process.execPath, [fileURLToPath(new URL(`./${bench}.js`, import.meta.url)), ...args], { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}
