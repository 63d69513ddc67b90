import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { NexaError } from '../../../../src/errors.ts';
import { readMonitor } from '../../../../src/nats-server/monitor.ts';
import { freePorts, type ServerPorts } from '../../../../src/nats-server/ports.ts';
import { NatsServer } from '../../../../src/nats-server/server.ts';
import { systemClock } from '../../../../src/system-clock.ts';
import { plainEnvironment } from '../../../../supervisors/config.ts';
import type { Act, ActName, Place } from '../../../act.ts';
import type { Net, NetAct } from '../net.ts';
import { type Own, ownedBy } from '../owner.ts';
import { isLimitAct, isNetAct, noPlace, placesOf } from './act-kinds.ts';
import type { Limit, LimitAct } from './limits/limit.ts';
import { LIMITS } from './limits/limits.ts';
import { NodeProgram } from './node-program.ts';
import { ACT_NAMES, MARK, machineMs, type Opened, type Pids, type Setting, type StageEvent, type Way } from './orders.ts';
import { Ways } from './ways.ts';

/** Where nobody else is. */
const OWN_PORTS: ServerPorts = { client: 4_222, cluster: 6_222, monitor: 8_222 };
/** As short as the server takes it: a drill has few clients, and they leave one a second. */
const LAME_DUCK = { lame_duck_duration: '30s', lame_duck_grace_period: '1s' } as const;
/** Where the workloads run, and where the world looks from: the second is never cut off. */
const CLIENT = 'client';
const WATCH = 'watch';
const HEALTH_MS = 2_000;

interface Server {
  readonly ports: ServerPorts;
  readonly program: NatsServer;
  starting: Promise<void> | undefined;
}

/** The servers and nodes of one drill, each at its place of a net, and what is done to them. */
export class Stage {
  readonly #setting: Setting;
  readonly #net: Net;
  readonly #tell: (event: StageEvent) => void;
  readonly #own: Own;
  readonly #ways: Ways;
  readonly #servers = new Map<Place, Server>();
  readonly #nodes = new Map<Place, NodeProgram>();
  #limits: readonly Limit[] = [];
  #closing: Promise<readonly string[]> | undefined;

  /**
   * Nothing is started yet. @throws NexaError `unavailable`.
   * @param onBroken something of the stage itself has ended, and what happens from here on means nothing.
   */
  static async open(setting: Setting, net: Net, tell: (event: StageEvent) => void, onBroken: (error: NexaError) => void): Promise<Stage> {
    const stage = new Stage(setting, net, tell, onBroken);
    try {
      await stage.#open();
      return stage;
    } catch (error) {
      await stage.close();
      throw error;
    }
  }

  private constructor(setting: Setting, net: Net, tell: (event: StageEvent) => void, onBroken: (error: NexaError) => void) {
    this.#setting = setting;
    this.#net = net;
    this.#tell = tell;
    this.#own = ownedBy(setting.as);
    this.#ways = new Ways(net, setting.folder, this.#own, onBroken);
  }

