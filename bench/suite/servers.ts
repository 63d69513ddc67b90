// With workloads/durable/journals.ts and workloads/scale/places.ts all here that knows the product from inside: servers without nodes.
import { obtainNatsServer } from '../../src/nats-server/obtain.ts';
import { startNatsServers } from '../../src/nats-server/servers.ts';

export interface BenchServers extends AsyncDisposable {
  readonly urls: readonly string[];
  /** What each tells of itself, over HTTP. */
  readonly monitors: readonly string[];
}

const obtained = () => obtainNatsServer({ env: process.env, replicated: true, onProgress: () => undefined });
export const serverVersion = async (): Promise<string> => (await obtained()).binary.version;

/** Real servers on free ports, which keep what they store in this folder. */
export async function servers(count: 1 | 3 | undefined, folder: string): Promise<BenchServers> {
  if (count === undefined) return { urls: [], monitors: [], [Symbol.asyncDispose]: async () => undefined };
  const { binary } = await obtained();
  const started = await startNatsServers({ binary, count, folder });
  return {
    urls: started.urls,
    monitors: started.servers.map(({ host, monitorPort }) => `http://${host}:${monitorPort}`),
    [Symbol.asyncDispose]: () => started.stop(),
  };
}
