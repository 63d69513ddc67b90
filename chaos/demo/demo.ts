import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NexaError } from '../../src/errors.ts';
import type { Logger } from '../../src/ports/logger.ts';
import { type DevCluster, startDevCluster } from '../../supervisors/dev-cluster.ts';
import { type Bare, bareNats } from './bare-nats.ts';
import { type LoadReport, load, type Tally } from './load.ts';

export interface DemoOptions {
  readonly agents: number;
  /** node's arguments that start a worker. */
  readonly command: readonly string[];
  readonly logLevel: string;
  readonly log: Logger;
  readonly onProgress: (line: string) => void;
  readonly signal: AbortSignal;
}
export interface Spread {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}
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
export interface DemoReport {
  readonly ok: boolean;
  readonly readyMs: number;
  readonly spawned: number;
  readonly spawnMs: Spread;
  readonly asks: number;
  readonly repeats: number;
  readonly errors: Readonly<Record<string, number>>;
  readonly askMs: Spread;
  readonly failovers: readonly Failover[];
  readonly counts: { readonly acknowledged: number; readonly unknown: number; readonly found: number };
  /** What does not hold; empty when all does. */
  readonly violations: readonly string[];
}

const NODES = ['n1', 'n2', 'n3'] as const;
const CLUSTER = 'demo';
const PREFIX = `nexa.${CLUSTER}.v1`;
const CLIENTS = 4;
const PER_CLIENT = 8;
const CALM_MS = 3_000;
const RECOVERY_MS = 30_000;

/**
 * The main job on real input: three nats-servers, three nodes, agents by message, clients that retry, two nodes killed one after
 * the other; and then every acknowledged increment has to be there exactly once.
 */
export async function demo(options: DemoOptions): Promise<DemoReport> {
  const { onProgress } = options;
  const folder = await mkdtemp(join(tmpdir(), 'nexa-demo-'));
  const startedMs = performance.now();
  const clients: Bare[] = [];
  const exits = new Map<string, number>();
  const ups = new Map<string, number>();
  let cluster: DevCluster | undefined;
  try {
    cluster = await startDevCluster({
      servers: 3,
      nodes: NODES,
      natsPort: 0,
      folder,
      cluster: CLUSTER,
      logLevel: options.logLevel,
      command: options.command,
      log: options.log,
      onProgress,
      signal: options.signal,
      onEvent: (event) => {
        if (event.event === 'exited') exits.set(event.node, performance.now());
        if (event.event === 'ready') ups.set(event.node, performance.now());
      },
    });
    const readyMs = performance.now() - startedMs;
    for (let index = 0; index < CLIENTS; index++) clients.push(await bareNats(cluster.urls, `demo client ${index}`));
    const [first] = clients as [Bare];
    const violations: string[] = [];

    onProgress(`spawning ${options.agents} agents by message`);
    const tallies: Tally[] = [];
    const spawnMs: number[] = [];
    for (let index = 0; index < options.agents && !options.signal.aborted; index++) {
      const id = `c${index}`;
      const askedMs = performance.now();
      const answer = await first.request(`${PREFIX}.spawn`, { type: 'counter', id, spawnId: `demo-${index}` }, { timeoutMs: 5_000 });
      spawnMs.push(performance.now() - askedMs);
      if (answer.ok) tallies.push({ id, acknowledged: 0, unknown: 0 });
      else violations.push(`counter/${id} was not spawned: ${answer.error.code} ${answer.error.message}`);
    }

    if (tallies.length === 0) throw new NexaError('unavailable', `no agent could be spawned: ${violations[0]}`);
    onProgress(`${CLIENTS} clients add to them, ${CLIENTS * PER_CLIENT} at a time`);
    const report: LoadReport = { asks: 0, repeats: 0, errors: {}, latenciesMs: [] };
    let stopped = false;
    const loading = load({
      clients,
      perClient: PER_CLIENT,
      prefix: PREFIX,
      tallies,
      report,
      stopped: () => stopped || options.signal.aborted,
    });
    const failovers: Failover[] = [];
    for (const node of NODES.slice(0, 2)) {
      await pause(CALM_MS);
      if (options.signal.aborted) break;
      failovers.push(await killAndWatch({ cluster, node, client: first, exits, ups, violations, onProgress }));
    }
    await pause(CALM_MS);
    stopped = true;
    await loading;

    onProgress('counting');
    let found = 0;
    for (const tally of tallies) {
      const value = await finalValue(first, tally.id);
      if (value === undefined) violations.push(`counter/${tally.id} does not answer`);
      else {
        found += value;
        if (value < tally.acknowledged || value > tally.acknowledged + tally.unknown) {
          violations.push(`counter/${tally.id} is ${value}; acknowledged were ${tally.acknowledged}, unknown ${tally.unknown}`);
        }
      }
    }
    const sum = (of: (tally: Tally) => number): number => tallies.reduce((total, tally) => total + of(tally), 0);
    return {
      ok: violations.length === 0 && tallies.length === options.agents && failovers.length === 2,
      readyMs: Math.round(readyMs),
      spawned: tallies.length,
      spawnMs: spread(spawnMs),
      asks: report.asks,
      repeats: report.repeats,
      errors: report.errors,
      askMs: spread(report.latenciesMs),
      failovers,
      counts: { acknowledged: sum((tally) => tally.acknowledged), unknown: sum((tally) => tally.unknown), found },
      violations: violations.slice(0, 50),
    };
  } finally {
    await Promise.all(clients.map((client) => client.close()));
    await cluster?.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

/** SIGKILLs a node's process and asks each of its agents until it answers from elsewhere. */
async function killAndWatch(options: {
  readonly cluster: DevCluster;
  readonly node: string;
  readonly client: Bare;
  readonly exits: Map<string, number>;
  readonly ups: Map<string, number>;
  readonly violations: string[];
  readonly onProgress: (line: string) => void;
}): Promise<Failover> {
  const { cluster, node, client, exits, ups, violations, onProgress } = options;
  const listed = await client.request(`${PREFIX}.agents`, { type: 'list', limit: 10_000 }, { timeoutMs: 5_000 });
  const agents = listed.ok
    ? ((listed.reply as { readonly agents: readonly { readonly id: string; readonly node: string | null }[] }).agents ?? [])
    : [];
  const owned = agents.filter((agent) => agent.node === node).map((agent) => agent.id);
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
        const answer = await client.request(`${PREFIX}.agent.counter.${id}`, { type: 'get' }, { timeoutMs: 1_000 });
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

async function finalValue(client: Bare, id: string): Promise<number | undefined> {
  for (let tries = 0; tries < 40; tries++) {
    const answer = await client.request(`${PREFIX}.agent.counter.${id}`, { type: 'get' }, { timeoutMs: 2_000 });
    if (answer.ok) return (answer.reply as { readonly value: number }).value;
    await pause(100);
  }
  return undefined;
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

function spread(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number): number => Math.round((sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0) * 10) / 10;
  return { p50: at(0.5), p99: at(0.99), max: at(1) };
}
