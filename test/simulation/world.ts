import type { Engine } from '../../src/actor/engine.ts';
import type { AnyAgent } from '../../src/agent/define.ts';
import { createCodec } from '../../src/cluster/codec.ts';
import { type ClusterTimes, DEFAULT_TIMES } from '../../src/cluster/config.ts';
import { form } from '../../src/cluster/formation.ts';
import { declareGone, join } from '../../src/cluster/join.ts';
import { subjects as subjectsOf } from '../../src/cluster/subject.ts';
import { nactEngine } from '../../src/engine/nact/engine.ts';
import { type FaultSettings, memoryNetwork, type MemoryNetwork } from '../../src/memory/network.ts';
import { seededRandom } from '../../src/memory/random.ts';
import { type VirtualClock, virtualClock } from '../../src/memory/virtual-clock.ts';
import type { Clock } from '../../src/ports/clock.ts';
import type { Logger } from '../../src/ports/logger.ts';
import type { Random } from '../../src/ports/random.ts';
import { type MemberNode, startMember } from '../../supervisors/member.ts';

const QUIET: Logger = { debug() {}, info() {}, warn() {}, error() {}, child: () => QUIET };

export interface SimNode {
  readonly name: string;
  readonly clock: NodeClock;
  member: MemberNode | undefined;
  incarnation: number;
  alive: boolean;
}

/** A machine's own view of time: its rate differs, and while the machine is paused nothing on it runs. */
export class NodeClock implements Clock {
  dead = false;
  readonly #base: VirtualClock;
  readonly #rate: number;
  #paused: (() => void)[] | undefined;

  constructor(base: VirtualClock, rate: number) {
    this.#base = base;
    this.#rate = rate;
  }
  monotonicMs = (): number => this.#base.monotonicMs() * this.#rate;
  wallMs = (): number => this.#base.wallMs();
  bootMs = (): number => this.#base.bootMs() * this.#rate;
  after(delayMs: number, run: () => void): () => void {
    let over = false;
    const fire = (): void => {
      if (over || this.dead) return;
      if (this.#paused !== undefined) this.#paused.push(fire);
      else {
        over = true;
        run();
      }
    };
    const cancel = this.#base.after(delayMs / this.#rate, fire);
    return () => {
      over = true;
      cancel();
    };
  }
  pause(): void {
    this.#paused ??= [];
  }
  resume(): void {
    const waiting = this.#paused ?? [];
    this.#paused = undefined;
    for (const run of waiting) this.#base.after(0, run);
  }
}

/** A whole cluster in this thread, under virtual time, from a seed: the product's own code on its memory parts. */
export class SimWorld {
  readonly clock = virtualClock();
  readonly random: Random;
  readonly network: MemoryNetwork;
  readonly subjects = subjectsOf('sim');
  readonly nodes = new Map<string, SimNode>();
  readonly engines: Engine[] = [];
  readonly events: string[] = [];
  readonly log: Logger;
  readonly times: ClusterTimes;
  readonly #definitions: readonly AnyAgent[];
  readonly #failures: unknown[] = [];

  constructor(options: { readonly seed: number; readonly definitions: readonly AnyAgent[]; readonly faults?: FaultSettings; readonly times?: ClusterTimes; readonly trace?: boolean }) {
    this.random = seededRandom(options.seed);
    this.times = options.times ?? DEFAULT_TIMES;
    this.#definitions = options.definitions;
    this.network = memoryNetwork({ clock: this.clock, random: seededRandom(options.seed ^ 0x9e3779b9), ...(options.faults === undefined ? {} : { faults: options.faults }) });
    const line = (level: string) => (fields: object, message: string) => {
      if (options.trace === true) console.log(`${this.clock.monotonicMs().toFixed(0).padStart(7)} ${level} ${message} ${JSON.stringify(fields)}`);
    };
    const log: Logger = { debug: () => {}, info: line('info'), warn: line('warn'), error: line('error'), child: (given) => ({ ...log, warn: (fields, message) => log.warn({ ...given, ...fields }, message), error: (fields, message) => log.error({ ...given, ...fields }, message) }) };
    this.log = log;
  }

  note(what: string): void {
    this.events.push(`${this.clock.monotonicMs().toFixed(0)} ${what}`);
    this.log.warn({}, what);
  }

  async form(): Promise<void> {
    const { stores } = this.network.connect('former');
    const formed = form({ stores, subjects: this.subjects, codec: createCodec(), clock: this.clock, replicas: 1, timeoutMs: 30_000, storeMs: 1_000 });
    await this.until(formed);
  }

