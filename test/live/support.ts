import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { vi } from 'vitest';
import type { NatsServers } from '../../src/nats-server/servers.ts';
import type { NodeSettings } from '../../supervisors/config-schema.ts';
import { type DevCluster, startDevCluster } from '../../supervisors/dev-cluster.ts';
import type { LauncherEvent } from '../../supervisors/launcher.ts';
import { recordingLogger } from '../support/real.ts';
import { type Bare, bare } from './bare.ts';

// Deadlines are for what hangs; a machine that is busy with something else is no failure.
vi.setConfig({ testTimeout: 180_000, hookTimeout: 120_000 });

/** The programs as `npm run build` left them: what a user starts. */
export const built = (program: 'nexa' | 'worker'): string => fileURLToPath(new URL(`../../dist/bin/${program}.js`, import.meta.url));

export interface LiveOptions {
  readonly servers?: 1 | 3;
  /** Default 3: n1, n2, n3. */
  readonly nodes?: number;
  /** A folder of agent modules. */
  readonly agents?: string;
  /** Starts on what an earlier cluster left; it is then not removed. */
  readonly folder?: string;
  readonly cluster?: string;
  /** Of node itself, before the worker. */
  readonly nodeArgs?: readonly string[];
  /** Of the configuration file. */
  readonly settings?: NodeSettings;
}

export interface LiveCluster extends AsyncDisposable {
  readonly cluster: string;
  /** `nexa.<cluster>.v1` */
  readonly prefix: string;
  readonly urls: readonly string[];
  readonly servers: NatsServers;
  readonly nodes: readonly string[];
  /** What the launcher told, oldest first. */
  readonly events: readonly LauncherEvent[];
  /** A stranger's connection. */
  readonly client: Bare;
  connect(name: string): Promise<Bare>;
  pid(node: string): number;
  /** Resolves once every node runs, in the eyes of all: what a test needs that begins where another one broke something. */
  settled(): Promise<true>;
  signal(node: string, signal: NodeJS.Signals): void;
  /** Waits for the launcher to tell it. */
  heard<E extends LauncherEvent['event']>(event: E, node: string, from?: number): Promise<Extract<LauncherEvent, { readonly event: E }>>;
  /** Ends everything and looks for what was left behind. */
  stop(): Promise<void>;
}

let clusters = 0;

