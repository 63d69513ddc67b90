import { counter, register } from '../../actors/builtin/index.ts';
import { convergence } from '../../chaos/checkers/convergence.ts';
import { exactlyOnceCounter } from '../../chaos/checkers/exactly-once-counter.ts';
import { linearizable } from '../../chaos/checkers/linearizable.ts';
import { type CounterOp, type CounterResult, type RegisterOp, type RegisterResult, registerModel } from '../../chaos/checkers/models.ts';
import { oneOutcome } from '../../chaos/checkers/one-outcome.ts';
import { type Verdict, verdictOf, worstOf } from '../../chaos/checkers/verdict.ts';
import { recordHistory } from '../../chaos/history.ts';
import { counterWorkload } from '../../chaos/workloads/counter.ts';
import { registerWorkload } from '../../chaos/workloads/register.ts';
import { NexaError } from '../../src/errors.ts';
import type { MemoryConnection } from '../../src/memory/network.ts';
import { type SeededRandom, seededRandom } from '../../src/memory/random.ts';
import { type SimOptions, SimWorld } from '../../supervisors/testkit/world.ts';
import { visitor } from './agents.ts';
import { churn } from './churn.ts';
import { observer, type Sometimes } from './observe.ts';
import { FAULTS, NODES, type Plan, planOf, settingsOf } from './plan.ts';

export interface SimResult {
  readonly seed: number;
  readonly verdict: Verdict;
  readonly seen: Sometimes;
  readonly ok: number;
  readonly fail: number;
  readonly info: number;
  /** Equal for equal runs: of every write, every message sent and every outcome, in their order. */
  readonly hash: number;
}

export interface SimulateOptions extends Pick<SimOptions, 'timesOf' | 'wireVersionsOf' | 'trace'> {
  /** Default: the one that the seed gives. */
  readonly plan?: Plan;
  /** Around the ports of a node, inside what the observer sees. */
  readonly breaks?: (name: string, connection: MemoryConnection) => MemoryConnection;
}

const KEYS = 3;
const TIMEOUT_MS = 4_000;
/** Faults go on for this long; what the plan still has is left out. */
const SAFETY_MS = 30_000;
/** After the heal every key has to answer within this, and every node to agree. Silent loss, a takeover, and a router's longest wait. */
const RECOVERED_MS = 20_000;

