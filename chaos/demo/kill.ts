import type { DevCluster } from '../../supervisors/dev-cluster.ts';
import { type Spread, spread } from '../spread.ts';
import type { Bare } from './bare-nats.ts';
import { ownedBy } from './owned-by.ts';
import { pause } from './pause.ts';

export interface Failover {
  readonly node: string;
  readonly agents: number;
  /** From the SIGKILL to the first answer of each of its agents, elsewhere. */
  readonly ms: Spread;
  /** From the exit that the launcher saw. */
  readonly seenMs: Spread;
  /** Until the node's next incarnation was up. */
  readonly restartedMs: number;
}

const RECOVERY_MS = 30_000;

/** SIGKILLs a node's process and asks each of its agents until it answers from elsewhere. */
export async function killAndWatch(options: {
  readonly cluster: DevCluster;
  readonly node: string;
  readonly client: Bare;
  readonly prefix: string;
  readonly exits: Map<string, number>;
  readonly ups: Map<string, number>;
  readonly violations: string[];
  readonly onProgress: (line: string) => void;
}): Promise<Failover> {
  const { cluster, node, client, exits, ups, violations, onProgress } = options;
  const owned = await ownedBy(client, options.prefix, node);
  const pid = cluster.launcher.pids().get(node);
  if (pid === undefined) {
    violations.push(`node ${node} has no process`);
    return { node, agents: 0, ms: spread([]), seenMs: spread([]), restartedMs: 0 };
  }
  onProgress(`kill -9 ${pid}: node ${node} with ${owned.length} agents`);
  exits.delete(node);
  ups.delete(node);
  const killedMs = performance.now();
  process.kill(pid, 'SIGKILL');
  const back = await Promise.all(
    owned.map(async (id): Promise<number> => {
      while (performance.now() - killedMs < RECOVERY_MS) {
        const answer = await client.request(`${options.prefix}.agent.counter.${id}`, { type: 'get' }, { timeoutMs: 1_000 });
        if (answer.ok) return performance.now();
        await pause(10);
      }
      violations.push(`counter/${id} of ${node} did not answer within ${RECOVERY_MS} ms`);
      return performance.now();
    }),
  );
  while (!ups.has(node) && performance.now() - killedMs < RECOVERY_MS) await pause(20);
  if (!ups.has(node)) violations.push(`node ${node} was not restarted within ${RECOVERY_MS} ms`);
  const seenMs = exits.get(node) ?? killedMs;
  const failover = {
    node,
    agents: owned.length,
    ms: spread(back.map((atMs) => atMs - killedMs)),
    seenMs: spread(back.map((atMs) => atMs - seenMs)),
    restartedMs: Math.round((ups.get(node) ?? killedMs) - killedMs),
  };
  onProgress(
    `its agents answer elsewhere: p50 ${failover.ms.p50} ms, max ${failover.ms.max} ms; the node is back after ${failover.restartedMs} ms`,
  );
  return failover;
}
