import { join, resolve } from 'node:path';
import { NexaError } from '../errors.ts';
import { LOOPBACK } from './config.ts';
import { openDataFolder } from './data-folder.ts';
import type { NatsServerBinary } from './find.ts';
import { freePorts, portTaken, requireFree, type ServerPorts } from './ports.ts';
import { whenReady } from './ready.ts';
import { NatsServer } from './server.ts';
import { requireFit } from './version.ts';

export interface StartServersOptions {
  readonly binary: Pick<NatsServerBinary, 'path' | 'version'>;
  /** One, or three that replicate. */
  readonly count: 1 | 3;
  readonly folder: string;
  /** Every write reaches the disk before it is acknowledged. */
  readonly fsync?: boolean;
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** One entry per server; without it free ones are chosen. */
  readonly ports?: readonly ServerPorts[];
  /** The command line's flag for ports: errors name it. */
  readonly portFlag?: string;
  /** The servers' own cluster name. Default `nexa`. */
  readonly cluster?: string;
  /** Default 30,000. Large stores take longer to recover. */
  readonly readyTimeoutMs?: number;
  /** Further settings of each, in the server's own words. */
  readonly settings?: Readonly<Record<string, unknown>>;
}

/** Servers that this process started, and that end with it. */
export interface NatsServers extends AsyncDisposable {
  readonly servers: readonly NatsServer[];
  /** For clients, one per server. */
  readonly urls: readonly string[];
  readonly durability: 'quorum' | 'fsync';
  /** Resolves once all of them keep state again, as after `start`. @throws NexaError `unavailable` after `timeoutMs`. */
  ready(timeoutMs?: number): Promise<void>;
  /** All at once, each with SIGTERM and, after `graceMs` (default 5,000), SIGKILL. */
  stop(graceMs?: number): Promise<void>;
}

const PORT_TRIES = 3;

/**
 * Starts one server or three on this machine and resolves when state can be kept in them.
 * @throws NexaError `store-misconfigured` (version, data folder, configuration), `conflict` (a port or the folder is in use),
 * `unavailable` (not ready in time, or ended while starting, with the end of its log). Nothing runs then.
 */
export async function startNatsServers(options: StartServersOptions): Promise<NatsServers> {
  const { binary, count, host = '127.0.0.1', ports, portFlag = '--nats-port', cluster = 'nexa' } = options;
  requireFit(binary.version, { replicated: count > 1, where: binary.path });
  if (ports !== undefined && ports.length !== count)
    throw new NexaError('store-misconfigured', `${ports.length} sets of ports for ${count} servers`);
  const folder = resolve(options.folder);
  await openDataFolder(folder, { servers: count, cluster });
  if (ports !== undefined) await requireFree(ports, host, portFlag);
  for (let tries = 1; ; tries += 1) {
    const servers = configured({ ...options, host, cluster, folder }, ports ?? (await freePorts(count, host)));
    try {
      return await started(servers, options);
    } catch (error) {
      await Promise.all(servers.map((server) => server.kill()));
      if (!(error instanceof PortLost)) throw error;
      if (ports !== undefined || tries === PORT_TRIES) throw portTaken(undefined, host, portFlag, 'EADDRINUSE');
    }
  }
}

/** Another program was faster. */
class PortLost extends Error {}

function configured(
  options: StartServersOptions & { readonly host: string; readonly cluster: string },
  ports: readonly ServerPorts[],
): readonly NatsServer[] {
  const { binary, host, cluster, folder, settings, fsync = false } = options;
  const peers = ports.map((each) => `${LOOPBACK}:${each.cluster}`);
  return ports.map((own, index) => {
    const name = `n${index + 1}`;
    return new NatsServer({
      binary: binary.path,
      folder: join(folder, name),
      config: {
        name,
        host,
        port: own.client,
        monitorPort: own.monitor,
        fsync,
        ...(ports.length === 1 ? {} : { cluster: { name: cluster, port: own.cluster, peers } }),
      },
      ...(settings === undefined ? {} : { settings: () => settings }),
    });
  });
}

async function started(servers: readonly NatsServer[], options: StartServersOptions): Promise<NatsServers> {
  let ended: { readonly server: NatsServer; readonly how: string } | undefined;
  const cancels = servers.map((server) =>
    server.onExit(({ code, signal }) => {
      ended ??= { server, how: `${server.name} ended while starting (${signal ?? `code ${code}`})` };
    }),
  );
  const ready = (timeoutMs = options.readyTimeoutMs ?? 30_000, check = () => {}) =>
    whenReady(servers, { replicas: servers.length, timeoutMs, check });
  try {
    // All of them, even if one fails: none may appear after we gave up.
    const starts = await Promise.allSettled(servers.map((server) => server.start()));
    for (const start of starts) if (start.status === 'rejected') throw start.reason;
    await ready(undefined, () => {
      if (ended !== undefined) throw new NexaError('unavailable', ended.how);
    });
  } catch (error) {
    if (!(error instanceof NexaError) || error.code !== 'unavailable') throw error;
    const log = await (ended?.server ?? servers[0])?.tail();
    if (ended !== undefined && /address already in use/i.test(log ?? '')) throw new PortLost();
    throw new NexaError('unavailable', `${error.message}\n${log?.slice(-2_000)}`.trim(), {
      where: { folder: options.folder },
      cause: error,
    });
  } finally {
    for (const cancel of cancels) cancel();
  }
  const stop = async (graceMs?: number) => void (await Promise.all(servers.map((server) => server.stop(graceMs))));
  return {
    servers,
    urls: servers.map(({ url }) => url),
    durability: options.fsync === true ? 'fsync' : 'quorum',
    ready: (timeoutMs) => ready(timeoutMs),
    stop,
    [Symbol.asyncDispose]: () => stop(),
  };
}
