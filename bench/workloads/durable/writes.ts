import { cpuMs } from '../../suite/cpu.ts';
import { inFlight } from '../../suite/in-flight.ts';
import type { Contender, Measure } from '../../suite/workload.ts';
import type { StoreName } from './journals.ts';
import { type RunStores, runStores } from './run-stores.ts';

/** Of a full run: so many lanes, each a journal, agent, subject or key with one write under way, and so many writes in all. */
export interface Load {
  readonly lanes: number;
  readonly writes: number;
}
/** Makes the lanes, each with its first record, and gives what writes the next one to one of them. */
export type Writer = (stores: RunStores, lanes: number) => Promise<(lane: number) => Promise<unknown>>;

export const writeMeasures = {
  rate: { unit: 'writes/s', better: 'more' },
  cpu: { unit: 'µs a write', better: 'less' },
} as const satisfies Readonly<Record<string, Measure>>;

/** Acknowledged writes a second, and what they take of the writing process; a quarter to warm up. What the store took is asked afterwards. */
export function writes(store: StoreName, loads: Readonly<Record<string, Load>>, writer: Writer): Contender {
  return {
    async run({ at, urls, count }) {
      const { lanes, writes: full } = loads[at] as Load;
      const total = count(full);
      const warm = Math.ceil(total / 4);
      const stores = await runStores(urls[0] as string);
      const writeTo = await writer(stores, lanes);
      const write = (_index: number, lane: number): Promise<unknown> => writeTo(lane);
      await stores.lead(store);
      await inFlight(lanes, warm, write);
      const fromMs = performance.now();
      const fromCpuMs = cpuMs();
      await inFlight(lanes, total, write);
      const cpu = ((cpuMs() - fromCpuMs) * 1_000) / total;
      const rate = total / ((performance.now() - fromMs) / 1_000);
      const seen = await stores.taken(store);
      await stores.remove();
      return { values: { rate, cpu }, expected: lanes + warm + total, seen };
    },
  };
}
