import type { NodeId } from '../../src/actor/address.ts';
import type { ActorSystem } from '../../src/actor/system.ts';
import type { Agents } from '../../src/agent/agents.ts';
import type { AnyAgent } from '../../src/agent/define.ts';
import { pacedTimes } from '../../src/cluster/config.ts';
import { NexaError } from '../../src/errors.ts';
import type { Logger } from '../../src/ports/logger.ts';
import { allTypes } from '../all-types.ts';
import type { NexaNode } from '../node-contract.ts';
import { known, knownNode, milliseconds, whole } from './given.ts';
import { split } from './partition.ts';
import { type Probe, startProbe } from './probe.ts';
import { Pump } from './pump.ts';
import { proveGone } from './sim-launcher.ts';
import { TestNode } from './test-node.ts';
import { SimWorld } from './world.ts';

/** A whole cluster in this thread, under virtual time, from a seed. The same code as in production on memory parts. */
export interface TestCluster extends Agents, AsyncDisposable {
  readonly seed: number;
  /** Its present incarnation of each, n1 first; one that is down is the last that was up. */
  readonly nodes: readonly NexaNode[];
  /** Of the test itself, which is a member too and runs no agents: plain actors, refs, what they watch. */
  readonly system: ActorSystem;
  /** Lets everything happen that is due now; returns when all is idle. */
  settle(): Promise<void>;
  /** Moves virtual time, firing what falls due in order, settling after each. @throws NexaError `invalid-message`. */
  advance(ms: number): Promise<void>;
  /**
   * SIGKILL. Its launcher says at once that it is gone, as that of `nexa node` does; `silent`: nobody does, as when a machine is
   * lost, and the others wait for its lease. It stays down until {@link restart}. @throws NexaError `invalid-message`.
   */
  crash(node: NodeId | null, options?: { readonly silent?: boolean }): void;
  /** Resolves when a new incarnation is up, about a second later; one that runs is killed first. @throws NexaError `invalid-message`, `unavailable`. */
  restart(node: NodeId): Promise<void>;
  /**
   * Nodes of different groups do not reach each other; those that are not named are one group more. The store, and the test, are
   * where most nodes are (with as many, in the group named first). Takes the place of an earlier one. @throws NexaError `invalid-message`.
   */
  partition(...groups: readonly (readonly NodeId[])[]): void;
  /** SIGSTOP for so long. @throws NexaError `invalid-message`. */
  pause(node: NodeId, ms: number): void;
  /** Ends every partition and pause. */
  heal(): void;
  /** @throws NexaError `conflict` for a name that is taken, `bad-id`. */
  probe<M>(name?: string): Probe<M>;
}
export interface TestClusterOptions {
  /** 1 … 100. Default 3: n1, n2, n3. */
  readonly nodes?: number;
  /** Besides the built-in types. */
  readonly agents?: readonly AnyAgent[];
  /** 0 … 2^32 − 1. Default 1: the same run every time. */
  readonly seed?: number;
  /** Default: nothing is logged. */
  readonly log?: Logger;
  /** How long each message and each way to the store takes, drawn from the seed: another seed, another order. Default: no time. */
  readonly delayMs?: readonly [minMs: number, maxMs: number];
  /**
   * How long a node's lease lives, 1,000 … 86,400,000. Every beat, renewal and round of the cluster has its pace, so that a month costs
   * seconds; a node that is lost silently, paused or cut off is noticed after it. Default six hours; 5,000 in production.
   */
  readonly leaseMs?: number;
  /** By node. */
  readonly labels?: Readonly<Record<NodeId, Readonly<Record<string, string>>>>;
}

/** The member that the test is. */
const HOME = 'test';
const LEASE_MS = 6 * 3_600_000;
/** From an exit to what its launcher says. */
const PROOF_MS = 10;
const START_MS = 300_000;