/** Real servers, the real launcher, real node processes; nothing of it outlives `stop`. */
export async function liveCluster(options: LiveOptions = {}): Promise<LiveCluster> {
  const cluster = options.cluster ?? `live-${process.pid}-${++clusters}`;
  const folder = options.folder ?? (await mkdtemp(join(tmpdir(), 'nexa-live-')));
  const nodes = Array.from({ length: options.nodes ?? 3 }, (_, index) => `n${index + 1}`);
  const events: LauncherEvent[] = [];
  let running: DevCluster;
  try {
    running = await startDevCluster({
      servers: options.servers ?? 1,
      nodes,
      natsPort: 0,
      folder,
      cluster,
      logLevel: process.env.NEXA_TEST_LOG ?? 'silent',
      command: [...(options.nodeArgs ?? []), built('worker')],
      log: recordingLogger(),
      onProgress: () => undefined,
      onEvent: (event) => void events.push(event),
      ...(options.agents === undefined ? {} : { agents: options.agents }),
      ...(options.settings === undefined ? {} : { settings: options.settings }),
    });
  } catch (error) {
    if (options.folder === undefined) await rm(folder, { recursive: true, force: true });
    throw error;
  }
  const { urls, servers, launcher } = running;
  const serverPids = servers.servers.flatMap(({ pid }) => (pid === undefined ? [] : [pid]));
  const clients: Bare[] = [];
  const connect = async (name: string): Promise<Bare> => {
    const connected = await bare(urls, cluster, name);
    clients.push(connected);
    return connected;
  };
  const pid = (node: string): number => {
    const found = launcher.pids().get(node);
    if (found === undefined) throw new Error(`node ${node} has no process`);
    return found;
  };
  let stopping: Promise<void> | undefined;
  const stop = async (): Promise<void> => {
    for (const frozen of launcher.pids().values()) send(frozen, 'SIGCONT');
    for (const server of servers.servers) server.resume();
    await Promise.all(clients.map((each) => each.close()));
    await running.stop();
    const pids = new Set([...serverPids, ...events.flatMap((event) => (event.event === 'started' ? [event.pid] : []))]);
    // By name where the system tells names: a number may be another process's by now.
    const left = existsSync('/proc/self/environ') ? [...processesOf(cluster), ...processesOf(folder)] : [...pids].filter(alive);
    if (options.folder === undefined) await rm(folder, { recursive: true, maxRetries: 5 });
    if (left.length > 0) throw new Error(`processes were left behind: ${left.join(' ')}`);
  };
  const client = await connect('test');
  // A node is up when it may act itself; that the others have heard of it is one beat later.
  const settled = (): Promise<true> =>
    eventually('every node sees every other', 90_000, async () => {
      const seen = await Promise.all(nodes.map((node) => client.ask(`ctl.${node}`, { type: 'nodes' }, { timeoutMs: 1_000 })));
      return seen.every(
        (answer) =>
          answer.ok &&
          nodes.every((node) =>
            answer.reply.nodes.some(
              (row: { readonly node: string; readonly state: string; readonly pid: number | null; readonly suspended: boolean }) =>
                row.node === node && row.state === 'running' && row.pid === launcher.pids().get(node) && !row.suspended,
            ),
          ),
      );
    });
  await settled();
  const live: LiveCluster = {
    cluster,
    prefix: `nexa.${cluster}.v1`,
    urls,
    servers,
    nodes,
    events,
    client,
    connect,
    pid,
    settled,
    signal: (node, signal) => void process.kill(pid(node), signal),
    heard: (event, node, from = 0) =>
      eventually(`the launcher tells ${event} of ${node}`, 60_000, () =>
        events.slice(from).find((each): each is Extract<LauncherEvent, { readonly event: typeof event }> => {
          return each.event === event && each.node === node;
        }),
      ),
    stop: () => (stopping ??= stop()),
    [Symbol.asyncDispose]: () => live.stop(),
  };
  return live;
}

/** The first value that is not undefined, false or null; polls, and says what was waited for when the deadline passes. */
export async function eventually<T>(
  what: string,
  withinMs: number,
  look: () => T | Promise<T>,
  everyMs = 20,
): Promise<Exclude<T, undefined | null | false>> {
  const endMs = performance.now() + withinMs;
  for (;;) {
    const seen = await look();
    if (seen !== undefined && seen !== null && seen !== false) return seen as Exclude<T, undefined | null | false>;
    if (performance.now() > endMs) throw new Error(`not within ${withinMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}

/** Measured figures, for the reader of a run. */
export const report = (line: string): void => void process.stderr.write(`    ${line}\n`);

export function send(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}

/** Whether that process runs; one that has ended and was not yet buried does not. */
export function alive(pid: number): boolean {
  if (!send(pid, 0)) return false;
  try {
    return !/^\d+ \(.*\) [ZX]/s.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return !existsSync('/proc/self');
  }
}

/** Processes whose environment or command line names this text; empty where the system does not tell. */
export function processesOf(text: string): readonly number[] {
  if (!existsSync('/proc/self/environ')) return [];
  const read = (pid: string, file: string): string => {
    try {
      return readFileSync(`/proc/${pid}/${file}`, 'latin1');
    } catch {
      return '';
    }
  };
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid && alive(Number(name)))
    .filter((pid) => read(pid, 'environ').includes(text) || read(pid, 'cmdline').includes(text))
    .map(Number);
}

export async function memoryOf(pid: number): Promise<number> {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? 0) * 1_024;
}
