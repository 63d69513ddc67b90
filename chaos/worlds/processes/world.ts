import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { clientOver } from '../../../src/client.ts';
import { subjects } from '../../../src/cluster/subject.ts';
import { NexaError } from '../../../src/errors.ts';
import { jsonLog } from '../../../src/log.ts';
import { connectNats } from '../../../src/nats/connection.ts';
import type { ReadyTarget } from '../../../src/nats-server/ready.ts';
import type { Clock } from '../../../src/ports/clock.ts';
import { inTime } from '../../../src/ports/in-time.ts';
import { systemRandom } from '../../../src/system-random.ts';
import type { Act, ActName, Place } from '../../act.ts';
import type { Tier } from '../../plan.ts';
import type { Exit, Link, World } from '../../world.ts';
import { keepLogs } from './keep-logs.ts';
import { leftBehind, removeFolder } from './left-behind.ts';
import { machineMs, type Opened, type Pids, type Setting, type StageEvent, type Way } from './stage/orders.ts';
import type { StageProcess } from './stage-process.ts';
import { endlessConsumers, leaderOf, type MonitorTarget } from './streams.ts';
import { type Tunnel, tunnel } from './tunnel.ts';

/** Longer than the longest of them takes: a server that retires. */
const ACT_MS = 90_000;
const WAY_MS = 20_000;
const LEAVE_MS = 20_000;
const CLOSE_MS = 60_000;
const POLL_MS = 50;
/** What a launcher takes at most to end after its node could not start: it has that declared gone first. */
const LAST_WORDS_MS = 10_000;

/** The world of real processes, as the drill's process sees it: what it wants done it tells the stage. */
export class ProcessWorld implements World {
  readonly kind = 'processes';
  readonly tier: Tier;
  readonly cluster: string;
  readonly clock: Clock;
  readonly versions: Readonly<Record<string, string>>;
  readonly #setting: Setting;
  readonly #logs: string | undefined;
  readonly #nodes = new Set<Place>();
  readonly #exits: Exit[] = [];
  /** From the machine's clock to the drill's. */
  readonly #offsetMs: number;
  readonly #links = new Set<Link>();
  readonly #tunnels: Tunnel[] = [];
  #opened: Opened = { servers: [], ports: [], cannot: {} };
  #clients: readonly Tunnel[] = [];
  #monitors: readonly (Tunnel & MonitorTarget)[] = [];
  #stage: StageProcess | undefined;
  #broken: string | undefined;
  #begun = false;
  #closing: Promise<readonly string[]> | undefined;

  constructor(options: {
    readonly setting: Setting;
    readonly clock: Clock;
    readonly versions: Readonly<Record<string, string>>;
    readonly logs?: string;
  }) {
    this.#setting = options.setting;
    this.#logs = options.logs;
    this.tier = options.setting.tier;
    this.cluster = options.setting.cluster;
    this.clock = options.clock;
    this.versions = options.versions;
    this.#offsetMs = options.clock.monotonicMs() - machineMs();
  }

