// What a node takes of its process and of the server.

/** A cluster of its own for each run, whatever else the server keeps: far parts give their parent's process id. */
export const clusterOf = (pid: number): string => `bench-${pid}`;

/** Live objects of this process, and what it holds of the machine's memory, after a collection of all garbage. */
export async function memory(): Promise<{ readonly liveBytes: number; readonly residentBytes: number }> {
  const { gc } = globalThis as { gc?: () => void };
  if (gc === undefined) throw new Error('node has to be started with --expose-gc');
  // What a first collection finalizes, a second one frees.
  for (let times = 0; times < 2; times++) {
    gc();
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const { heapUsed, external, rss } = process.memoryUsage();
  return { liveBytes: heapUsed + external, residentBytes: rss };
}

/** Of all the connections of a node, as its server counts them. */
export async function subscriptions(monitor: string, node: string): Promise<number> {
  const answer = await fetch(`${monitor}/connz?limit=20000`);
  const { connections } = (await answer.json()) as { connections: readonly { readonly name?: string; readonly subscriptions: number }[] };
  const own = connections.filter(({ name }) => name?.startsWith(`nexa ${node} `));
  if (own.length === 0) throw new Error(`the server knows no connection of ${node}`);
  return own.reduce((sum, { subscriptions: each }) => sum + each, 0);
}