  async #open(): Promise<void> {
    const { servers, natsServer, cluster, folder } = this.#setting;
    const net = this.#net;
    const places = Array.from({ length: servers }, (_, index) => `s${index + 1}`);
    const shared = net.tier === 'proxies' ? await freePorts(servers, '127.0.0.1') : undefined;
    const ports = places.map((_, index) => shared?.[index] ?? OWN_PORTS);
    for (const place of [...places, CLIENT, WATCH]) await net.add(place);
    this.#limits = await Promise.all(
      LIMITS.map((open) =>
        open({
          folder,
          clock: systemClock,
          wants: (act) => this.#setting.needs.includes(act),
          ownMounts: net.tier !== 'proxies',
          isPaused: (place) => this.#nodes.get(place)?.paused ?? this.#servers.get(place)?.program.state === 'paused',
          isHealthy: async (server) => {
            const way = await this.way(WATCH, server, this.#server(server).ports.monitor);
            return readMonitor('/healthz', way, HEALTH_MS).then(
              () => true,
              () => false,
            );
          },
          pid: (place) => this.#nodes.get(place)?.pid ?? this.#servers.get(place)?.program.pid,
          serverFolder: (server) => join(folder, server),
          own: this.#own,
          kill: (server) => this.act({ act: 'kill-server', server }),
          start: (server) => this.act({ act: 'start-server', server }),
          reload: (server) => this.#server(server).program.reload(),
        }),
      ),
    );
    const settingsOf = (place: Place) => Object.assign({}, LAME_DUCK, ...this.#limits.map((limit) => limit.settings?.(place)));
    for (const [index, place] of places.entries()) {
      const own = ports[index] as ServerPorts;
      const peers = await Promise.all(
        places.flatMap((peer, at) => (peer === place ? [] : [net.reach(place, peer, (ports[at] as ServerPorts).cluster)])),
      );
      mkdirSync(join(folder, place), { mode: 0o755 });
      // Written anew for each start, by us; it stays whose it is.
      writeFileSync(join(folder, place, 'server.conf'), '', { mode: 0o600 });
      for (const limit of this.#limits) await limit.prepare?.(place);
      this.#own(join(folder, place));
      const host = net.hostOf(place);
      const program = new NatsServer({
        binary: natsServer,
        folder: join(folder, place),
        under: net.at(place),
        settings: () => settingsOf(place),
        config: {
          name: place,
          host,
          port: own.client,
          monitorPort: own.monitor,
          monitorHost: host,
          fsync: false,
          ...(servers === 1
            ? {}
            : {
                // Peers dial each other by the ways they were given, and by no other that they hear of: nobody listens on port 1.
                cluster: { name: cluster, host, port: own.cluster, peers, advertise: `${host}:1` },
              }),
        },
      });
      program.onExit(({ code, signal }) => this.#tell({ event: 'exited', place, launcher: false, code, signal, atMs: machineMs() }));
      this.#servers.set(place, { ports: own, program, starting: undefined });
    }
  }

  get opened(): Opened {
    const servers = [...this.#servers].map(([place, { ports }]) => ({ place, port: ports.client, monitorPort: ports.monitor }));
    const taken = this.#net.tier === 'proxies' ? [...this.#servers.values()].flatMap(({ ports }) => Object.values(ports)) : [];
    return {
      servers,
      ports: taken,
      cannot: Object.fromEntries(
        ACT_NAMES.flatMap((act) => {
          const why = this.#cannot(act);
          return why === undefined ? [] : [[act, why]];
        }),
      ),
    };
  }

  way(from: Place, to: Place, port: number): Promise<Way> {
    return this.#ways.to(from, to, port);
  }

  pids(place: Place): Pids {
    const node = this.#nodes.get(place);
    return { own: node?.pid ?? this.#servers.get(place)?.program.pid ?? null, launcher: node?.launcherPid ?? null };
  }

  /** @throws NexaError `unavailable` when it cannot be done here, `invalid-message` for a place that is none. */
  async act(act: Act): Promise<void> {
    const why = this.#closing === undefined ? this.#cannot(act.act) : 'the stage is closing';
    if (why !== undefined) throw new NexaError('unavailable', `${act.act} cannot be done: ${why}`, { retryable: false });
    switch (act.act) {
      case 'start-node':
        return (await this.#nodeAt(act.node)).start();
      case 'kill-node':
        return this.#node(act.node).kill(act.silent);
      case 'stop-node':
        return this.#node(act.node).stop();
      case 'pause-node':
        return this.#node(act.node).pause(act.launcher);
      case 'resume-node':
        return this.#node(act.node).resume();
      case 'start-server':
        return this.#startServer(this.#server(act.server), act.server);
      case 'kill-server':
        await this.#server(act.server).starting?.catch(() => {});
        return this.#server(act.server).program.kill();
      case 'stop-server':
        return this.#server(act.server).program.retire();
      case 'pause-server':
        return this.#server(act.server).program.pause();
      case 'resume-server':
        return this.#server(act.server).program.resume();
      case 'heal':
        return this.#heal();
    }
    for (const place of placesOf(act)) this.#requirePlace(place);
    return isNetAct(act.act) ? this.#net.act(act as NetAct) : this.#limitFor(act.act)?.apply(act as LimitAct);
  }

  /** Kills everything, removes the folder. @returns what could not be removed. Idempotent. */
  close(): Promise<readonly string[]> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<readonly string[]> {
    const problems: string[] = [];
    const each = async (what: string, done: Promise<unknown>): Promise<void> => {
      await done.catch((error: unknown) => void problems.push(`${what}: ${error instanceof Error ? error.message : String(error)}`));
    };
    await Promise.all([
      ...[...this.#nodes].map(([place, node]) => each(`node ${place}`, node.close())),
      ...[...this.#servers].map(([place, { program, starting }]) =>
        each(
          `server ${place}`,
          (starting ?? Promise.resolve()).catch(() => {}).then(() => program.kill()),
        ),
      ),
    ]);
    for (const limit of this.#limits) await each('a limit', limit.close?.() ?? Promise.resolve());
    await each('the ways', this.#ways.close());
    await each('the net', this.#net.close());
    try {
      rmSync(this.#setting.folder, { recursive: true, force: true, maxRetries: 3 });
    } catch (error) {
      problems.push(`folder ${this.#setting.folder}: ${(error as Error).message}`);
    }
    return problems;
  }

  async #heal(): Promise<void> {
    await this.#net.act({ act: 'heal' });
    for (const limit of this.#limits) await limit.apply({ act: 'heal' });
    for (const node of this.#nodes.values()) node.resume();
    for (const { program } of this.#servers.values()) if (program.state === 'paused') program.resume();
  }

  #cannot(act: ActName): string | undefined {
    if (act === 'election' || act === 'strand' || act === 'unstrand') return 'it is of a simulation: kill or cut off a real server';
    if (isNetAct(act)) return this.#net.cannot(act);
    if (!isLimitAct(act)) return undefined;
    const limit = this.#limitFor(act);
    return limit === undefined ? 'nobody here knows how' : limit.cannot();
  }
  #limitFor(act: ActName): Limit | undefined {
    return this.#limits.find(({ acts }) => (acts as readonly ActName[]).includes(act));
  }

  #server(place: Place): Server {
    const server = this.#servers.get(place);
    if (server === undefined) throw noPlace(place, 'server');
    return server;
  }
  #node(place: Place): NodeProgram {
    const node = this.#nodes.get(place);
    if (node === undefined) throw noPlace(place, 'node');
    return node;
  }
  #requirePlace(place: Place): void {
    if (!this.#servers.has(place) && !this.#nodes.has(place) && place !== CLIENT) throw noPlace(place, 'place');
  }

  async #startServer(server: Server, place: Place): Promise<void> {
    server.starting ??= server.program.start().finally(() => {
      server.starting = undefined;
    });
    await server.starting;
    const { pid } = server.program;
    if (pid !== undefined) for (const limit of this.#limits) limit.started?.(place, pid);
  }

  /** A new name is a new machine. */
  async #nodeAt(place: Place): Promise<NodeProgram> {
    const there = this.#nodes.get(place);
    if (there !== undefined) return there;
    if (this.#servers.has(place) || place === CLIENT || place === WATCH) throw noPlace(place, 'node');
    const { folder, run, cluster, nexa, logLevel, agents, settings } = this.#setting;
    await this.#net.add(place);
    const reached = await Promise.all([...this.#servers].map(([server, { ports }]) => this.#net.reach(place, server, ports.client)));
    const node = new NodeProgram({
      place,
      folder: join(folder, place),
      command: [
        ...this.#net.at(place),
        ...this.#limits.flatMap((limit) => limit.under?.(place) ?? []),
        process.execPath,
        ...[nexa, 'node', '--name', place, '--replicas', String(this.#servers.size), '-o', 'json'],
        ...(agents === undefined ? [] : ['--agents', agents]),
      ],
      // Addresses with passwords belong into no command line.
      environment: () => ({
        ...plainEnvironment(),
        [MARK]: `${run}/${place}`,
        NEXA_NATS_URL: reached.map((address) => `nats://${this.#credentialsOf(place)}${address}`).join(','),
        NEXA_CLUSTER: cluster,
        NEXA_LOG: logLevel,
        ...Object.assign({}, ...this.#limits.map((limit) => limit.environment?.(place))),
      }),
      settings,
      own: this.#own,
      tell: this.#tell,
      onStarted: (pid) => {
        for (const limit of this.#limits) limit.started?.(place, pid);
      },
    });
    const other = this.#nodes.get(place);
    if (other !== undefined) return other;
    this.#nodes.set(place, node);
    return node;
  }

  #credentialsOf(node: Place): string {
    for (const limit of this.#limits) {
      const given = limit.credentials?.(node);
      if (given !== undefined) return `${encodeURIComponent(given.user)}:${encodeURIComponent(given.password)}@`;
    }
    return '';
  }
}
