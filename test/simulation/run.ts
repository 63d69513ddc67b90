import { counter, register } from '../../actors/builtin/index.ts';
import { type Verdict, verdictOf, worstOf } from '../../chaos/checkers/verdict.ts';
import type { MemoryConnection } from '../../src/memory/network.ts';
import { seededRandom } from '../../src/memory/random.ts';
import type { Clock } from '../../src/ports/clock.ts';
import { type SimOptions, SimWorld } from '../../supervisors/testkit/world.ts';
import { alarm, guest, journal, letterbox, list, notebook, visitor } from './agents.ts';
import { disagreements, notUp, registryIsLiveSet } from './live-set.ts';
import { LOADS } from './loads/index.ts';
import { observer, type Sometimes } from './observe.ts';
import { FAULTS, nodesOf, type Plan, planOf, settingsOf } from './plan.ts';

export interface SimResult {
  readonly seed: number;
  readonly verdict: Verdict;
  readonly seen: Sometimes;
  readonly ok: number;
  readonly fail: number;
  readonly info: number;
  /** How long the cluster took after the heal until all of it was seen to work, and how long the whole run was. */
  readonly recoveredMs: number;
  readonly virtualMs: number;
  /** Equal for equal runs: of every write, every message sent and every outcome, in their order. */
  readonly hash: number;
}

export interface SimulateOptions extends Pick<SimOptions, 'timesOf' | 'wireVersionsOf' | 'trace'> {
  /** Default: the one that the seed gives. */
  readonly plan?: Plan;
  /** Around the ports of a node, inside what the observer sees. */
  readonly breaks?: (name: string, connection: MemoryConnection, clock: Clock) => MemoryConnection;
}

const TIMEOUT_MS = 4_000;
/** Faults go on for this long; what the plan still has is left out. */
const SAFETY_MS = 15_000;
/** After the heal every key has to answer within this, and every node to agree. Silent loss, a takeover, and a router's longest wait. */
const RECOVERED_MS = 20_000;
/** What was written late may arrive until then. */
const LATE_MS = 5_500;
/** How long what nobody asks for any more may take to be where its record says. */
const SETTLED_MS = 12_000;
const LOOK_MS = 500;

/** One cluster, its work and faults, from a seed; then everything heals, and what was seen is judged. */
export async function simulate(seed: number, options: SimulateOptions = {}): Promise<SimResult> {
  const plan = options.plan ?? planOf(seed);
  const names = nodesOf(plan);
  const observed = observer();
  const world: SimWorld = new SimWorld({
    seed,
    definitions: [counter, register, visitor, list, guest, journal, letterbox, alarm, notebook],
    faults: settingsOf(plan.weather),
    wrap: (name, connection) => observed.wrap(name, options.breaks?.(name, connection, world.clock) ?? connection),
    onUp: (node, member) => observed.onUp(world, node, member),
    onOver: () => observed.seen.over++,
    ...(options.trace === undefined ? {} : { trace: options.trace }),
    ...(options.timesOf === undefined ? {} : { timesOf: options.timesOf }),
    ...(options.wireVersionsOf === undefined ? {} : { wireVersionsOf: options.wireVersionsOf }),
  });
  // A client's connection loses messages, but it never makes two of one.
  for (const node of names) world.network.faults.setLink('outside', node, { duplicate: 0 });
  const nowMs = (): number => world.clock.monotonicMs();
  /** Until it holds, as long as it is allowed to take; it is looked at each half second. */
  const wait = async (mostMs: number, holds: () => boolean): Promise<void> => {
    const untilMs = nowMs() + mostMs;
    while (nowMs() < untilMs && !holds()) await world.run(LOOK_MS);
  };
  // Nobody reads the stacks of errors that are outcomes, and each costs more than the ask it answers.
  const { stackTraceLimit } = Error;
  if (options.trace !== true) Error.stackTraceLimit = 0;
  try {
    await world.form();
    await world.until(Promise.all(names.map((name) => world.start(name))), 120_000);
    await world.run(1_500);
    const abort = new AbortController();
    const scene = {
      world,
      random: seededRandom(seed).fork('loads'),
      signal: abort.signal,
      timeoutMs: TIMEOUT_MS,
      wallJumps: plan.faults.some(({ fault }) => fault === 'wall jump'),
    };
    const loads = plan.loads.map((name) => LOADS[name](scene));
    await world.until(Promise.all(loads.map((load) => load.begin())), 120_000);

    // Safety: faults for a while. Liveness: then all is healed, and the cluster has to answer again.
    const untilMs = nowMs() + SAFETY_MS;
    for (const fault of plan.faults) {
      if (nowMs() + fault.afterMs > untilMs) break;
      await world.run(fault.afterMs);
      FAULTS[fault.fault](world, fault);
    }
    await world.run(Math.max(0, untilMs - nowMs()));
    await world.heal();
    const healedAtMs = nowMs();
    const views = (): readonly string[] => [...notUp(world, names), ...disagreements(world)];
    await wait(RECOVERED_MS, () => views().length === 0 && loads.every((load) => load.recovered(healedAtMs)));
    const recoveredMs = nowMs() - healedAtMs;
    await world.run(Math.max(0, LATE_MS - recoveredMs));
    abort.abort();
    await world.until(Promise.all(loads.map((load) => load.end())), 60_000);
    const unsettled = (): readonly string[] => [...views(), ...registryIsLiveSet(world), ...loads.flatMap((load) => load.unsettled())];
    await wait(SETTLED_MS, () => unsettled().length === 0);
    const complaints = unsettled();
    for (const load of loads) await world.until(load.finish());

    const verdict = worstOf([
      verdictOf(observed.violations),
      verdictOf(complaints),
      ...loads.map((load) => load.check({ healedAtMs, withinMs: RECOVERED_MS })),
    ]);
    for (const load of loads)
      for (const [what, times] of Object.entries(load.seen?.() ?? {})) observed.seen[what as keyof Sometimes] += times;
    const operations = loads.flatMap((load) => load.operations());
    for (const { key, op, outcome, invokedAtMs, endedAtMs } of operations)
      observed.take(JSON.stringify([key, op, outcome, invokedAtMs, endedAtMs]));
    for (const event of world.events) observed.take(event);
    const outcomes = (outcome: string): number => operations.filter((operation) => operation.outcome === outcome).length;
    const { seen, hash } = observed;
    const counted = { ok: outcomes('ok'), fail: outcomes('fail'), info: outcomes('info') };
    return { seed, verdict, seen, ...counted, recoveredMs, virtualMs: nowMs(), hash };
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
    await world.close();
  }
}
