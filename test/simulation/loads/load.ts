import { convergence } from '../../../chaos/checkers/convergence.ts';
import { oneOutcome } from '../../../chaos/checkers/one-outcome.ts';
import { type Verdict, worstOf } from '../../../chaos/checkers/verdict.ts';
import { type Asked, type Operation, recordHistory } from '../../../chaos/history.ts';
import type { WorkloadOptions } from '../../../chaos/workloads/drive.ts';
import { NexaError } from '../../../src/errors.ts';
import type { SeededRandom } from '../../../src/memory/random.ts';
import type { SimNode, SimWorld } from '../../../supervisors/testkit/world.ts';
import type { Sometimes } from '../observe.ts';

/** What a load works on. */
export interface Scene {
  readonly world: SimWorld;
  readonly random: SeededRandom;
  /** Aborted when enough was asked for. */
  readonly signal: AbortSignal;
  /** Of every ask. */
  readonly timeoutMs: number;
  /** Some wall clock is set otherwise. */
  readonly wallJumps: boolean;
}

/** How the liveness of a run was watched. */
export interface Healing {
  readonly healedAtMs: number;
  /** What one key may take to answer after that. */
  readonly withinMs: number;
}

/** One kind of work for a cluster, and what must have come of it. */
export interface Load {
  /** Before any fault. Resolves when it is under way. */
  begin(): Promise<void>;
  /** Whether all of it has been seen to work since. */
  recovered(sinceMs: number): boolean;
  /** Resolves when what it asked for is answered or given up, and nothing more will be. */
  end(): Promise<void>;
  /** What has to hold at some time soon once everything is quiet, and from then on; the complaints meanwhile. */
  unsettled(): readonly string[];
  /** Reads what it ended with. Once, when all is settled. */
  finish(): Promise<void>;
  check(healing: Healing): Verdict;
  operations(): readonly Operation<unknown, unknown>[];
  /** What else happened in it. */
  seen?(): Partial<Sometimes>;
}

const KEYS = 2;

export const upNodes = (world: SimWorld): SimNode[] =>
  [...world.nodes.values()].filter(({ alive, member }) => alive && member !== undefined);

/** Rejects in time even if the node that was asked does not live to answer. */
export function withDeadline<T>({ world, timeoutMs }: Scene, run: () => Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancel = world.clock.after(timeoutMs, () => reject(new NexaError('ask-timeout', 'no answer')));
    run().then(resolve, reject).finally(cancel);
  });
}

interface Asks {
  ask(message: object, options: object): Promise<unknown>;
}

/** Asks through a node that is up, or from outside the cluster. */
export async function askFor(
  scene: Scene,
  random: SeededRandom,
  agent: readonly [type: string, id: string],
  message: object,
  requestId: string,
) {
  const { world } = scene;
  const up = upNodes(world);
  const node = up[random.between(0, up.length - 1)];
  if (node?.member === undefined) throw new NexaError('unavailable', 'no node is up');
  const given = { timeoutMs: scene.timeoutMs, requestId };
  if (random.next() < 0.5) return (await world.outside.request(world.subjects.agent(...agent), message, given)).reply;
  const ref = node.member.system.unsafeRef<never>(`nexa:${agent.join('/')}`) as unknown as Asks;
  return withDeadline(scene, () => ref.ask(message, given));
}

/** What an agent says of itself, asked for until it says it; undefined: it never does. */
export function reader<Said>(scene: Scene, random: SeededRandom, type: string): (id: string) => Promise<Said | undefined> {
  let asked = 0;
  return async (id) => {
    for (let tries = 0; tries < 5; tries++) {
      const said = await askFor(scene, random, [type, id], { type: 'read' }, `read-${asked++}`).catch(() => undefined);
      if (said !== undefined) return said as Said;
    }
    return undefined;
  };
}

/** Asks for it until it is there. */
export async function spawned(scene: Scene, type: string, id: string): Promise<void> {
  const { world } = scene;
  for (let tries = 0; tries < 20; tries++) {
    const node = upNodes(world)[0]?.member;
    const done = node?.agents.spawn({ type, id, spawnId: `${type}-${id}`, timeoutMs: scene.timeoutMs }).then(
      () => true,
      () => false,
    );
    if ((await done) === true) return;
    await new Promise<void>((resolve) => void world.clock.after(200, resolve));
  }
  throw new Error(`${type}/${id} could not be spawned`);
}

/** A load of asks to a few agents of one type, recorded and judged by a checker of chaos/. */
export function asks<Op extends object, Result>(given: {
  readonly type: string;
  /** False: it comes on demand. */
  readonly spawns?: boolean;
  readonly perSecond: number;
  readonly drive: (options: WorkloadOptions<Op, Result>) => Promise<void>;
  /** What is asked of each when all is quiet. */
  readonly final: Op;
  readonly judge: (operations: readonly Operation<Op, Result>[], finals: ReadonlyMap<number, Result>) => Verdict;
}): (scene: Scene) => Load {
  return (scene) => {
    const { type } = given;
    const { clock } = scene.world;
    const random = scene.random.fork(type);
    const keys = [...Array(KEYS).keys()];
    const history = recordHistory<Op, Result>({ clock });
    const finals = new Map<number, Result>();
    let work: Promise<void> = Promise.resolve();
    const ask = (key: number, op: Op, requestId: string) => askFor(scene, random, [type, `k${key}`], op, requestId) as Promise<Result>;
    return {
      async begin() {
        if (given.spawns !== false) for (const key of keys) await spawned(scene, type, `k${key}`);
        work = given.drive({
          ...{ clock, keys: KEYS, perKey: 200, perSecond: given.perSecond, clients: 3, timeoutMs: scene.timeoutMs, signal: scene.signal },
          history,
          random: (key) => random.fork(`k${key}`),
          ask: (key, op, { requestId }) => ask(key, op, requestId),
        });
      },
      recovered(sinceMs) {
        const answered = new Set<number>();
        for (const { key, outcome, invokedAtMs } of history.operations()) if (outcome === 'ok' && invokedAtMs >= sinceMs) answered.add(key);
        return answered.size === KEYS;
      },
      end: () => work,
      unsettled: () => [],
      async finish() {
        for (const key of keys)
          await ask(key, given.final, `final-${key}`).then(
            (result) => finals.set(key, result),
            () => undefined,
          );
      },
      check: (healing) =>
        worstOf([
          given.judge(history.operations(), finals),
          oneOutcome(history.asked() as readonly Asked[], { toleranceMs: 50, untilMs: clock.monotonicMs() }),
          convergence({ ...healing, keys, operations: history.operations(), views: new Map() }),
        ]),
      operations: history.operations,
    };
  };
}
