import type { Act, ActName, Place } from '../../../chaos/act.ts';
import type { Fault } from '../../../chaos/fault.ts';
import { waitsOn } from '../../../chaos/runner/giving-up.ts';
import { injector } from '../../../chaos/runner/injector.ts';
import type { World } from '../../../chaos/world.ts';
import { seededRandom } from '../../../src/memory/random.ts';
import { virtualClock } from '../../../src/memory/virtual-clock.ts';

export interface Recorded {
  readonly acts: readonly { readonly atMs: number; readonly act: Act }[];
  readonly met: readonly Place[];
  readonly failures: readonly string[];
  readonly skipped: readonly (string | undefined)[];
}

/** What these faults do to a world that only writes it down. */
export async function recorded(
  faults: readonly Fault[],
  given: {
    readonly kind?: World['kind'];
    readonly nodes?: number;
    readonly servers?: number;
    readonly leader?: Place;
    readonly seed?: number;
    readonly cannot?: readonly ActName[];
    readonly breaks?: ActName;
    readonly untilMs?: number;
  } = {},
): Promise<Recorded> {
  const { kind = 'processes', nodes = 3, servers = kind === 'simulation' ? 0 : 3, cannot = [] } = given;
  const clock = virtualClock();
  const acts: { readonly atMs: number; readonly act: Act }[] = [];
  const names = Array.from({ length: nodes }, (_, index) => `n${index + 1}`);
  const world = {
    ...{ kind, tier: undefined, cluster: 'x', clock, versions: {}, exits: [] },
    nodes: names,
    servers: Array.from({ length: servers }, (_, index) => `s${index + 1}`),
    cannot: (act: ActName) => (cannot.includes(act) ? `no ${act} here` : undefined),
    leader: async () => given.leader,
    act: async (act: Act) => {
      acts.push({ atMs: clock.monotonicMs(), act });
      if (act.act === given.breaks) throw new Error('it does not give way');
    },
  } as unknown as World;
  const injecting = injector({
    ...{ world, clock, nodes: names, random: seededRandom(given.seed ?? 1) },
    waits: waitsOn(clock, new AbortController().signal),
    settled: async () => undefined,
    look: async () => undefined,
    onFault: () => undefined,
  });
  let over = false;
  const done = injecting.inject(faults, given.untilMs ?? Number.POSITIVE_INFINITY).finally(() => {
    over = true;
  });
  while (!over) {
    await new Promise((resolve) => setImmediate(resolve));
    clock.step();
  }
  await done;
  return {
    acts,
    met: injecting.faults.flatMap(({ met }) => met),
    failures: injecting.failures,
    skipped: injecting.faults.map(({ skipped }) => skipped),
  };
}
