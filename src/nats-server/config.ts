import { NexaError } from '../errors.ts';

/** What one server of ours is told. Ports are TCP ports; sizes are in bytes. */
export interface ServerConfig {
  readonly name: string;
  /** Where clients may reach it. Loopback unless somebody decided otherwise. */
  readonly host: string;
  readonly port: number;
  /** Health and statistics; unauthenticated, so on loopback unless `monitorHost` says otherwise. */
  readonly monitorPort: number;
  readonly monitorHost?: string;
  readonly storeDir: string;
  readonly logFile: string;
  readonly pidFile: string;
  /** `true`: every write reaches the disk before it is acknowledged (class fsync); else class quorum. */
  readonly fsync: boolean;
  readonly maxPayloadBytes?: number;
  readonly maxMemoryBytes?: number;
  readonly maxFileBytes?: number;
  /**
   * `peers`: `host:port` of the others' cluster ports, as this one reaches them; its own may be among them. `host`: loopback by default,
   * whatever that for clients is. `advertise`: what peers tell each other of its cluster port, instead of where they see it.
   */
  readonly cluster?: {
    readonly name: string;
    readonly host?: string;
    readonly port: number;
    readonly peers: readonly string[];
    readonly advertise?: string;
  };
  /** Further settings in the server's own words. What is set above goes before them. */
  readonly settings?: Readonly<Record<string, unknown>>;
}

export const LOOPBACK = '127.0.0.1';
const MIB = 1_048_576;

/**
 * The text of a server's configuration file. It is JSON, which the server's own format contains, so that no path or name can
 * mean anything but itself.
 * @throws NexaError `store-misconfigured` for a name, path or port that no server can have.
 */
export function serverConfig(config: ServerConfig): string {
  checkName(config.name, 'server name');
  if (config.cluster !== undefined) checkName(config.cluster.name, 'cluster name');
  for (const path of [config.storeDir, config.logFile, config.pidFile]) {
    if (!path.startsWith('/') || hasControlCharacter(path))
      throw misconfigured('path', path, 'Give an absolute path without control characters.');
  }
  for (const host of [config.host, config.monitorHost, config.cluster?.host]) if (host !== undefined) checkHost(host);
  for (const port of [config.port, config.monitorPort, config.cluster?.port]) if (port !== undefined) checkPort(port);
  for (const peer of [...(config.cluster?.peers ?? []), ...(config.cluster?.advertise ? [config.cluster.advertise] : [])]) checkPeer(peer);
  const settings = {
    ...config.settings,
    server_name: config.name,
    host: config.host,
    port: config.port,
    http: `${bracketed(config.monitorHost ?? LOOPBACK)}:${config.monitorPort}`,
    pid_file: config.pidFile,
    logfile: config.logFile,
    logfile_size_limit: 4 * MIB,
    logfile_max_num: 3,
    max_payload: config.maxPayloadBytes ?? MIB,
    // A peer or client that is gone without a word is noticed within 2–3 s.
    ping_interval: '1s',
    ping_max: 2,
    write_deadline: '2s',
    jetstream: {
      store_dir: config.storeDir,
      max_memory_store: config.maxMemoryBytes ?? 256 * MIB,
      ...(config.maxFileBytes === undefined ? {} : { max_file_store: config.maxFileBytes }),
      ...(config.fsync ? { sync_interval: 'always' } : {}),
    },
    ...(config.cluster === undefined
      ? {}
      : {
          cluster: {
            name: config.cluster.name,
            host: config.cluster.host ?? LOOPBACK,
            port: config.cluster.port,
            ...(config.cluster.advertise === undefined ? {} : { advertise: config.cluster.advertise }),
            // Clients keep the list they were given: an advertised address may be one that they cannot reach.
            no_advertise: true,
            routes: config.cluster.peers.map((peer) => `nats-route://${peer}`),
          },
        }),
  };
  return `${JSON.stringify(settings, null, 2)}\n`;
}

/** Where this machine itself reaches a server that listens on `host`: not every system lets one connect to a wildcard. */
export const reachable = (host: string): string => (host === '0.0.0.0' ? LOOPBACK : host === '::' ? '::1' : host);
/** A host as it stands in a URL. */
export const bracketed = (host: string): string => (host.includes(':') ? `[${host}]` : host);

function checkName(name: string, what: string): void {
  if (!/^[A-Za-z0-9_-]{1,64}$/.test(name)) throw misconfigured(what, name, 'Use 1 to 64 letters, digits, - or _.');
}
function checkHost(host: string): void {
  if (!/^[A-Za-z0-9.:-]{1,253}$/.test(host)) throw misconfigured('host', host, 'Give an IP address or a host name.');
}
function checkPort(port: number): void {
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw misconfigured('port', String(port), 'Give a port from 1 to 65535.');
}
function checkPeer(peer: string): void {
  const at = peer.lastIndexOf(':');
  checkHost(peer.slice(0, Math.max(at, 0)).replace(/^\[(.*)\]$/, '$1'));
  checkPort(Number(peer.slice(at + 1)));
}
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const hasControlCharacter = (text: string) => /[\u0000-\u001f\u007f]/.test(text);
const misconfigured = (what: string, value: string, fix: string) =>
  new NexaError('store-misconfigured', `bad ${what} for a server: ${JSON.stringify(value.slice(0, 200))}`, { fix });
