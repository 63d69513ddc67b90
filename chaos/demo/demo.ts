import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NexaError } from '../../src/errors.ts';
import type { Logger } from '../../src/ports/logger.ts';
import { type DevCluster, startDevCluster } from '../../supervisors/dev-cluster.ts';
import { type Spread, spread } from '../spread.ts';
import { type Bare, bareNats } from './bare-nats.ts';
import { type DrainRun, drainAndWatch } from './drain.ts';
import { type Failover, killAndWatch } from './kill.ts';
import { type LoadReport, load, type Tally } from './load.ts';
import { pause } from './pause.ts';

export interface DemoOptions {
  readonly agents: number;
  /** node's arguments that start a worker. */
  readonly command: readonly string[];
  readonly logLevel: string;
  readonly log: Logger;
  readonly onProgress: (line: string) => void;
  readonly signal: AbortSignal;
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
  readonly drain: DrainRun;
  /** Refused: definite errors, after which nobody asked again; none of them may be found. */
  readonly counts: { readonly acknowledged: number; readonly refused: number; readonly unknown: number; readonly found: number };
  /** What does not hold; empty when all does. */
  readonly violations: readonly string[];
}

const NODES = ['n1', 'n2', 'n3'] as const;
const CLUSTER = 'demo';
const PREFIX = `nexa.${CLUSTER}.v1`;
const CLIENTS = 4;
const PER_CLIENT = 8;
const CALM_MS = 3_000;

/**
 * The main job on real input: three nats-servers, three nodes, agents by message, clients that retry, two nodes killed one after
 * the other and the third drained; and then every acknowledged increment has to be there exactly once, and none that was refused.
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
      if (answer.ok) tallies.push({ id, acknowledged: 0, refused: 0, unknown: 0 });
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
      failovers.push(await killAndWatch({ cluster, node, client: first, prefix: PREFIX, exits, ups, violations, onProgress }));
    }
    await pause(CALM_MS);
    const drain = await drainAndWatch({ node: NODES[2], client: first, prefix: PREFIX, violations, onProgress });
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
      drain,
      counts: {
        acknowledged: sum((tally) => tally.acknowledged),
        refused: sum((tally) => tally.refused),
        unknown: sum((tally) => tally.unknown),
        found,
      },
      violations: violations.slice(0, 50),
    };
  } finally {
    await Promise.all(clients.map((client) => client.close()));
    await cluster?.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

async function finalValue(client: Bare, id: string): Promise<number | undefined> {
  for (let tries = 0; tries < 40; tries++) {
    const answer = await client.request(`${PREFIX}.agent.counter.${id}`, { type: 'get' }, { timeoutMs: 2_000 });
    if (answer.ok) return (answer.reply as { readonly value: number }).value;
    await pause(100);
  }
  return undefined;
}
