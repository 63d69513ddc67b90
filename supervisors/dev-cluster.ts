import { join as joinPath } from 'node:path';
import { createCodec } from '../src/cluster/codec.ts';
import { form } from '../src/cluster/formation.ts';
import { subjects as subjectsOf } from '../src/cluster/subject.ts';
import { connectNats, type NatsLink } from '../src/nats/connection.ts';
import { diskCheck } from '../src/nats-server/disk-check.ts';
import { readDurability } from '../src/nats-server/durability.ts';
import { type Obtained, obtainNatsServer } from '../src/nats-server/obtain.ts';
import { freePorts, portsCheck, type ServerPorts } from '../src/nats-server/ports.ts';
import { type NatsServers, startNatsServers } from '../src/nats-server/servers.ts';
import type { Logger } from '../src/ports/logger.ts';
import { systemClock } from '../src/system-clock.ts';
import { systemRandom } from '../src/system-random.ts';
import { rawEnvironment } from './config.ts';
import type { NodeSettings } from './config-schema.ts';
import { type Launcher, type LauncherEvent, launch } from './launcher.ts';
import { requirePassed, selfTest } from './self-test.ts';
import type { StartNews } from './start-news.ts';

export interface DevClusterOptions {
  readonly servers: 1 | 3;
  readonly nodes: readonly string[];
  /** Of the first server's clients; the others' and all further ones are free ones. 0: free ones for all. */
  readonly natsPort: number;
  /** Where the servers keep their data. */
  readonly folder: string;
  readonly cluster: string;
  readonly agents?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly capacity?: number;
  /** Of the configuration file, for every node. */
  readonly settings?: NodeSettings;
  readonly fsync?: boolean;
  readonly logLevel: string;
  /** node's arguments that start a worker. */
  readonly command: readonly string[];
  readonly log: Logger;
  /** One line for whoever waits. */
  readonly onProgress: (line: string) => void;
  /** What is being done and looked at. */
  readonly onNews?: (news: StartNews) => void;
  /** On every line of every process's log. */
  readonly boot?: string;
  readonly onEvent?: (event: LauncherEvent) => void;
  /** Gives up starting. */
  readonly signal?: AbortSignal;
}

export interface DevCluster {
  readonly urls: readonly string[];
  readonly servers: NatsServers;
  readonly launcher: Launcher;
  readonly obtained: Obtained;
  /** Settles when the nodes have ended, whoever ended them. */
  readonly done: Promise<number>;
  /** Nodes leave, then the servers stop. Idempotent. */
  stop(): Promise<number>;
  /** At once. */
  stopNow(): Promise<void>;
}

const FORM_MS = 30_000;
const SERVER_INTENSITY = { maxRestarts: 10, withinMs: 60_000, afterMs: 200 } as const;

/**
 * Everything a developer needs, on this machine alone: nats-servers, a launcher, nodes. Nothing of it outlives this process.
 * @throws NexaError: no fit nats-server, a taken port, an unwritable folder, a node that does not start. Nothing runs then.
 */
