import { NexaError, toNexaError } from '../src/errors.ts';
import { seededRandom } from '../src/memory/random.ts';
import type { Clock } from '../src/ports/clock.ts';
import { inTime } from '../src/ports/in-time.ts';
import type { ActName } from './act.ts';
import { DRILLS } from './drills/index.ts';
import { missing } from './drills/purposes.ts';
import type { Fault } from './fault.ts';
import { lacking, needs } from './faults/index.ts';
import type { Operation } from './history.ts';
import type { Plan } from './plan.ts';
import type { Placement, Run } from './run.ts';
import { type Clients, openClients } from './runner/clients.ts';
import { waitsOn } from './runner/giving-up.ts';
import { injector } from './runner/injector.ts';
import { type Onlookers, openOnlookers } from './runner/onlookers.ts';
import type { Phase, Progress } from './runner/progress.ts';
import { agree, mailboxesOf, viewsOf } from './runner/recovery.ts';
import type { Work, WorkKind } from './workloads/work.ts';
import type { World, WorldOptions } from './world.ts';

export interface RunOptions {
  readonly plan: Plan;
  /** Those that the plan names. */
  readonly works: readonly WorkKind[];
  /** @throws NexaError `unavailable` for what the machine lacks; then nothing is left of it. */
  readonly open: (options: WorldOptions & { readonly needs: readonly ActName[] }) => Promise<World>;
  /** Leaves out the faults that this world cannot do, and says so; without it they are refused before anything begins. */
  readonly optional?: boolean;
  /** Gives up: everything is ended, and what was seen so far is kept. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: Progress) => void;
  /** Each outcome as it comes. */
  readonly onOperation?: (workload: string, operation: Operation<unknown, unknown>) => void;
}

/** Of every call. */
const TIMEOUT_MS = 4_000;
const BEGIN_MS = 60_000;
/** Until everything was answered once, before the first fault. */
const QUIET_MS = 30_000;
/** How long it is looked whether everything works again; what is allowed to take how long is the checkers' affair. */
const RECOVERED_MS = 60_000;
/** The same in the middle of a drill. */
const SETTLED_MS = 30_000;
const END_MS = 60_000;
/** The same of one that was given up. */
const GIVEN_UP_MS = 10_000;
const EMPTY_MS = 10_000;
const AUDIT_MS = 20_000;
const TICK_MS = 1_000;
/** So long nobody moves before the first fault; it is waited for a while at most. */
const STILL_MS = 5_000;
const EVENED_MS = 20_000;
const LOOK_MS = 500;

/**
 * Runs a plan on a world: work, a quiet start, faults while it goes on, then everything is healed and has to work again; and gives all that was
 * seen. It leaves nothing behind, however it ends; what ended it early stands in `incomplete`.
 * @throws NexaError `unavailable` for a fault that the world cannot do, and what `open` throws; nothing was begun then.
 */
export async function runPlan(options: RunOptions): Promise<Run> {
  const { plan, onProgress = () => undefined } = options;
  const signal = options.signal ?? new AbortController().signal;
  const counted = { ok: 0, fail: 0, info: 0 };
  const inForce: Fault[] = [];
  let phase: Phase = 'opening';
  let nowMs = (): number => 0;
  const tell = (note?: string): void =>
    onProgress({
      ...{ phase, atMs: nowMs(), durationMs: plan.durationMs, faults: [...inForce], operations: { ...counted } },
      ...(note === undefined ? {} : { note }),
    });
  const enter = (next: Phase): void => {
    phase = next;
    tell();
  };

  const begun = (clock: () => number): void => {
    nowMs = clock;
  };

  tell();
  const { seed, nodes, servers } = plan;
  const world = await options.open({
    ...{ seed, nodes, servers, signal, onProgress: tell },
    needs: [...new Set(plan.faults.flatMap((fault) => needs(fault, { kind: plan.world })))],
  });
  let run: Omit<Run, 'leaks'> | undefined;
  try {
    if (options.optional !== true) assertCan(world, plan.faults);
    run = await world.run(() => perform(world, options, { signal, counted, inForce, enter, tell, begun }));
  } finally {
    phase = 'closing';
    tell();
    const leaks = await world.close();
    if (run !== undefined) Object.assign(run, { leaks });
  }
  return run as Run;
}

