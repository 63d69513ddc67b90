// Run by parent-death.test.ts in a process of its own: starts servers, tells their pids, and waits to be killed.
import { startNatsServers } from '../../src/nats-server/servers.ts';

const [path, version, folder] = process.argv.slice(2) as [string, string, string];
const { servers } = await startNatsServers({ binary: { path, version }, count: 3, folder });
servers[1]?.pause();
process.stdout.write(`${JSON.stringify(servers.map(({ pid }) => pid))}\n`);
setInterval(() => {}, 60_000);