  get nodes(): readonly Place[] {
    return [...this.#nodes];
  }
  /** What the environment of every process of this run says. */
  get mark(): string {
    return this.#setting.run;
  }
  /** Where the logs of its programs are, until it is closed. */
  get folder(): string {
    return this.#setting.folder;
  }
  get servers(): readonly Place[] {
    return this.#opened.servers.map(({ place }) => place);
  }
  get urls(): readonly string[] {
    return this.#clients.map(({ host, port }) => `nats://${host}:${port}`);
  }
  get exits(): readonly Exit[] {
    return this.#exits;
  }

  run<T>(drill: () => Promise<T>): Promise<T> {
    return drill();
  }

  cannot(act: ActName): string | undefined {
    return this.#opened.cannot[act];
  }

  async act(act: Act): Promise<void> {
    const added = act.act === 'start-node' && !this.#nodes.has(act.node) ? act.node : undefined;
    // In the order in which they were wanted, whichever is there first: places are drawn from this list.
    if (added !== undefined) this.#nodes.add(added);
    try {
      await this.#ask({ order: 'act', act }, ACT_MS);
    } catch (error) {
      if (added !== undefined) this.#nodes.delete(added);
      throw error;
    }
  }

  leader(): Promise<Place | undefined> {
    return leaderOf(`KV_${subjects(this.cluster).store('AGENTS')}`, this.#monitors);
  }

  async link(name: string, at = 0): Promise<Link> {
    const { urls } = this;
    const first = at % Math.max(1, urls.length);
    const connection = await connectNats({
      servers: [...urls.slice(first), ...urls.slice(0, first)],
      inOrder: true,
      ignoreClusterUpdates: true,
      name,
      role: 'client',
      clock: this.clock,
      random: systemRandom,
      log: jsonLog({ level: 'silent' }),
    });
    const transport = connection.transport();
    const client = clientOver({ transport, subjects: subjects(this.cluster), clock: this.clock, random: systemRandom });
    const link: Link = {
      transport,
      stores: connection.stores(),
      client,
      close: async () => {
        this.#links.delete(link);
        await client[Symbol.asyncDispose]();
        await connection.close();
      },
    };
    if (this.#closing !== undefined) {
      await link.close();
      throw new NexaError('disconnected', 'the world is closed');
    }
    this.#links.add(link);
    return link;
  }

  close(): Promise<readonly string[]> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** The stage, and the ways into it. */
  async take(stage: StageProcess, open: () => Promise<Opened>): Promise<void> {
    this.#stage = stage;
    void stage.ended.then((how) => {
      this.#broken ??= how;
    });
    this.#opened = await open();
    const way = async (from: Place, to: Place, port: number): Promise<Tunnel> => {
      const made = await tunnel((await this.#ask({ order: 'way', from, to, port }, WAY_MS)) as Way);
      this.#tunnels.push(made);
      return made;
    };
    this.#clients = await Promise.all(this.#opened.servers.map(({ place, port }) => way('client', place, port)));
    this.#monitors = await Promise.all(
      this.#opened.servers.map(async ({ place, monitorPort }) => ({ ...(await way('watch', place, monitorPort)), place })),
    );
  }

  /** The processes of a place as they are now; 0: it does not run. */
  async pids(place: Place): Promise<{ readonly own: number; readonly launcher: number }> {
    const { own, launcher } = (await this.#ask({ order: 'pids', place }, WAY_MS)) as Pids;
    return { own: own ?? 0, launcher: launcher ?? 0 };
  }

  get readyTargets(): readonly ReadyTarget[] {
    return this.#clients.map(({ host, port }, index) => ({ host, port, monitorPort: this.#monitors[index]?.port ?? 0 }));
  }

  heard(event: StageEvent): void {
    if (event.event !== 'exited' || this.#closing !== undefined) return;
    const { place, launcher, code, signal } = event;
    this.#exits.push({ place, ...(launcher ? { launcher } : {}), atMs: event.atMs + this.#offsetMs, code, signal });
    if (!this.#begun) this.#broken ??= `${launcher ? 'the launcher of ' : ''}${place} ended while starting (${signal ?? `code ${code}`})`;
  }

  /** From here on an end is an event like others. */
  begun(): void {
    this.#begun = true;
  }

  /** @throws NexaError `unavailable`: something has ended that should not. */
  requireWhole(): void {
    if (this.#closing !== undefined) throw new NexaError('cancelled', 'the world is closed');
    if (this.#broken !== undefined) throw new NexaError('unavailable', this.#broken, { retryable: false });
  }

  /** Resolves when each of these nodes sees all of them up. @throws NexaError `unavailable`. */
  async untilAllSeen(places: readonly Place[], withinMs: number): Promise<void> {
    const link = await this.link('opening');
    const untilMs = this.clock.monotonicMs() + withinMs;
    try {
      for (;;) {
        this.requireWhole();
        const views = await Promise.all(places.map((place) => link.client.cluster.nodes(place).catch(() => [])));
        const missing = places.flatMap((place, index) => {
          const unseen = places.filter((other) => !upIn(views[index]).includes(other));
          return unseen.length === 0 ? [] : [`${place} does not see ${unseen.join(' ')}`];
        });
        if (missing.length === 0) return;
        if (this.clock.monotonicMs() > untilMs) throw new NexaError('unavailable', `after ${withinMs} ms ${missing.join('; ')}`);
        await new Promise<void>((resolve) => void this.clock.after(POLL_MS, resolve));
      }
    } finally {
      await link.close();
    }
  }

  /** The ends of the logs of nodes and servers, at most 4 kB in all: for an error. */
  async lastWords(): Promise<string> {
    const { folder } = this.#setting;
    // A node that cannot start is outlived by its launcher, which says why.
    const untilMs = this.clock.monotonicMs() + LAST_WORDS_MS;
    const unsaid = () =>
      this.#exits.some(
        ({ place, launcher }) =>
          launcher !== true &&
          !this.servers.includes(place) &&
          !this.#exits.some((other) => other.place === place && other.launcher === true),
      );
    while (this.#closing === undefined && unsaid() && this.clock.monotonicMs() < untilMs)
      await new Promise<void>((resolve) => void this.clock.after(POLL_MS, resolve));
    const places = await readdir(folder).catch(() => []);
    const ends = await Promise.all(
      places.map(async (place) => {
        const files = ['node.log', 'stderr.log'].map((file) => readFile(join(folder, place, file), 'utf8').catch(() => ''));
        const text = (await Promise.all(files)).join('').trim();
        return text === '' ? '' : `${place}: ${text.slice(-800)}`;
      }),
    );
    return ends
      .filter((text) => text !== '')
      .join('\n')
      .slice(-4_096);
  }

  async #ask(order: Parameters<StageProcess['ask']>[0], timeoutMs: number): Promise<unknown> {
    if (this.#stage === undefined) throw new NexaError('unavailable', 'the world is not open', { retryable: false });
    return this.#stage.ask(order, timeoutMs);
  }

  async #close(): Promise<readonly string[]> {
    const left: string[] = [];
    const links = [...this.#links];
    await Promise.all(links.map((link) => inTime(this.clock, 5_000, link.close(), () => new Error('late')).catch(() => {})));
    if (this.#stage !== undefined) {
      left.push(...(await this.#leave().catch(() => [])));
      if (this.#logs !== undefined) await keepLogs(this.#setting.folder, this.#logs).catch(() => {});
      const problems = (await this.#ask({ order: 'close' }, CLOSE_MS).catch(() => [])) as readonly string[];
      left.push(...problems);
      await this.#stage.stop();
    }
    await Promise.all(this.#tunnels.map((each) => each.close()));
    await removeFolder(this.#setting.folder, this.tier);
    left.push(
      ...(await leftBehind({ run: this.#setting.run, ports: this.#opened.ports, folder: this.#setting.folder, clock: this.clock })),
    );
    return left;
  }

  /** While servers still keep state: nodes leave, and nobody's consumers may be left then. */
  async #leave(): Promise<readonly string[]> {
    if (!this.#begun || this.#broken !== undefined) return [];
    await this.#ask({ order: 'act', act: { act: 'heal' } }, WAY_MS);
    if ((await this.leader()) === undefined) return [];
    const leave = async (node: Place): Promise<void> => {
      if ((await this.pids(node)).launcher > 0) await this.#ask({ order: 'act', act: { act: 'stop-node', node } }, LEAVE_MS);
    };
    await Promise.all(this.nodes.map((node) => leave(node).catch(() => {})));
    return endlessConsumers(this.#monitors);
  }
}

/** Who is up, by a node's list of members. */
function upIn(view: unknown): readonly unknown[] {
  if (!Array.isArray(view)) return [];
  return (view as readonly { readonly node?: unknown; readonly state?: unknown; readonly suspended?: unknown }[])
    .filter(({ state, suspended }) => state === 'running' && suspended === false)
    .map(({ node }) => node);
}
