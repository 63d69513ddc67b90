import type { Engine } from '../../src/actor/engine.ts';
import { createCodec } from '../../src/cluster/codec.ts';
import { type ClusterTimes, DEFAULT_TIMES } from '../../src/cluster/config.ts';
import { form } from '../../src/cluster/formation.ts';
import { join } from '../../src/cluster/join.ts';
import { subjects as subjectsOf } from '../../src/cluster/subject.ts';
import { type Caller, createCaller } from '../../src/edge/caller.ts';
import { publicEdge } from '../../src/edge/public-edge.ts';
import { nactEngine } from '../../src/engine/nact/engine.ts';
import { type MemoryConnection, type MemoryNetwork, memoryNetwork } from '../../src/memory/network.ts';
import { type SeededRandom, seededRandom } from '../../src/memory/random.ts';
import { virtualClock } from '../../src/memory/virtual-clock.ts';
import type { Logger } from '../../src/ports/logger.ts';
import { WIRE_VERSIONS } from '../../src/version.ts';
import { startMember } from '../member.ts';
import { publicHandlers } from '../public-handlers.ts';
import { nodeRefs } from '../trees/node-tree.ts';
import { inImmediates } from './immediates.ts';
import { NodeClock } from './node-clock.ts';
import { proveGone } from './sim-launcher.ts';
import type { SimNode, SimOptions } from './sim-options.ts';
import { showNode } from './sim-tree.ts';
import { tracing } from './tracing.ts';

export type { SimNode, SimOptions } from './sim-options.ts';

const RELAUNCH_MS = 500;
const LONGEST_RELAUNCH_MS = 30_000;
/** Turns of the event loop, or timers of each node, without any time passing. */
const ENDLESS = 10_000;

/** A whole cluster in this thread, under virtual time, from a seed: the product's own code on its memory parts. */
export class SimWorld {
  readonly clock = virtualClock();
  readonly random: SeededRandom;
  readonly network: MemoryNetwork;
  readonly subjects = subjectsOf('sim');
  readonly nodes = new Map<string, SimNode>();
  readonly engines: Engine[] = [];
  readonly events: string[] = [];
  readonly log: Logger;
  readonly times: ClusterTimes;
  /** A program outside the cluster. */
  readonly outside: Caller;
  readonly #options: SimOptions;
  readonly #failures: unknown[] = [];
  #electionUntilMs = 0;
  #healed = false;

  constructor(options: SimOptions) {
    this.#options = options;
    this.random = seededRandom(options.seed);
    this.times = options.times ?? DEFAULT_TIMES;
    this.network = memoryNetwork({
      clock: this.clock,
      random: seededRandom(options.seed ^ 0x9e3779b9),
      ...(options.faults === undefined ? {} : { faults: options.faults }),
    });
    this.log =
      options.log ??
      tracing((line) => {
        if (options.trace === true) console.log(`${this.clock.monotonicMs().toFixed(0).padStart(7)} ${line}`);
      });
    this.outside = createCaller({
      subjects: this.subjects,
      transport: this.network.connect('outside').transport,
      codec: createCodec(),
      clock: this.clock,
      random: seededRandom(options.seed).fork('outside'),
    });
  }

  note(what: string): void {
    this.events.push(`${this.clock.monotonicMs().toFixed(0)} ${what}`);
    this.log.info({}, what);
  }

  async form(): Promise<void> {
    const { stores } = this.network.connect('former');
    await this.until(
      form({
        stores,
        subjects: this.subjects,
        codec: createCodec(),
        clock: this.clock,
        replicas: 1,
        timeoutMs: 30_000,
        storeMs: this.times.storeMs,
      }),
    );
  }

