import { counter, register } from '../../actors/builtin/index.ts';
import { exactlyOnceCounter } from '../../chaos/checkers/exactly-once-counter.ts';
import { linearizable } from '../../chaos/checkers/linearizable.ts';
import { type CounterOp, type CounterResult, type RegisterOp, type RegisterResult, registerModel } from '../../chaos/checkers/models.ts';
import { oneOutcome } from '../../chaos/checkers/one-outcome.ts';
import { type Verdict, worstOf } from '../../chaos/checkers/verdict.ts';
import { recordHistory } from '../../chaos/history.ts';
import { counterWorkload } from '../../chaos/workloads/counter.ts';
import { registerWorkload } from '../../chaos/workloads/register.ts';
import { NexaError } from '../../src/errors.ts';
import { seededRandom } from '../../src/memory/random.ts';
import type { Random } from '../../src/ports/random.ts';
import { SimWorld } from './world.ts';

export interface SimResult {
  readonly seed: number;
  readonly verdict: Verdict;
  readonly events: readonly string[];
  readonly ok: number;
  readonly fail: number;
  readonly info: number;
  readonly takeovers: number;
  readonly suspensions: number;
  /** Rises with everything that happened, in its order: equal for equal runs. */
  readonly hash: number;
}

const NODES = ['n1', 'n2', 'n3'];
const KEYS = 3;
const TIMEOUT_MS = 4_000;

type Fault = (world: SimWorld, random: Random) => void;
const pick = <T>(random: Random, from: readonly T[]): T => from[Math.floor(random.next() * from.length)] as T;
const between = (random: Random, low: number, high: number): number => low + random.next() * (high - low);

const restart = (world: SimWorld, name: string, afterMs: number): void => {
  world.clock.after(afterMs, () => {
    if (world.nodes.get(name)?.alive === true) return;
    void world.start(name).catch((error) => world.note(`${name} could not start: ${error}`));
  });
};
const FAULTS: Readonly<Record<string, Fault>> = {
  'crash with proof': (world, random) => {
    const name = pick(random, NODES);
    world.crash(name, between(random, 1, 50));
    restart(world, name, between(random, 300, 3_000));
  },
  'crash without proof': (world, random) => {
    const name = pick(random, NODES);
    world.crash(name);
    restart(world, name, between(random, 300, 12_000));
  },
  pause: (world, random) => {
    const name = pick(random, NODES);
    world.pause(name);
    world.clock.after(between(random, 200, 9_000), () => world.resume(name));
  },
  isolate: (world, random) => {
    const name = pick(random, NODES);
    world.note(`${name} isolated`);
    world.network.faults.isolate(name);
    world.clock.after(between(random, 500, 12_000), () => {
      world.network.faults.heal(name);
      world.note(`${name} healed`);
    });
  },
  'store cut': (world, random) => {
    const name = pick(random, NODES);
    world.note(`${name} cut from the store`);
    if (random.next() < 0.5) world.network.faults.strand(name);
    else world.network.faults.cutStore(name);
    world.clock.after(between(random, 500, 12_000), () => {
      world.network.faults.heal(name);
      world.note(`${name} reaches the store again`);
    });
  },
  'one way': (world, random) => {
    const from = pick(random, NODES);
    const to = pick(random, NODES);
    world.note(`nothing from ${from} reaches ${to}`);
    world.network.faults.cut(from, to);
    world.clock.after(between(random, 500, 8_000), () => {
      world.network.faults.heal();
      world.note('all healed');
    });
  },
  election: (world, random) => {
    const ms = between(random, 3_000, 9_000);
    world.note(`store election of ${ms.toFixed(0)} ms`);
    world.network.faults.election(ms);
  },
};