  /** Joins and starts a node, as its launcher and its process would. */
  start(name: string): Promise<SimNode> {
    const clock = new NodeClock(this.clock, 0.96 + this.random.next() * 0.08);
    const node: SimNode = { name, clock, member: undefined, incarnation: 0, alive: true };
    this.nodes.set(name, node);
    return this.#start(node);
  }
  async #start(node: SimNode): Promise<SimNode> {
    const { name, clock } = node;
    const control = this.network.connect(name);
    const data = this.network.connect(name);
    const random = seededRandom(Math.floor(this.random.next() * 2 ** 32));
    const codec = createCodec();
    const session = random.id();
    const record = { state: 'joining', session, cordoned: false, labels: {}, capacity: 1, version: '0', wireVersions: [1], types: {} } as const;
    const members = control.stores.kv(this.subjects.store('MEMBERS'));
    const joined = await join({ members, codec, clock, times: this.times }, name, record, { timeoutMs: 120_000 });
    node.incarnation = joined.incarnation;
    const engine = nactEngine({ sliceMs: Number.POSITIVE_INFINITY, now: () => 0, onError: (error) => this.#failures.push(error) });
    this.engines.push(engine);
    node.member = await startMember(
      {
        node: name,
        joined: { ...joined, session },
        subjects: this.subjects,
        control,
        data,
        engine,
        clock,
        random,
        times: this.times,
        log: this.log.child({ node: name }),
        definitions: this.#definitions,
        onOver: (reason) => {
          this.note(`${name} over: ${reason}`);
          this.crash(name);
          this.clock.after(500, () => void this.start(name).catch((error) => this.note(`${name} could not restart: ${error}`)));
        },
      },
      { timeoutMs: 120_000 },
    );
    this.note(`${name}.${joined.incarnation} up`);
    return node;
  }

  /** SIGKILL. With proof of death the launcher says so at once; otherwise the others wait for the lease. */
  crash(name: string, proofAfterMs?: number): void {
    const node = this.nodes.get(name);
    if (node === undefined || !node.alive) return;
    node.alive = false;
    node.clock.dead = true;
    this.network.faults.crash(name);
    this.note(`${name} crashed`);
    if (proofAfterMs === undefined) return;
    this.clock.after(proofAfterMs, () => {
      const { stores, transport } = this.network.connect(`${name}-launcher`);
      const codec = createCodec();
      const members = stores.kv(this.subjects.store('MEMBERS'));
      void declareGone({ members, codec, clock: this.clock, times: this.times }, name, node.incarnation, { timeoutMs: 60_000 }).then(
        (revision) => {
          if (revision !== undefined) transport.publish(this.subjects.event('member'), codec.encode([name, revision]));
        },
        () => this.note(`${name} could not be declared gone`),
      );
    });
  }
  pause(name: string): void {
    this.nodes.get(name)?.clock.pause();
    this.network.faults.pause(name);
    this.note(`${name} paused`);
  }
  resume(name: string): void {
    this.network.faults.resume(name);
    this.nodes.get(name)?.clock.resume();
    this.note(`${name} resumed`);
  }

  /** Runs everything that follows from the last event; nothing real is waited for. */
  async settle(): Promise<void> {
    do {
      await new Promise<void>((resolve) => setImmediate(resolve));
    } while (this.engines.some((engine) => !engine.idle()));
  }
  async run(ms: number): Promise<void> {
    const untilMs = this.clock.monotonicMs() + ms;
    await this.settle();
    while (this.clock.step(untilMs - this.clock.monotonicMs())) await this.settle();
    if (this.#failures.length > 0) throw this.#failures[0];
  }
  /** Moves time until the promise settles, a virtual minute at most. */
  async until<T>(promise: Promise<T>, withinMs = 60_000): Promise<T> {
    let done = false;
    const watched = promise.finally(() => {
      done = true;
    });
    watched.catch(() => undefined);
    const untilMs = this.clock.monotonicMs() + withinMs;
    await this.settle();
    while (!done && this.clock.step(untilMs - this.clock.monotonicMs())) await this.settle();
    if (!done) throw new Error(`nothing came of it within ${withinMs} virtual ms`);
    return watched;
  }
  async close(): Promise<void> {
    for (const node of this.nodes.values()) {
      node.clock.dead = true;
      node.member?.cluster.close();
    }
    for (const engine of this.engines) engine.stop();
    await this.settle();
  }
}