export async function startDevCluster(options: DevClusterOptions): Promise<DevCluster> {
  const { onProgress, log, cluster } = options;
  const onNews = options.onNews ?? (() => {});
  const done = (step: string, message: string): void =>
    options.onNews === undefined ? onProgress(message) : onNews({ news: 'done', step, message });
  const replicated = options.servers > 1;
  const ports = options.natsPort === 0 ? undefined : await portsFrom(options.natsPort, options.servers);
  // Goes on while the server's binary is looked for.
  const tested = selfTest([diskCheck(options.folder), ...(ports === undefined ? [] : [portsCheck(ports, '127.0.0.1', '--nats-port')])], {
    clock: systemClock,
    onResult: (result) => onNews({ news: 'check', result }),
  });
  const obtained = await obtainNatsServer({
    env: rawEnvironment(),
    replicated,
    ...(options.signal === undefined ? {} : { signal: options.signal }),
    onProgress: ({ step, percent }) => onProgress(`fetching nats-server: ${step}${percent === undefined ? '' : ` ${percent} %`}`),
  });
  requirePassed((await tested).checks);
  onProgress(`nats-server ${obtained.binary.version} (${obtained.binary.path})`);
  onNews({ news: 'begun', step: 'servers', message: `starting ${options.servers} nats-server(s)` });
  const servers = await startNatsServers({
    binary: obtained.binary,
    count: options.servers,
    folder: joinPath(options.folder, `nats-${options.servers}`),
    cluster: 'nexa',
    portFlag: '--nats-port',
    ...(options.fsync === undefined ? {} : { fsync: options.fsync }),
    ...(ports === undefined ? {} : { ports }),
  });
  done('servers', `${servers.urls.length} nats-server(s) ready: ${servers.urls.join(' ')}`);
  let link: NatsLink | undefined;
  try {
    link = await connectNats({
      servers: servers.urls,
      name: 'nexa launcher',
      role: 'control',
      clock: systemClock,
      random: systemRandom,
      log,
    });
    const stores = link.stores();
    // Formed before the nodes start, so that their launcher can join for them.
    onNews({ news: 'begun', step: 'formation', message: `cluster ${cluster}` });
    const formed = await form({
      stores,
      subjects: subjectsOf(cluster),
      codec: createCodec(),
      clock: systemClock,
      replicas: options.servers,
      timeoutMs: FORM_MS,
      storeMs: 2_000,
    });
    if (options.onNews !== undefined)
      done('formation', `cluster ${cluster} formed: layout ${formed.layout}, ${formed.replicas} replica(s)`);
    const durability = await readDurability(
      servers.servers.map((server) => ({ port: server.monitorPort })),
      { timeoutMs: 2_000 },
    );
    const launcher = launch({
      workers: options.nodes.map((node) => ({
        node,
        cluster,
        nats: servers.urls,
        labels: options.labels ?? {},
        capacity: options.capacity ?? 1,
        logLevel: options.logLevel,
        replicas: options.servers,
        durability,
        ...(options.boot === undefined ? {} : { boot: options.boot }),
        ...(options.agents === undefined ? {} : { agents: options.agents }),
        ...options.settings,
      })),
      command: options.command,
      stores,
      transport: link.transport(),
      clock: systemClock,
      random: systemRandom,
      log,
      onEvent: (event) => {
        if (event.event === 'started') onNews({ news: 'begun', step: `node ${event.node}`, message: 'starting' });
        if (event.event === 'check') onNews({ news: 'check', node: event.node, result: event.result });
        if (event.event === 'ready') done(`node ${event.node}`, `node ${event.node} is up (pid ${event.pid})`);
        options.onEvent?.(event);
      },
    });
    const running = link;
    const leaveServers = keepServers(servers, log, onProgress);
    let ending: Promise<number> | undefined;
    const finish = async (code: number): Promise<number> => {
      leaveServers();
      await running.close();
      await servers.stop();
      return code;
    };
    const stop = (): Promise<number> => {
      launcher.stop();
      ending ??= launcher.done.then(finish);
      return ending;
    };
    if (options.signal?.aborted === true) void stop();
    else options.signal?.addEventListener('abort', () => launcher.stop(), { once: true });
    try {
      await Promise.race([launcher.ready, launcher.done]);
    } catch (error) {
      await stop();
      throw error;
    }
    return {
      urls: servers.urls,
      servers,
      launcher,
      obtained,
      done: launcher.done,
      stop,
      async stopNow() {
        leaveServers();
        launcher.stopNow();
        await Promise.all(servers.servers.map((server) => server.kill()));
        await running.close();
      },
    };
  } catch (error) {
    await link?.close();
    await servers.stop();
    throw error;
  }
}

/** A server that dies by itself is started again where it was; ours to kill are only those that we stop. */
function keepServers({ servers }: NatsServers, log: Logger, onProgress: (line: string) => void): () => void {
  const deaths: number[] = [];
  let over = false;
  const cancels = servers.map((server) =>
    server.onExit(({ expected, code, signal }) => {
      const nowMs = systemClock.monotonicMs();
      while (deaths.length > 0 && nowMs - (deaths[0] ?? 0) > SERVER_INTENSITY.withinMs) deaths.shift();
      if (expected || deaths.push(nowMs) > SERVER_INTENSITY.maxRestarts) return;
      onProgress(`nats-server ${server.name} ended (${signal ?? code}); starting it again`);
      systemClock.after(SERVER_INTENSITY.afterMs, () => {
        if (over) return;
        server
          .start()
          .catch((error: unknown) => log.error({ server: server.name, error: String(error) }, 'a nats-server could not be started again'));
      });
    }),
  );
  return () => {
    over = true;
    for (const cancel of cancels) cancel();
  };
}

async function portsFrom(first: number, count: number): Promise<readonly ServerPorts[]> {
  const free = await freePorts(count, '127.0.0.1');
  return free.map((ports, index) => ({ ...ports, client: first + index }));
}