/** @throws NexaError `invalid-message` for an option, `invalid-definition` for two agents of one type. */
export async function testCluster(options: TestClusterOptions = {}): Promise<TestCluster> {
  const { delayMs } = options;
  const seed = whole('seed', options.seed ?? 1, 0, 2 ** 32 - 1);
  const count = whole('nodes', options.nodes ?? 3, 1, 100);
  const leaseMs = milliseconds('leaseMs', options.leaseMs ?? LEASE_MS, 1_000);
  if (delayMs !== undefined) milliseconds('delayMs', delayMs[1], milliseconds('delayMs', delayMs[0]));
  const names = [...Array(count).keys()].map((index) => `n${index + 1}`);
  known('labels', Object.keys(options.labels ?? {}), names);
  const types = allTypes(options.agents ?? []);

  const up = new Map<NodeId, TestNode>();
  const world: SimWorld = new SimWorld({
    seed,
    definitions: types,
    definitionsOf: (name) => (name === HOME ? [] : types),
    known: types,
    drift: false,
    times: pacedTimes(leaseMs),
    labels: options.labels ?? {},
    ...(options.log === undefined ? {} : { log: options.log }),
    ...(delayMs === undefined ? {} : { faults: { link: { delayMs }, store: { delayMs, watchDelayMs: delayMs } } }),
    onUp: (node, member) => void up.set(node.name, new TestNode(node, member, { world, pump })),
    onOver: (node, reason) =>
      ended(node.name, new NexaError('fenced', `this incarnation is over: ${reason}`, { where: { node: node.name } })),
  });
  const pump = new Pump(world, seed);
  const node = (name: NodeId): TestNode => {
    const found = up.get(name);
    if (found === undefined) throw new NexaError('unavailable', `node ${name} did not come up`, { where: { node: name } });
    return found;
  };
  const ended = (name: NodeId, error: NexaError): void => up.get(name)?.ended(error);
  const resumes = new Map<NodeId, () => void>();
  const open = (): void => {
    if (closing !== undefined) throw pump.closed();
  };
  let closing: Promise<void> | undefined;
  const crash = (name: NodeId, silent: boolean): void => {
    world.crash(name, silent ? undefined : PROOF_MS);
    ended(name, new NexaError('node-lost', 'the node was killed', { where: { node: name } }));
  };

  await world.form();
  await world.until(Promise.all([HOME, ...names].map((name) => world.start(name))), START_MS);
  // Until then nobody claims.
  await world.run(world.times.settleMs);
  const home = node(HOME);

  return {
    seed,
    get nodes() {
      return names.map(node);
    },
    system: home.system,
    agent: (protocol, id) => home.agent(protocol, id),
    spawn: home.spawn,
    stopAgent: home.stopAgent,
    settle: () => pump.move(() => world.run(0)),
    advance: (ms) => pump.move(() => world.run(milliseconds('ms', ms))),
    crash(name, { silent = false } = {}) {
      open();
      crash(knownNode(name, names), silent);
    },
    restart: (name) =>
      pump.move(async () => {
        knownNode(name, names);
        crash(name, true);
        await world.until(proveGone(world, node(name).sim), START_MS);
        await world.until(world.start(name), START_MS);
        await world.run(world.times.settleMs);
      }),
    partition(...groups) {
      open();
      known('groups', groups.flat(), names);
      split(world.network.faults, { groups, names, home: HOME });
    },
    pause(name, ms) {
      open();
      knownNode(name, names);
      milliseconds('ms', ms);
      resumes.get(name)?.();
      world.pause(name);
      resumes.set(
        name,
        world.clock.after(ms, () => world.resume(name)),
      );
    },
    heal() {
      open();
      world.network.faults.heal();
      for (const [name, cancel] of resumes) {
        cancel();
        world.resume(name);
      }
      resumes.clear();
    },
    probe(name) {
      open();
      return startProbe({ system: home.system, world, pump, name });
    },
    [Symbol.asyncDispose]() {
      closing ??= (async () => {
        pump.close();
        await world.close();
      })();
      return closing;
    },
  };
}