/** One cluster of three nodes, clients and faults, from a seed; then everything heals, and what was seen is judged. */
export async function simulate(seed: number, options: SimulateOptions = {}): Promise<SimResult> {
  const plan = options.plan ?? planOf(seed);
  const random = seededRandom(seed);
  const observed = observer();
  const world: SimWorld = new SimWorld({
    seed,
    definitions: [counter, register, visitor],
    faults: settingsOf(plan.weather),
    wrap: (name, connection) => observed.wrap(name, options.breaks?.(name, connection) ?? connection),
    onUp: (node, member) => observed.onUp(world, node, member),
    onOver: () => observed.seen.over++,
    ...(options.trace === undefined ? {} : { trace: options.trace }),
    ...(options.timesOf === undefined ? {} : { timesOf: options.timesOf }),
    ...(options.wireVersionsOf === undefined ? {} : { wireVersionsOf: options.wireVersionsOf }),
  });
  // A client's connection loses messages, but it never makes two of one.
  for (const node of NODES) world.network.faults.setLink('outside', node, { duplicate: 0 });
  try {
    await world.form();
    await world.until(Promise.all(NODES.map((name) => world.start(name))), 120_000);
    await world.run(1_500);
    const ask = asker(world, random.fork('client'));
    await spawnAll(world);
    const counts = recordHistory<CounterOp, CounterResult>({ clock: world.clock });
    const visits = recordHistory<CounterOp, CounterResult>({ clock: world.clock });
    const values = recordHistory<RegisterOp, RegisterResult>({ clock: world.clock });
    const abort = new AbortController();
    const common = { clock: world.clock, keys: KEYS, perKey: 200, perSecond: 3, clients: 3, timeoutMs: TIMEOUT_MS, signal: abort.signal };
    const work = Promise.all([
      counterWorkload({
        ...common,
        history: counts,
        random: (key) => random.fork(`c${key}`),
        ask: (key, op, { requestId }) => ask('counter', key, op, requestId) as Promise<CounterResult>,
      }),
      // Nobody spawns it, and it is put away between most of its messages.
      counterWorkload({
        ...common,
        perSecond: 1,
        history: visits,
        random: (key) => random.fork(`v${key}`),
        ask: (key, op, { requestId }) => ask('visitor', key, op, requestId) as Promise<CounterResult>,
      }),
      registerWorkload({
        ...common,
        history: values,
        random: (key) => random.fork(`r${key}`),
        ask: (key, op, { requestId }) => ask('register', key, op, requestId) as Promise<RegisterResult>,
      }),
    ]);
    const comingAndGoing = churn(world, random.fork('churn'));
    // Safety: faults for a while. Liveness: then all is healed, and the cluster has to answer again.
    const untilMs = world.clock.monotonicMs() + SAFETY_MS;
    for (const fault of plan.faults) {
      if (world.clock.monotonicMs() + fault.afterMs > untilMs) break;
      await world.run(fault.afterMs);
      FAULTS[fault.fault](world, fault);
    }
    await world.run(Math.max(0, untilMs - world.clock.monotonicMs()));
    await world.heal();
    const healedAtMs = world.clock.monotonicMs();
    await world.run(RECOVERED_MS);
    abort.abort();
    await world.until(Promise.all([work, comingAndGoing.end()]), 60_000);
    const finalsOf = async (type: string): Promise<ReadonlyMap<number, number>> => {
      const finals = new Map<number, number>();
      for (let key = 0; key < KEYS; key++) {
        const read = await world.until(ask(type, key, { type: 'get' }, `final-${key}`).catch(() => undefined));
        if (read !== undefined) finals.set(key, (read as CounterResult).value);
      }
      return finals;
    };
    const [finals, finalVisits] = [await finalsOf('counter'), await finalsOf('visitor')];
    await world.run(12_000);
    const up = [...world.nodes.values()].filter(({ alive, member }) => alive && member !== undefined);
    const views = up.map(({ name, member }) => [
      name,
      (member?.cluster.members.all() ?? [])
        .filter((each) => each.state !== 'gone')
        .map((each) => `${each.node}.${each.incarnation} ${each.state}`),
    ]);
    const recovered = { healedAtMs, withinMs: RECOVERED_MS, keys: [...Array(KEYS).keys()], views: new Map(views as [string, string[]][]) };
    const verdict = worstOf([
      verdictOf(observed.violations),
      verdictOf(NODES.filter((name) => !up.some((node) => node.name === name)).map((name) => `${name} is not up after the heal`)),
      exactlyOnceCounter(counts.operations(), finals),
      exactlyOnceCounter(visits.operations(), finalVisits),
      linearizable(registerModel, values.operations(), { maxStates: 300_000 }),
      oneOutcome([...counts.asked(), ...visits.asked(), ...values.asked()], { toleranceMs: 50, untilMs: world.clock.monotonicMs() }),
      convergence({ ...recovered, operations: counts.operations() }),
      convergence({ ...recovered, operations: visits.operations() }),
      convergence({ ...recovered, operations: values.operations() }),
      comingAndGoing.check(),
    ]);
    const operations = [...counts.operations(), ...visits.operations(), ...values.operations()];
    for (const { key, op, outcome, invokedAtMs, endedAtMs } of operations)
      observed.take(JSON.stringify([key, op, outcome, invokedAtMs, endedAtMs]));
    for (const event of world.events) observed.take(event);
    const outcomes = (outcome: string): number => operations.filter((operation) => operation.outcome === outcome).length;
    const { seen, hash } = observed;
    return { seed, verdict, seen, ok: outcomes('ok'), fail: outcomes('fail'), info: outcomes('info'), hash };
  } finally {
    await world.close();
  }
}

/** Asks through a node that is up, or from outside the cluster; its deadline holds even if that node does not live to tell. */
function asker(world: SimWorld, random: SeededRandom) {
  return async (type: string, key: number, message: object, requestId: string): Promise<unknown> => {
    const up = [...world.nodes.values()].filter((node) => node.alive && node.member !== undefined);
    if (up.length === 0) throw new NexaError('unavailable', 'no node is up');
    const { member } = up[random.between(0, up.length - 1)] as (typeof up)[number];
    if (random.next() < 0.5) {
      const given = { timeoutMs: TIMEOUT_MS, requestId };
      return (await world.outside.request(world.subjects.agent(type, `k${key}`), message, given)).reply;
    }
    return new Promise((resolve, reject) => {
      const cancel = world.clock.after(TIMEOUT_MS, () => reject(new NexaError('ask-timeout', 'no answer')));
      const ref = member?.system.unsafeRef<never>(`nexa:${type}/k${key}`) as unknown as Asks;
      ref.ask(message, { timeoutMs: TIMEOUT_MS, requestId }).then(resolve, reject).finally(cancel);
    });
  };
}
interface Asks {
  ask(message: object, options: object): Promise<unknown>;
}

async function spawnAll(world: SimWorld): Promise<void> {
  for (let key = 0; key < KEYS; key++) {
    for (const type of ['counter', 'register']) {
      let spawned = false;
      for (let tries = 0; !spawned && tries < 20; tries++) {
        const wish = { type, id: `k${key}`, spawnId: `${type}-${key}`, timeoutMs: 5_000 };
        const answer = world.nodes.get('n1')?.member?.agents.spawn(wish);
        spawned = await world.until(
          (answer ?? Promise.resolve()).then(
            () => answer !== undefined,
            () => false,
          ),
        );
      }
      if (!spawned) throw new Error(`${type}/k${key} could not be spawned`);
    }
  }
}
