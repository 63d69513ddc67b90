import { type Verdict, verdictOf } from '../../chaos/checkers/verdict.ts';
import type { LocalAgents } from '../../src/cluster/local-agents.ts';
import { NexaError } from '../../src/errors.ts';
import type { SeededRandom } from '../../src/memory/random.ts';
import type { SimNode, SimWorld } from '../../supervisors/testkit/world.ts';

const AGENTS = ['x0', 'x1', 'x2'];
const TIMEOUT_MS = 4_000;
const GAP_MS = [300, 1_500] as const;

export interface Churn {
  /** Resolves when what was asked for is answered or given up. */
  end(): Promise<void>;
  /** Once everything is quiet: the registry is the live set, and no spawn id created twice. */
  check(): Verdict;
}

/** W7: counters that come and go, asked for at whatever node is up, and from outside the cluster. */
export function churn(world: SimWorld, random: SeededRandom): Churn {
  const created = new Map<string, number>();
  const violations: string[] = [];
  let over = false;
  let spawns = 0;
  let done: () => void = () => undefined;
  const ended = new Promise<void>((resolve) => {
    done = resolve;
  });
  const up = (): SimNode[] => [...world.nodes.values()].filter((node) => node.alive && node.member !== undefined);
  const within = <T>(run: () => Promise<T>): Promise<T> =>
    new Promise((resolve, reject) => {
      const cancel = world.clock.after(TIMEOUT_MS, () => reject(new NexaError('ask-timeout', 'no answer')));
      run().then(resolve, reject).finally(cancel);
    });
  const spawn = async (id: string, spawnId: string, repeats: number): Promise<void> => {
    try {
      const answer = await within(async () => {
        const node = random.next() < 0.5 ? up()[random.between(0, up().length - 1)] : undefined;
        if (node?.member !== undefined) return node.member.agents.spawn({ type: 'counter', id, spawnId, timeoutMs: TIMEOUT_MS });
        const reply = await world.outside.request(world.subjects.spawn, { type: 'counter', id, spawnId }, { timeoutMs: TIMEOUT_MS });
        return { created: reply.created === true };
      });
      if (answer.created) created.set(spawnId, (created.get(spawnId) ?? 0) + 1);
    } catch (error) {
      if (!(error instanceof NexaError)) violations.push(`a spawn rejected with ${String(error)}`);
      else if (!error.definite && repeats > 0) await spawn(id, spawnId, repeats - 1);
    }
  };
  const stop = (id: string): Promise<void> =>
    within(async () => {
      const node = random.next() < 0.5 ? up()[random.between(0, up().length - 1)] : undefined;
      if (node?.member !== undefined) return node.member.agents.stop('counter', id, { forget: random.next() < 0.3, timeoutMs: TIMEOUT_MS });
      await world.outside.request(world.subjects.agents, { type: 'stop', agent: 'counter', id }, { timeoutMs: TIMEOUT_MS });
    }).catch((error) => {
      if (!(error instanceof NexaError)) violations.push(`a stop rejected with ${String(error)}`);
    });
  const act = async (): Promise<void> => {
    const id = AGENTS[random.between(0, AGENTS.length - 1)] as string;
    await (random.next() < 0.6 ? spawn(id, `s${spawns++}`, 2) : stop(id));
    if (over) done();
    else world.clock.after(random.between(...GAP_MS), act);
  };
  world.clock.after(GAP_MS[0], act);

  return {
    end() {
      over = true;
      return ended;
    },
    check() {
      for (const [spawnId, times] of created) if (times > 1) violations.push(`spawn ${spawnId} created ${times} agents`);
      return verdictOf([...violations, ...registryIsLiveSet(world)]);
    },
  };
}

/** Put away, and at its node all the same. */
const isPassive = (locals: LocalAgents, key: string): boolean =>
  locals.views().some(({ type, id, state }) => state === 'passive' && `${type}.${id}` === key);

/** What the records of every node say is what runs, where they say, once. */
export function registryIsLiveSet(world: SimWorld): readonly string[] {
  const up = [...world.nodes.values()].flatMap(({ alive, member }) => (alive && member !== undefined ? [member.cluster] : []));
  return up.flatMap(({ self, places, locals }) => [
    ...[...places.entries()].flatMap(({ key, value }) => {
      const acting = up.filter((cluster) => cluster.locals.acts(key) || isPassive(cluster.locals, key)).map((cluster) => cluster.self.node);
      const due = value.desired !== 'running' ? 'nobody' : (value.owner?.node ?? 'nobody, though it is to run');
      const runs = acting.length === 0 ? 'nobody' : acting.join(' and ');
      return runs === due ? [] : [`${key}: ${self.node} reads that ${due} runs it; ${runs} does`];
    }),
    ...locals
      .views()
      .flatMap(({ type, id }) =>
        places.get(`${type}.${id}`) === undefined ? [`${type}/${id} runs on ${self.node} without a record`] : [],
      ),
  ]);
}
