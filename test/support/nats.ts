import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inject } from 'vitest';
import type { NatsServer } from '../../src/nats-server/server.ts';
import { type NatsServers, startNatsServers } from '../../src/nats-server/servers.ts';

/** Real servers on free loopback ports with a temporary data folder. Stop them in `afterAll`/`afterEach`. */
export interface TestServers extends AsyncDisposable {
  readonly servers: readonly NatsServer[];
  readonly urls: readonly string[];
  /** Removes the data folder too. */
  stop(): Promise<void>;
  /** SIGKILL; resolves when the process is gone. */
  kill(index: number): Promise<void>;
  /** SIGSTOP. */
  pause(index: number): void;
  resume(index: number): void;
  /** Starts a server that was killed or stopped, on its old ports and state; resolves when all servers keep state again. */
  restart(index: number): Promise<void>;
  /** Resolves when all servers keep state: after a heal. */
  ready(timeoutMs?: number): Promise<void>;
}

/** The binary all tests use. @throws if there is none, saying how to get it. */
export function natsServerBinary(): { readonly path: string; readonly version: string } {
  const found = inject('natsServer');
  if ('missing' in found) throw new Error(`this test needs a nats-server: ${found.missing}`);
  return found;
}

export async function startServers(
  options: { readonly count?: 1 | 3; readonly fsync?: boolean; readonly settings?: Readonly<Record<string, unknown>> } = {},
): Promise<TestServers> {
  const folder = await mkdtemp(join(tmpdir(), 'nexa-test-'));
  const remove = () => rm(folder, { recursive: true, force: true, maxRetries: 3 });
  let started: NatsServers;
  try {
    const { count = 1, fsync = false, settings = {} } = options;
    started = await startNatsServers({ binary: natsServerBinary(), count, folder, fsync, settings });
  } catch (error) {
    await remove();
    throw error;
  }
  const server = (index: number): NatsServer => {
    const found = started.servers[index];
    if (found === undefined) throw new Error(`there is no server ${index}`);
    return found;
  };
  const stop = async () => {
    // The state is thrown away: no need to end in order.
    await Promise.all(started.servers.map((each) => each.kill()));
    await remove();
  };
  return {
    servers: started.servers,
    urls: started.urls,
    stop,
    kill: (index) => server(index).kill(),
    pause: (index) => server(index).pause(),
    resume: (index) => server(index).resume(),
    restart: async (index) => {
      await server(index).kill();
      await server(index).start();
      await started.ready();
    },
    ready: (timeoutMs) => started.ready(timeoutMs),
    [Symbol.asyncDispose]: stop,
  };
}
