import { verdictOf } from '../../../chaos/checkers/verdict.ts';
import type { Context } from '../../../src/actor/context.ts';
import type { Signal } from '../../../src/actor/signal.ts';
import type { System } from '../../../src/actor/system.ts';
import { NexaError } from '../../../src/errors.ts';
import type { SimNode } from '../../../supervisors/testkit/world.ts';
import { type Load, type Scene, upNodes, withDeadline } from './load.ts';

const IDS = ['w0', 'w1'] as const;
const GAP_MS = [500, 2_500] as const;
const AGAIN_MS = 700;

interface Watch {
  readonly type: 'watch';
  readonly id: string;
}

/** Agents that come and go, and on every node a watcher of each: told once of each end, and watching again a while later. */
export function watchers(scene: Scene): Load {
  const { world } = scene;
  const random = scene.random.fork('watchers');
  const violations: string[] = [];
  /** By watcher, what it watches at the moment; only of incarnations that live. */
  const watching = new Map<SimNode, Set<string>>();
  let spawns = 0;
  let end: () => void = () => undefined;
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });

  const behavior = (node: SimNode, system: System, present: Set<string>) => () => ({
    receive(context: Context<Watch>, { id }: Watch) {
      if (scene.signal.aborted) return;
      present.add(id);
      context.watch(system.unsafeRef<never>(`nexa:guest/${id}`));
    },
    signal(context: Context<Watch>, signal: Signal) {
      if (signal.signal !== 'terminated') return;
      const id = signal.ref.toJSON().split('/').at(-1) as string;
      if (!present.delete(id)) violations.push(`a watcher on ${node.name}.${node.incarnation} was told twice that ${id} ended`);
      context.after(AGAIN_MS, { type: 'watch', id });
    },
  });
  const watchEverywhere = (): void => {
    for (const node of upNodes(world)) {
      if (watching.has(node) || node.member === undefined) continue;
      const present = new Set<string>();
      watching.set(node, present);
      const { system } = node.member;
      const ref = system.spawn<Watch>({ behavior: behavior(node, system, present) as never });
      for (const id of IDS) ref.tell({ type: 'watch', id });
    }
  };
  const asked = (run: (node: SimNode) => Promise<unknown>): Promise<boolean> => {
    const up = upNodes(world);
    const node = up[random.between(0, up.length - 1)];
    if (node === undefined) return Promise.resolve(false);
    return withDeadline(scene, () => run(node)).then(
      () => true,
      (error) => error instanceof NexaError && error.code === 'no-such-actor',
    );
  };
  const stop = (id: string): Promise<boolean> =>
    asked(async ({ member }) => member?.agents.stop('guest', id, { forget: false, timeoutMs: scene.timeoutMs }));
  const act = async (): Promise<void> => {
    watchEverywhere();
    const id = IDS[random.between(0, IDS.length - 1)] as string;
    if (!scene.signal.aborted) {
      const spawnId = `${id}-${spawns++}`;
      await (random.next() < 0.6
        ? asked(async ({ member }) => member?.agents.spawn({ type: 'guest', id, spawnId, timeoutMs: scene.timeoutMs }))
        : stop(id));
    } else {
      const stopped = [];
      for (const each of IDS) stopped.push(await stop(each));
      if (stopped.every((each) => each)) return end();
    }
    world.clock.after(random.between(...GAP_MS), act);
  };

  return {
    async begin() {
      await act();
    },
    recovered: () => true,
    end: () => ended,
    unsettled: () =>
      [...watching].flatMap(([node, present]) =>
        node.alive ? [...present].map((id) => `a watcher on ${node.name}.${node.incarnation} was not told that ${id} ended`) : [],
      ),
    finish: async () => undefined,
    check: () => verdictOf(violations),
    operations: () => [],
  };
}
