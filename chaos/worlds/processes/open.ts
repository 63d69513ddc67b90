import { mkdtemp } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { NexaError } from '../../../src/errors.ts';
import { obtainNatsServer } from '../../../src/nats-server/obtain.ts';
import { whenReady } from '../../../src/nats-server/ready.ts';
import { obtainTool } from '../../../src/programs/tool.ts';
import { systemClock } from '../../../src/system-clock.ts';
import { systemRandom } from '../../../src/system-random.ts';
import { plainEnvironment, rawEnvironment } from '../../../supervisors/config.ts';
import type { ActName, Place } from '../../act.ts';
import type { Tier } from '../../plan.ts';
import type { WorldOptions } from '../../world.ts';
import { chooseTier } from './net/choose-tier.ts';
import { builtPrograms } from './programs.ts';
import type { Opened, Setting } from './stage/orders.ts';
import { startStage } from './stage-process.ts';
import { FAKETIME } from './tools.ts';
import { ProcessWorld } from './world.ts';

export interface ProcessesOptions extends WorldOptions {
  /** Default: the best that this machine allows. */
  readonly tier?: Tier;
  /** What is going to be done: some of it costs something, such as a relay on each way, and is prepared only for whoever needs it. */
  readonly needs?: readonly ActName[];
  /** A folder of agent modules. */
  readonly agents?: string;
  /** Of the nodes. Default `warn`. */
  readonly logLevel?: string;
  /** Of the configuration file of every node. */
  readonly settings?: Readonly<Record<string, unknown>>;
}

const OPEN_MS = 60_000;
const SERVERS_READY_MS = 60_000;
const NODES_UP_MS = 90_000;

/**
 * Real nats-servers and nodes on this machine, each at a place of its own in a net that can be cut. Resolves when the servers keep state and
 * every node sees every other. Nothing of it outlives `close`, or this process, however that ends.
 * @throws NexaError `unavailable`: this machine lacks what is needed, or something did not start in time. Nothing runs then.
 */
export async function openProcesses(options: ProcessesOptions): Promise<ProcessWorld> {
  const { nodes, servers, needs = [], onProgress = () => {}, signal } = options;
  if (servers !== 1 && servers !== 3) throw new NexaError('invalid-message', `${servers} servers: there may be 1 or 3`);
  if (!Number.isInteger(nodes) || nodes < 1 || nodes > 20) throw new NexaError('invalid-message', `${nodes} nodes: there may be 1 to 20`);
  const programs = builtPrograms();
  const { binary } = await obtainNatsServer({
    env: rawEnvironment(),
    replicated: servers > 1,
    ...(signal === undefined ? {} : { signal }),
    onProgress: ({ step }) => onProgress(`fetching nats-server: ${step}`),
  });
  const fetching = { env: rawEnvironment(), ...(signal === undefined ? {} : { signal }) };
  const { tier, enter, tools, refused } = await chooseTier(fetching, options.tier);
  for (const { tier: better, why } of refused) onProgress(`no ${better}: ${why}`);
  // Found by the stage, which may have no way to the world outside.
  if (needs.some((act) => act === 'wall-jump' || act === 'clock-rate')) await obtainTool(FAKETIME, fetching).catch(() => undefined);
  onProgress(`tier ${tier}, nats-server ${binary.version}`);
  const run = systemRandom.id();
  const folder = await mkdtemp(join(tmpdir(), 'nexa-drill-'));
  const setting: Setting = {
    tier,
    ...(tools === undefined ? {} : { tools }),
    // Root is for the stage alone: what is tried runs, and keeps its files, as whoever tries it.
    ...(tier === 'sudo' ? { as: ownIds() } : {}),
    seed: options.seed,
    needs,
    run,
    // Fresh, and short enough for the names of its streams to be read.
    cluster: `drill-${run.slice(0, 8)}`,
    folder,
    servers,
    natsServer: binary.path,
    nexa: programs.nexa,
    logLevel: options.logLevel ?? 'warn',
    ...(options.agents === undefined ? {} : { agents: options.agents }),
    ...(options.settings === undefined ? {} : { settings: options.settings }),
  };
  const world = new ProcessWorld({
    setting,
    clock: systemClock,
    ...(options.logs === undefined ? {} : { logs: options.logs }),
    versions: { node: process.versions.node, nexa: ownVersion(), 'nats-server': binary.version, kernel: release() },
  });
  const abort = (): void => void world.close();
  signal?.addEventListener('abort', abort, { once: true });
  try {
    if (signal?.aborted === true) throw new NexaError('cancelled', 'the opening was given up');
    const stage = await startStage({
      enter,
      run,
      program: programs.stage,
      environment: plainEnvironment(),
      clock: systemClock,
      onEvent: (event) => world.heard(event),
    });
    await world.take(stage, async () => (await stage.ask({ order: 'open', setting }, OPEN_MS)) as Opened);
    onProgress(`starting ${servers} nats-server(s)`);
    await Promise.all(world.servers.map((server) => world.act({ act: 'start-server', server })));
    await whenReady(world.readyTargets, { replicas: servers, timeoutMs: SERVERS_READY_MS, check: () => world.requireWhole() });
    onProgress(`starting ${nodes} node(s)`);
    const places: readonly Place[] = Array.from({ length: nodes }, (_, index) => `n${index + 1}`);
    await Promise.all(places.map((node) => world.act({ act: 'start-node', node })));
    await world.untilAllSeen(places, NODES_UP_MS);
    onProgress(`${nodes} node(s) are up`);
    world.begun();
    return world;
  } catch (error) {
    const why = await world.lastWords();
    await world.close();
    if (signal?.aborted === true) throw new NexaError('cancelled', 'the opening was given up', { cause: error });
    if (!(error instanceof NexaError) || why === '') throw error;
    throw new NexaError(error.code, `${error.message}\n${why}`, { where: error.where, retryable: error.retryable, cause: error });
  } finally {
    signal?.removeEventListener('abort', abort);
  }
}

const ownIds = () => ({ uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 });

const ownVersion = (): string => (createRequire(import.meta.url)('nexa/package.json') as { readonly version: string }).version;