  /** Joins and starts a node, as its launcher and its process would. */
  async start(name: string): Promise<SimNode> {
    const rate = this.#options.drift === false ? 1 : 0.96 + this.random.next() * 0.08;
    const node: SimNode = { name, clock: new NodeClock(this.clock, rate), member: undefined, incarnation: 0, alive: true };
    this.nodes.set(name, node);
    try {
      await this.#boot(node);
      return node;
    } catch (error) {
      if (node.alive) this.#end(node);
      throw error;
    }
  }
  async #boot(node: SimNode): Promise<void> {
    const { definitions, wrap, timesOf, memoryOf, onUp } = this.#options;
    const { name, clock } = node;
    const connect = (): MemoryConnection => wrap?.(name, this.network.connect(name)) ?? this.network.connect(name);
    const [control, data] = [connect(), connect()];
    const random = seededRandom(Math.floor(this.random.next() * 2 ** 32));
    const times = timesOf?.(name) ?? this.times;
    const session = random.id();
    const wireVersions = this.#options.wireVersionsOf?.(name) ?? WIRE_VERSIONS;
    const record = {
      ...({ state: 'joining', session, cordoned: false, labels: {} } as const),
      ...{ capacity: 1, version: '0', wireVersions, types: {} },
    };
    const members = control.stores.kv(this.subjects.store('MEMBERS'));
    const joined = await join({ members, codec: createCodec(), clock, times }, name, record, { timeoutMs: 120_000 });
    node.incarnation = joined.incarnation;
    const engine = nactEngine({ sliceMs: Number.POSITIVE_INFINITY, now: () => 0, onError: (error) => this.#failures.push(error) });
    this.engines.push(engine);
    const log = this.log.child({ node: name });
    const member = await startMember(
      {
        ...{ node: name, joined: { ...joined, session }, subjects: this.subjects },
        ...{
          control,
          data,
          engine,
          clock,
          random,
          times,
          log,
          definitions: this.#options.definitionsOf?.(name) ?? definitions,
          known: this.#options.known ?? [],
          wireVersions,
        },
        ...{ labels: this.#options.labels?.[name] ?? {}, capacity: this.#options.capacity?.[name] ?? 1 },
        mostActive: this.#options.mostActive,
        admission: this.#options.admission,
        memory: memoryOf === undefined ? undefined : () => memoryOf(name),
        onOver: (reason) => this.#over(node, reason),
      },
      { timeoutMs: 120_000 },
    );
    node.member = member;
    if (this.#options.shown === true) {
      const shown = this.#options.definitionsOf?.(name) ?? definitions;
      const leave = (): void => void this.leave(name);
      showNode(member, { definitions: shown, transport: data.transport, subjects: this.subjects, clock, log, leave });
    }
    this.note(`${name}.${joined.incarnation} up`);
    onUp?.(node, member);
    const edge = publicEdge({
      ...{ transport: data.transport, subjects: this.subjects, clock, log, node: name, onDeadLetter: () => undefined },
      handlers: publicHandlers({ member, refs: nodeRefs(member) }),
      sheds: member.cluster.admission.sheds,
    });
    member.cluster.onServes((serves) => (serves ? edge.open() : edge.shut()));
    if (member.cluster.serves) edge.open();
  }
  /** As {@link start}, for when nobody waits for it; a start that fails is tried again, ever later. */
  relaunch(name: string, afterMs: number): void {
    this.clock.after(afterMs, () => {
      if (this.nodes.get(name)?.alive === true) return;
      this.start(name).catch((error) => {
        this.note(`${name} could not start: ${error}`);
        this.relaunch(name, Math.min(2 * afterMs, LONGEST_RELAUNCH_MS));
      });
    });
  }
  #over(node: SimNode, reason: 'declared-gone' | 'not-renewed'): void {
    this.note(`${node.name} over: ${reason}`);
    this.#options.onOver?.(node, reason);
    this.#end(node);
    if (this.#options.relaunches !== false) this.relaunch(node.name, RELAUNCH_MS);
  }
  #end(node: SimNode): void {
    node.alive = false;
    node.clock.dead = true;
    this.network.faults.crash(node.name);
  }

  /** SIGKILL. With proof of death the launcher says so at once; otherwise the others wait for the lease. */
  crash(name: string, proofAfterMs?: number): void {
    const node = this.nodes.get(name);
    if (node === undefined || !node.alive) return;
    this.#end(node);
    this.note(`${name} crashed`);
    if (proofAfterMs !== undefined) this.clock.after(proofAfterMs, () => void proveGone(this, node));
  }
  /** SIGTERM: it gives its agents back, and ends. */
  async leave(name: string, timeoutMs = 5_000): Promise<void> {
    const node = this.nodes.get(name);
    if (node?.member === undefined || !node.alive) return;
    this.note(`${name} leaves`);
    await node.member.cluster.leave({ timeoutMs });
    if (node.alive) this.#end(node);
    this.note(`${name} has left`);
  }
  pause(name: string, asleep = false): void {
    if (this.#healed) return;
    this.nodes.get(name)?.clock.pause(asleep);
    this.network.faults.pause(name);
    this.note(`${name} ${asleep ? 'asleep' : 'paused'}`);
  }
  resume(name: string): void {
    this.network.faults.resume(name);
    this.nodes.get(name)?.clock.resume();
    this.note(`${name} resumed`);
  }

  /** The store has no leader for so long. */
  election(ms: number): void {
    this.network.faults.election(ms);
    this.#electionUntilMs = Math.max(this.#electionUntilMs, this.clock.monotonicMs() + ms);
    this.note(`store election of ${ms.toFixed(0)} ms`);
  }
  /** Everything, once the store has a leader; from then on nothing is paused any more, whatever was planned. */
  async heal(): Promise<void> {
    await this.run(Math.max(0, this.#electionUntilMs - this.clock.monotonicMs()));
    this.note('everything heals');
    this.#healed = true;
    const { faults } = this.network;
    faults.heal();
    for (const [name, node] of this.nodes) if (node.alive) this.resume(name);
    Object.assign(faults.link, { drop: 0, duplicate: 0 });
    Object.assign(faults.store, { unknownApplied: 0, unknownLost: 0, late: 0, staleRead: 0, watchReset: 0 });
  }

  /** Runs everything that follows from the last event; nothing real is waited for. */
  async settle(): Promise<void> {
    for (let rounds = 0; ; rounds++) {
      await new Promise<void>((resolve) => setImmediate(resolve));
      if (this.engines.every((engine) => engine.idle())) return;
      if (rounds > ENDLESS) throw new Error(`at ${this.clock.monotonicMs()} ms an engine never comes to rest`);
    }
  }
  async run(ms: number): Promise<void> {
    await this.runWhile(() => true, ms);
  }
  /** Moves time as long as something is wanted, by `ms` at most; false: it was wanted to the end. */
  async runWhile(wanted: () => boolean, ms = Number.POSITIVE_INFINITY): Promise<boolean> {
    const untilMs = this.clock.monotonicMs() + ms;
    await this.#runUntil(untilMs, () => !wanted());
    if (this.#failures.length > 0) throw this.#failures[0];
    if (!wanted()) return true;
    if (Number.isFinite(untilMs)) this.clock.advance(untilMs - this.clock.monotonicMs());
    return false;
  }
  /** Moves time until the promise settles, a virtual minute at most. */
  async until<T>(promise: Promise<T>, withinMs = 60_000): Promise<T> {
    let done = false;
    const watched = promise.finally(() => {
      done = true;
    });
    watched.catch(() => undefined);
    await this.#runUntil(this.clock.monotonicMs() + withinMs, () => done);
    if (!done) throw new Error(`nothing came of it within ${withinMs} virtual ms`);
    return watched;
  }
  /**
   * Between two immediates of one turn of the event loop everything that follows from the first has run, as between two turns of it:
   * so a turn takes many steps.
   */
  async #runUntil(untilMs: number, done: () => boolean): Promise<void> {
    await this.settle();
    let atMs = this.clock.monotonicMs();
    let steps = 0;
    let restless = 0;
    /** False: there is nothing left to do. */
    const step = (): boolean => {
      if (this.engines.some((engine) => !engine.idle())) {
        if (++restless > ENDLESS) throw new Error(`at ${atMs} ms an engine never comes to rest`);
        return true;
      }
      restless = 0;
      steps = this.clock.monotonicMs() > atMs ? 0 : steps + 1;
      atMs = this.clock.monotonicMs();
      if (steps > ENDLESS * (1 + this.nodes.size)) throw new Error(`at ${atMs} ms time stands still: one timer sets the next without end`);
      return !done() && this.clock.step(untilMs - atMs);
    };
    await inImmediates(step);
  }
  async close(): Promise<void> {
    this.outside.close();
    for (const node of this.nodes.values()) {
      node.clock.dead = true;
      node.member?.cluster.close();
    }
    for (const engine of this.engines) engine.stop();
    await this.settle();
  }
}