/** @throws NexaError `unavailable` */
function assertCan(world: World, faults: readonly Fault[]): void {
  for (const [index, fault] of faults.entries()) {
    const why = lacking(fault, world);
    if (why !== undefined)
      throw new NexaError('unavailable', `faults[${index}] (${fault.fault}) cannot be done here: ${why}`, {
        where: { field: `faults[${index}]`, world: world.kind },
        fix: 'Leave it out, or run it in another world or tier.',
      });
  }
}

/** The same time, counted from now. */
function fromNow(clock: Clock): Clock & { readonly zeroMs: number } {
  const zeroMs = clock.monotonicMs();
  return {
    zeroMs,
    monotonicMs: () => clock.monotonicMs() - zeroMs,
    wallMs: () => clock.wallMs(),
    bootMs: () => clock.bootMs(),
    after: (delayMs, then) => clock.after(delayMs, then),
  };
}

async function perform(
  world: World,
  { plan, works: kinds, onOperation = () => undefined }: RunOptions,
  told: {
    readonly signal: AbortSignal;
    readonly counted: { ok: number; fail: number; info: number };
    readonly inForce: Fault[];
    readonly enter: (phase: Phase) => void;
    readonly tell: () => void;
    readonly begun: (nowMs: () => number) => void;
  },
): Promise<Omit<Run, 'leaks'>> {
  const clock = fromNow(world.clock);
  const random = seededRandom(plan.seed);
  const waits = waitsOn(clock, told.signal);
  const startedAt = new Date(clock.wallMs()).toISOString();
  const names = world.nodes.slice(0, plan.nodes);
  const incomplete: string[] = [];
  const enough = new AbortController();
  const works: Work[] = [];
  let clients: Clients | undefined;
  let onlookers: Onlookers | undefined;
  let healedAtMs: number | undefined;
  let recoveredAtMs: number | undefined;
  let views: Run['views'] = {};
  let queues: Run['queues'] = {};
  told.begun(() => clock.monotonicMs());

  const looking = async (): Promise<boolean> => {
    views = await viewsOf((clients as Clients).of(0), names);
    return agree(views, names);
  };
  const injecting = injector({
    ...{ world, clock, waits, nodes: names },
    random: random.fork('plan'),
    settled: async () => void (await waits.until(SETTLED_MS, looking)),
    look: async () => onlookers?.place(),
    onFault: (fault, at) => {
      if (at === 'begin') told.inForce.push(fault);
      else told.inForce.splice(told.inForce.indexOf(fault), 1);
      told.tell();
    },
  });

  const drill = async (): Promise<void> => {
    told.enter('starting');
    clients = await waits.within(BEGIN_MS, 'connecting the clients', openClients(world));
    onlookers = await waits.within(BEGIN_MS, 'connecting', openOnlookers(world, clock));
    const at = clients;
    for (const kind of kinds) {
      const work = kind.start({
        client: at.of,
        moveOn: at.moveOn,
        clock,
        random: random.fork(`work ${kind.name}`),
        signal: enough.signal,
        timeoutMs: TIMEOUT_MS,
        onEnded: (operation) => {
          told.counted[operation.outcome]++;
          onOperation(kind.name, operation);
        },
      });
      works.push(work);
    }
    await waits.within(BEGIN_MS, 'beginning the work', Promise.all(works.map((work) => work.begin())));
    told.enter('quiet');
    const beganAtMs = clock.monotonicMs();
    if (!(await waits.until(QUIET_MS, () => works.every((work) => work.recovered(beganAtMs)))))
      incomplete.push(`not everything was answered within ${QUIET_MS} ms, before any fault`);
    // What the beginning had piled up on one node is evened out now, and not because of a fault.
    await waits.until(EVENED_MS, async () => (await stillFor(onlookers as Onlookers, clock)) >= STILL_MS, LOOK_MS);

    told.enter('faults');
    const untilMs = clock.monotonicMs() + plan.durationMs;
    await injecting.inject(plan.faults, untilMs);
    await waits.wait(Math.max(0, untilMs - clock.monotonicMs()));

    told.enter('healing');
    await injecting.heal();
    healedAtMs = clock.monotonicMs();
    const since = healedAtMs;
    if (await waits.until(RECOVERED_MS, async () => works.every((work) => work.recovered(since)) && (await looking())))
      recoveredAtMs = clock.monotonicMs();

    told.enter('ending');
    enough.abort();
    await waits.within(END_MS, 'ending the work', endWorks());
    await waits.until(EMPTY_MS, async () => {
      queues = await mailboxesOf(at.of(0), names);
      return Object.values(queues).every((left) => left === 0);
    });
    for (const work of works) await waits.within(END_MS, 'reading what the work came to', work.finish());
    await looking();
    await onlookers.place();
    await waits.within(AUDIT_MS + END_MS, 'reading the records', onlookers.audit.finish({ timeoutMs: AUDIT_MS }));
  };

  let ending: Promise<unknown> | undefined;
  const endWorks = (): Promise<unknown> => (ending ??= Promise.all(works.map((work) => work.end())));

  const cancelTick = everySecond(clock, told.tell);
  try {
    await drill();
  } catch (thrown) {
    incomplete.push(`given up: ${toNexaError(thrown, 'internal').message}`);
  } finally {
    cancelTick();
    enough.abort();
    // Given up before: what is still asked gets its outcome, and nothing of the work goes on.
    if (ending === undefined) await inTime(clock, GIVEN_UP_MS, endWorks(), () => new Error('late')).catch(() => undefined);
  }
  const endedAtMs = clock.monotonicMs();
  const seen: Omit<Run, 'leaks'> = {
    ...{ plan, tier: world.tier, startedAt, versions: world.versions },
    ...{ faults: injecting.faults, acts: injecting.acts },
    works: works.map((work) => work.record()),
    events: onlookers?.events ?? [],
    placements: onlookers?.placements ?? [],
    records: onlookers?.audit.records() ?? [],
    exits: world.exits.map((exit) => ({ ...exit, atMs: exit.atMs - clock.zeroMs })),
    healedAtMs: healedAtMs ?? endedAtMs,
    ...{ recoveredAtMs, endedAtMs, views, queues },
    incomplete: [...incomplete, ...injecting.failures, ...(onlookers?.omitted ?? []), ...(onlookers?.audit.doubts ?? [])],
  };
  await onlookers?.close();
  await clients?.close();
  // One that was given up is excused.
  const purposes = incomplete.length > 0 ? [] : (DRILLS[plan.drill]?.purposes ?? []);
  return { ...seen, incomplete: [...seen.incomplete, ...missing(purposes, seen)] };
}

/** How long all agents have been where they are. */
async function stillFor({ place, placements }: Onlookers, clock: Clock): Promise<number> {
  await place();
  const textOf = ({ agents }: Placement): string =>
    agents
      .map(({ agent, node }) => `${agent} ${node}`)
      .sort()
      .join();
  const now = placements.at(-1);
  const moved = now === undefined ? undefined : placements.findLast((each) => textOf(each) !== textOf(now));
  return clock.monotonicMs() - (moved?.atMs ?? placements[0]?.atMs ?? clock.monotonicMs());
}

function everySecond(clock: Clock, run: () => void): () => void {
  let cancel = (): void => undefined;
  const tick = (): void => {
    run();
    cancel = clock.after(TICK_MS, tick);
  };
  cancel = clock.after(TICK_MS, tick);
  return () => cancel();
}
