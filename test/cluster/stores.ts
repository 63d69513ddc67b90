import { createCodec } from '../../src/cluster/codec.ts';
import { DEFAULT_TIMES } from '../../src/cluster/config.ts';
import type { MemberRecord } from '../../src/cluster/member.ts';
import type { Reminders } from '../../src/cluster/reminders.ts';
import { subjects } from '../../src/cluster/subject.ts';
import { type FaultSettings, memoryNetwork } from '../../src/memory/network.ts';
import { seededRandom } from '../../src/memory/random.ts';
import type { Kv, Written } from '../../src/ports/stores.ts';
import { manualClock } from '../support/manual-clock.ts';

export const codec = createCodec();
export const names = subjects('test');
export const times = DEFAULT_TIMES;
export const TIME = { timeoutMs: 1_000 };

/** Buckets on a memory network under a clock that the test moves. */
export function storeWorld(faults: FaultSettings = {}) {
  const clock = manualClock();
  const network = memoryNetwork({ clock, random: seededRandom(3), faults });
  return {
    clock,
    network,
    random: seededRandom(4),
    stores: (name = 'tester') => network.connect(name).stores,
    async bucket(name: string, by = 'tester'): Promise<Kv> {
      const { stores } = network.connect(by);
      await outcome(clock, stores.ensure({ name, kind: 'kv', replicas: 1 }, TIME));
      return stores.kv(name);
    },
  };
}

/** For tests in which nobody is reminded of anything. */
export const noReminders: Reminders = {
  declare: async () => undefined,
  forget: async () => undefined,
  forgetAll: async () => undefined,
  owned: () => undefined,
  resume: () => undefined,
  list: async () => [],
  count: 0,
  stop: () => undefined,
};

/** Moves time until the promise settles. */
export async function outcome<T>(clock: ReturnType<typeof manualClock>, promise: Promise<T>, withinMs = 120_000): Promise<T> {
  let done = false;
  const watched = promise.finally(() => {
    done = true;
  });
  watched.catch(() => undefined);
  for (let waitedMs = 0; !done && waitedMs < withinMs; waitedMs += 50) await clock.advance(50);
  if (!done) throw new Error('nothing came of it');
  return watched;
}

/** The answers to the next writes, in order, whatever becomes of them; `lost` ones never reach the store. */
export function answering(kv: Kv, answers: ('lost' | 'stored, unknown' | 'no')[]): Kv {
  const write = async (store: () => Promise<Written>): Promise<Written> => {
    const answer = answers.shift();
    if (answer === undefined) return store();
    if (answer === 'stored, unknown') await store();
    return { written: answer === 'no' ? 'no' : 'unknown' };
  };
  return {
    ...kv,
    create: (...given) => write(() => kv.create(...given)),
    update: (...given) => write(() => kv.update(...given)),
  };
}

export const memberRecord = (more: Partial<MemberRecord> = {}): MemberRecord => ({
  ...({ incarnation: 1, state: 'up', session: 's', cordoned: false, labels: {} } as const),
  ...{ capacity: 1, version: '1', wireVersions: [1], types: {} },
  ...more,
});
