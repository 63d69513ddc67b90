import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';
import { NexaError } from '../errors.ts';
import type { Check } from '../ports/check.ts';
import { LOOPBACK } from './config.ts';

/** The TCP ports of one server: `client` on the host that was asked for, the others on loopback. */
export interface ServerPorts {
  readonly client: number;
  readonly cluster: number;
  readonly monitor: number;
}

// Below the ports that systems give to outgoing connections, so that a server that is down for a while finds its own still free.
const LOWEST = 14_000;
const HIGHEST = 32_000;
const TRIES = 200;
const CHECK_MS = 5_000;

/** Free ports for `count` servers. They may be taken a moment later; who starts servers on them tries again then. */
export async function freePorts(count: number, host: string): Promise<readonly ServerPorts[]> {
  const found = new Set<number>();
  for (let tries = 0; found.size < count * 3; tries += 1) {
    if (tries === TRIES)
      throw new NexaError('unavailable', `no ${count * 3} free ports between ${LOWEST} and ${HIGHEST}`, { where: { host } });
    const port = randomInt(LOWEST, HIGHEST);
    if (!found.has(port) && ((await whyTaken(port, host)) ?? (await whyTaken(port, LOOPBACK))) === undefined) found.add(port);
  }
  const ports = [...found];
  return Array.from({ length: count }, (_, index) => ({
    client: ports[index * 3] as number,
    cluster: ports[index * 3 + 1] as number,
    monitor: ports[index * 3 + 2] as number,
  }));
}

/** @throws NexaError `conflict` naming the first port that is taken and the flag that chooses another. */
export async function requireFree(ports: readonly ServerPorts[], host: string, flag: string): Promise<void> {
  for (const { client, cluster, monitor } of ports) {
    for (const [port, on] of [
      [client, host],
      [cluster, LOOPBACK],
      [monitor, LOOPBACK],
    ] as const) {
      const code = await whyTaken(port, on);
      if (code !== undefined) throw portTaken(port, on, flag, code);
    }
  }
}

/** {@link requireFree} as a check of a start. */
export const portsCheck = (ports: readonly ServerPorts[], host: string, flag: string): Check => ({
  name: 'ports',
  required: true,
  timeoutMs: CHECK_MS,
  async run() {
    await requireFree(ports, host, flag);
    return { verdict: 'ok', message: `free on ${host}: ${ports.map(({ client }) => client).join(' ')}` };
  },
});

export function portTaken(port: number | undefined, host: string, flag: string, code: string): NexaError {
  const which = port === undefined ? 'a port' : `port ${port}`;
  return new NexaError('conflict', `${which} on ${host} cannot be used (${code})`, {
    where: { host, ...(port === undefined ? {} : { port: String(port) }) },
    fix: `Choose another port with ${flag}, or stop what listens there.`,
  });
}

function whyTaken(port: number, host: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(undefined)));
  });
}
