import type { SeededRandom } from '../../src/memory/random.ts';
import type { Clock } from '../../src/ports/clock.ts';
import type { Act, Place } from '../act.ts';
import type { Fault } from '../fault.ts';
import { holdsOver } from '../faults/holds.ts';
import { doFault, lacking, lengthMs } from '../faults/index.ts';
import type { FaultScene } from '../faults/scene.ts';
import type { Acted, FaultRun } from '../run.ts';
import type { Link, World } from '../world.ts';
import type { Waits } from './giving-up.ts';

export interface InjectorOptions {
  readonly world: World;
  /** The drill's: 0 when it began. */
  readonly clock: Clock;
  readonly waits: Waits;
  /** Of all faults. */
  readonly random: SeededRandom;
  /** The nodes and servers that are to be there. */
  readonly nodes: readonly Place[];
  /** Until the cluster runs again, a while at most. */
  readonly settled: () => Promise<void>;
  /** Before and after each fault. */
  readonly look: () => Promise<void>;
  readonly onFault: (fault: Fault, at: 'begin' | 'end') => void;
}

/** Does the faults of a plan to a world, one after the other, and keeps what was done. */
export interface Injector {
  readonly faults: readonly FaultRun[];
  readonly acts: readonly Acted[];
  /** What could not be done as it was meant. */
  readonly failures: readonly string[];
  /** Begins none after `untilMs`, nor one that would go on for long after it. */
  inject(faults: readonly Fault[], untilMs: number): Promise<void>;
  /** Mends and starts everything. */
  heal(): Promise<void>;
}

const MOST_ACTS = 100_000;
/** What a fault may go on beyond the time that all of them have. */
const LATE_MS = 5_000;

export function injector(options: InjectorOptions): Injector {
  const { world, clock, waits, random, nodes, settled, look, onFault } = options;
  const faults: FaultRun[] = [];
  const acts: Acted[] = [];
  const failures: string[] = [];
  const act = async (given: Act): Promise<void> => {
    const fromMs = clock.monotonicMs();
    await world.act(given);
    if (acts.length < MOST_ACTS) acts.push({ act: given, fromMs, untilMs: clock.monotonicMs() });
  };
  const holds = holdsOver(act);
  const heal = async (): Promise<void> => {
    holds.forget();
    await act({ act: 'heal' });
    for (const server of world.servers) await act({ act: 'start-server', server });
    for (const node of nodes) await act({ act: 'start-node', node });
  };
  /** One kind's draws leave those of the others alone, so that a shorter list of faults meets the same nodes. */
  const times = new Map<string, number>();
  const randomOf = ({ fault }: Fault): SeededRandom => {
    const time = (times.get(fault) ?? 0) + 1;
    times.set(fault, time);
    return random.fork(`${fault} ${time}`);
  };
  const sceneOf = (fault: Fault, met: Place[], links: Link[]): FaultScene => ({
    world,
    nodes,
    random: randomOf(fault),
    signal: waits.signal,
    act,
    hold: async (pairs, forMs) => {
      const release = await holds.take(pairs);
      if (forMs === undefined) return;
      await waits.wait(forMs);
      await release();
    },
    meets: (places) => met.push(...places.filter((place) => !met.includes(place))),
    wait: (ms) => waits.wait(ms),
    settled,
    heal: async () => {
      await heal();
      await settled();
    },
    link: async () => {
      const link = await world.link('fault');
      links.push(link);
      return link;
    },
  });
  const one = async (fault: Fault): Promise<void> => {
    const met: Place[] = [];
    const links: Link[] = [];
    await look();
    const fromMs = clock.monotonicMs();
    onFault(fault, 'begin');
    try {
      await doFault(fault, sceneOf(fault, met, links));
    } finally {
      faults.push({ fault, fromMs, untilMs: clock.monotonicMs(), met });
      await Promise.allSettled(links.map((link) => link.close()));
    }
    onFault(fault, 'end');
    await look();
  };

  return {
    faults,
    acts,
    failures,
    heal,
    async inject(wanted, untilMs) {
      for (const [index, fault] of wanted.entries()) {
        const nowMs = clock.monotonicMs();
        const late = nowMs >= untilMs || (index > 0 && nowMs + lengthMs(fault) > untilMs + LATE_MS);
        const skipped = late ? 'it would not end in time' : lacking(fault, world);
        if (skipped !== undefined) {
          faults.push({ fault, fromMs: nowMs, untilMs: nowMs, met: [], skipped });
          continue;
        }
        try {
          await one(fault);
        } catch (error) {
          await waits.wait(0);
          failures.push(`fault ${index} (${fault.fault}): ${(error as Error).message}`);
        }
      }
    },
  };
}
