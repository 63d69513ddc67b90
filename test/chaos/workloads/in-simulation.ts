import { counter, register } from '../../../actors/builtin/index.ts';
import { DRILL_AGENTS } from '../../../chaos/agents/index.ts';
import type { Judged } from '../../../chaos/checkers/judged.ts';
import type { Operation } from '../../../chaos/history.ts';
import type { WorkKind, WorkRecord } from '../../../chaos/workloads/work.ts';
import type { AnyAgent } from '../../../src/agent/define.ts';
import { type Client, clientOver } from '../../../src/client.ts';
import { seededRandom } from '../../../src/memory/random.ts';
import { SimWorld } from '../../../supervisors/testkit/world.ts';

export interface Simulated {
  readonly record: WorkRecord;
  readonly judged: readonly Judged[];
  readonly recovered: boolean;
  readonly ended: readonly Operation<unknown, unknown>[];
}

const NODES = ['n1', 'n2', 'n3'];
const TIMEOUT_MS = 3_000;
/** A node is lost after so long, comes back after as long again, and all has to work within this. */
const CRASH_AFTER_MS = 6_000;
const BACK_AFTER_MS = 3_000;
const RECOVERED_MS = 20_000;

/** A workload on three nodes under virtual time; with `crash` one node is killed in between and comes back, `for good`: all of them, and none does. */
export async function inSimulation(
  kind: WorkKind,
  options: {
    readonly seed?: number;
    readonly crash?: boolean | 'for good';
    readonly agents?: readonly AnyAgent[];
    readonly forMs?: number;
  } = {},
): Promise<Simulated> {
  const { seed = 1, crash = false, agents = [], forMs = 12_000 } = options;
  const world = new SimWorld({ seed, definitions: [counter, register, ...DRILL_AGENTS, ...agents], shown: true });
  const ended: Operation<unknown, unknown>[] = [];
  const clients: Client[] = [0, 1, 2].map((at) =>
    clientOver({
      transport: world.network.connect(`client ${at}`).transport,
      subjects: world.subjects,
      clock: world.clock,
      random: seededRandom(seed).fork(`client ${at}`),
    }),
  );
  try {
    await world.form();
    await world.until(Promise.all(NODES.map((name) => world.start(name))), 120_000);
    await world.run(1_500);
    const abort = new AbortController();
    const moves = new Map<number, number>();
    const work = kind.start({
      client: (key) => clients[(key + (moves.get(key) ?? 0)) % clients.length] as Client,
      moveOn: (key) => void moves.set(key, (moves.get(key) ?? 0) + 1),
      clock: world.clock,
      random: seededRandom(seed),
      signal: abort.signal,
      timeoutMs: TIMEOUT_MS,
      onEnded: (operation) => void ended.push(operation),
    });
    await world.until(work.begin(), 60_000);
    if (crash === 'for good') {
      await world.run(CRASH_AFTER_MS);
      for (const name of NODES) world.crash(name);
    } else if (crash) {
      await world.run(CRASH_AFTER_MS);
      world.crash('n1', 10);
      await world.run(BACK_AFTER_MS);
      await world.until(world.start('n1'), 60_000);
    }
    const healedAtMs = world.clock.monotonicMs();
    await world.run(forMs);
    const untilMs = world.clock.monotonicMs() + RECOVERED_MS;
    while (!work.recovered(healedAtMs) && world.clock.monotonicMs() < untilMs) await world.run(500);
    const recovered = work.recovered(healedAtMs);
    abort.abort();
    // As long as a drill waits for it.
    await world.until(work.end(), 60_000);
    await world.run(5_000);
    await world.until(work.finish(), 60_000);
    const record = work.record();
    return { record, judged: kind.check(record), recovered, ended };
  } finally {
    await Promise.all(clients.map((client) => client[Symbol.asyncDispose]()));
    await world.close();
  }
}
