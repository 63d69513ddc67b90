// With what.ts of workloads/durable the only file here that knows the product from inside: a measurement wants servers without nodes.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { obtainNatsServer } from '../../src/nats-server/obtain.ts';
import { startNatsServers } from '../../src/nats-server/servers.ts';

export interface BenchServers extends AsyncDisposable {
  readonly urls: readonly string[];
  /** What each tells of itself, over HTTP. */
  readonly monitors: readonly string[];
}

const obtained = () => obtainNatsServer({ env: process.env, replicated: true, onProgress: () => undefined });
export const serverVersion = async (): Promise<string> => (await obtained()).binary.version;

/** Real servers on free ports with a folder of their own, which goes with them. */
export async function servers(count: 1 | 3 | undefined): Promise<BenchServers> {
  if (count === undefined) return { urls: [], monitors: [], [Symbol.asyncDispose]: async () => undefined };
  const { binary } = await obtained();
  const folder = await mkdtemp(join(tmpdir(), 'nexa-bench-'));
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true, maxRetries: 3 });
  try {
    const started = await startNatsServers({ binary, count, folder });
    return {
      urls: started.urls,
      monitors: started.servers.map(({ host, monitorPort }) => `http://${host}:${monitorPort}`),
      async [Symbol.asyncDispose]() {
        await started.stop();
        await remove();
      },
    };
  } catch (error) {
    await remove();
    throw error;
  }
}