/** One cluster of three nodes, clients and faults, from a seed; then everything heals, and what was seen is judged. */
export async function simulate(seed: number, options: { readonly trace?: boolean } = {}): Promise<SimResult> {
  const random = seededRandom(seed);
  const plan = random.fork('plan');
  // Swarm testing: each seed has some faults switched on, and others at zero.
  const on = (probability: number): boolean => plan.next() < probability;
  const world = new SimWorld({
    seed,
    definitions: [counter, register],
    trace: options.trace === true,
    faults: {
      link: { delayMs: [0, on(0.5) ? 20 : 2], drop: on(0.4) ? plan.next() * 0.05 : 0, duplicate: on(0.4) ? plan.next() * 0.05 : 0 },
      store: {
        delayMs: [0, on(0.5) ? 15 : 1],
        watchDelayMs: [0, on(0.5) ? 800 : 5],
        watchReset: on(0.3) ? plan.next() * 0.01 : 0,
        unknownApplied: on(0.4) ? plan.next() * 0.05 : 0,
        unknownLost: on(0.4) ? plan.next() * 0.05 : 0,
        late: on(0.4) ? plan.next() * 0.03 : 0,
        lateMs: [0, 4_000],
        staleRead: on(0.4) ? plan.next() * 0.2 : 0,
      },
    },
  });
  const kinds = Object.keys(FAULTS).filter(() => on(0.5));
  let takeovers = 0;
  let suspensions = 0;
  let hash = seed;
  const owners = new Map<string, { readonly node: string; readonly epoch: number }>();
  const violations: string[] = [];
  const watched = new WeakSet<object>();
  const observe = (): void => {
    for (const node of world.nodes.values()) {
      const { member } = node;
      if (member === undefined || watched.has(member)) continue;
      watched.add(member);
      member.system.events.subscribe((event) => {
        if (event.event === 'suspended') suspensions++;
        if (event.event !== 'activated' || event.address.kind !== 'agent') return;
        const name = `${event.address.type}/${event.address.id}`;
        const before = owners.get(name);
        world.note(`${name} activated on ${node.name} at epoch ${event.epoch}`);
        if (before !== undefined && before.node !== node.name) takeovers++;
        if (before !== undefined && before.epoch >= event.epoch) violations.push(`${name}: epoch ${event.epoch} after ${before.epoch}`);
        owners.set(name, { node: node.name, epoch: event.epoch });
        for (const other of world.nodes.values()) {
          if (other === node || !other.alive || other.member?.cluster.locals.acts(`${event.address.type}.${event.address.id}`) !== true) continue;
          violations.push(`${name}: ${other.name} may still act when ${node.name} activates at epoch ${event.epoch}`);
        }
      });
    }
  };
  const settleHash = (text: string): void => {
    for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193) >>> 0;
  };

  try {
    await world.form();
    await world.until(Promise.all(NODES.map((name) => world.start(name))), 120_000);
    observe();
    await world.run(1_500);
    const client = random.fork('client');
    const ask = async (agent: string, message: object, requestId: string): Promise<unknown> => {
      observe();
      const up = [...world.nodes.values()].filter((node) => node.alive && node.member !== undefined);
      if (up.length === 0) throw new NexaError('unavailable', 'no node is up');
      const { member } = pick(client, up);
      const ref = member?.system.unsafeRef<never>(`nexa:${agent}`) as unknown as { ask(message: object, options: object): Promise<unknown> };
      // The asker is a program of its own: its deadline holds even if the node that it asks through does not live to tell.
      return new Promise((resolve, reject) => {
        const cancel = world.clock.after(TIMEOUT_MS, () => reject(new NexaError('ask-timeout', 'no answer')));
        ref.ask(message, { timeoutMs: TIMEOUT_MS, requestId }).then(resolve, reject).finally(cancel);
      });
    };
    const spawner = world.nodes.get('n1')?.member;
    for (let key = 0; key < KEYS; key++) {
      for (const type of ['counter', 'register']) {
        let spawned = false;
        for (let tries = 0; !spawned && tries < 20; tries++) {
          const wish = { type, id: `k${key}`, spawnId: `${type}-${key}`, timeoutMs: 5_000 };
          spawned = await world.until(spawner?.agents.spawn(wish).then(() => true, () => false) ?? Promise.resolve(false));
        }
        if (!spawned) throw new Error(`${type}/k${key} could not be spawned`);
      }
    }
    const counts = recordHistory<CounterOp, CounterResult>({ clock: world.clock });
    const values = recordHistory<RegisterOp, RegisterResult>({ clock: world.clock });
    const abort = new AbortController();
    const common = { clock: world.clock, keys: KEYS, perKey: 80, perSecond: 4, clients: 3, timeoutMs: TIMEOUT_MS, signal: abort.signal };
    const work = Promise.all([
      counterWorkload({ ...common, history: counts, random: (key) => random.fork(`c${key}`), ask: (key, op, { requestId }) => ask(`counter/k${key}`, op, requestId) as Promise<CounterResult> }),
      registerWorkload({ ...common, history: values, random: (key) => random.fork(`r${key}`), ask: (key, op, { requestId }) => ask(`register/k${key}`, op, requestId) as Promise<RegisterResult> }),
    ]);
    // Safety: faults for a while. Liveness: then all is healed, and the cluster has to answer again.
    const untilMs = world.clock.monotonicMs() + 30_000;
    while (world.clock.monotonicMs() < untilMs && kinds.length > 0) {
      const kind = pick(plan, kinds);
      FAULTS[kind]?.(world, plan);
      await world.run(between(plan, 500, 7_000));
      observe();
    }
    if (kinds.length === 0) await world.run(30_000);
    world.note('everything heals');
    world.network.faults.heal();
    Object.assign(world.network.faults.link, { drop: 0, duplicate: 0 });
    Object.assign(world.network.faults.store, { unknownApplied: 0, unknownLost: 0, late: 0, staleRead: 0, watchReset: 0 });
    await world.run(5_000);
    abort.abort();
    await world.until(work, 60_000);
    const finals = new Map<number, number>();
    const unanswered: string[] = [];
    for (let key = 0; key < KEYS; key++) {
      for (let tries = 0; tries < 12 && !finals.has(key); tries++) {
        const read = await world.until(ask(`counter/k${key}`, { type: 'get' }, `final-${key}-${tries}`).then((reply) => (reply as CounterResult).value, (error) => error as NexaError));
        if (typeof read === 'number') finals.set(key, read);
        else {
          if (tries === 11) unanswered.push(`counter/k${key} does not answer after the heal: ${read.code} ${read.message}`);
          await world.run(3_000);
        }
      }
    }
    const nowMs = world.clock.monotonicMs();
    const verdict = worstOf([
      ...(violations.length + unanswered.length > 0 ? [{ verdict: 'bad', violations: [...violations, ...unanswered] } as const] : []),
      exactlyOnceCounter(counts.operations(), finals),
      linearizable(registerModel, values.operations(), { maxStates: 300_000 }),
      oneOutcome([...counts.asked(), ...values.asked()], { toleranceMs: 50, untilMs: nowMs }),
    ]);
    const operations = [...counts.operations(), ...values.operations()];
    for (const operation of operations) settleHash(JSON.stringify([operation.key, operation.op, operation.outcome, operation.invokedAtMs]));
    for (const event of world.events) settleHash(event);
    const outcomes = (outcome: string): number => operations.filter((operation) => operation.outcome === outcome).length;
    return { seed, verdict, events: world.events, ok: outcomes('ok'), fail: outcomes('fail'), info: outcomes('info'), takeovers, suspensions, hash };
  } finally {
    await world.close();
  }
}
