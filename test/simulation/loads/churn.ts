import { verdictOf } from '../../../chaos/checkers/verdict.ts';
import { NexaError } from '../../../src/errors.ts';
import { type Load, type Scene, upNodes, withDeadline } from './load.ts';

/** One of them keeps nothing: only ownership guards it, no fence of a state. */
const AGENTS = [
  ['counter', 'x0'],
  ['counter', 'x1'],
  ['guest', 'x2'],
] as const;
type Agent = (typeof AGENTS)[number];
const GAP_MS = [300, 1_500] as const;

/** Agents that come and go, asked for at whatever node is up, and from outside the cluster. */
export function churn(scene: Scene): Load {
  const { world } = scene;
  const random = scene.random.fork('churn');
  const created = new Map<string, number>();
  const violations: string[] = [];
  let spawns = 0;
  let end: () => void = () => undefined;
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  const someNode = () => (random.next() < 0.5 ? upNodes(world)[random.between(0, upNodes(world).length - 1)] : undefined);

  const spawn = async ([type, id]: Agent, spawnId: string, repeats: number): Promise<void> => {
    try {
      const answer = await withDeadline(scene, async () => {
        const node = someNode();
        if (node?.member !== undefined) return node.member.agents.spawn({ type, id, spawnId, timeoutMs: scene.timeoutMs });
        const reply = await world.outside.request(world.subjects.spawn, { type, id, spawnId }, { timeoutMs: scene.timeoutMs });
        return { created: reply.created === true };
      });
      if (answer.created) created.set(spawnId, (created.get(spawnId) ?? 0) + 1);
    } catch (error) {
      if (!(error instanceof NexaError)) violations.push(`a spawn rejected with ${String(error)}`);
      else if (!error.definite && repeats > 0) await spawn([type, id] as Agent, spawnId, repeats - 1);
    }
  };
  const stop = ([type, id]: Agent): Promise<void> =>
    withDeadline(scene, async () => {
      const node = someNode();
      if (node?.member !== undefined) return node.member.agents.stop(type, id, { forget: random.next() < 0.3, timeoutMs: scene.timeoutMs });
      await world.outside.request(world.subjects.agents, { type: 'stop', agent: type, id }, { timeoutMs: scene.timeoutMs });
    }).catch((error) => {
      if (!(error instanceof NexaError)) violations.push(`a stop rejected with ${String(error)}`);
    });
  const act = async (): Promise<void> => {
    if (scene.signal.aborted) return end();
    const agent = AGENTS[random.between(0, AGENTS.length - 1)] as Agent;
    await (random.next() < 0.6 ? spawn(agent, `s${spawns++}`, 2) : stop(agent));
    world.clock.after(random.between(...GAP_MS), act);
  };

  return {
    async begin() {
      world.clock.after(GAP_MS[0], act);
    },
    recovered: () => true,
    end: () => ended,
    unsettled: () => [],
    finish: async () => undefined,
    check() {
      for (const [spawnId, times] of created) if (times > 1) violations.push(`spawn ${spawnId} created ${times} agents`);
      return verdictOf(violations);
    },
    operations: () => [],
  };
}
