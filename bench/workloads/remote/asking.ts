import type { Echo } from '../../contenders/echo/echo.ts';
import { cpuMs } from '../../suite/cpu.ts';
import { inFlight } from '../../suite/in-flight.ts';
import { percentiles } from '../../suite/percentiles.ts';
import type { Contender, Far, Measure, Run, Seen } from '../../suite/workload.ts';

export interface Load {
  readonly atOnce: number;
  readonly asks: number;
}
export type Loads = Readonly<Record<string, Load>>;

export const askMeasures = {
  rate: { unit: 'round trips/s', better: 'more' },
  p50: { unit: 'µs', better: 'less' },
  p99: { unit: 'µs', better: 'less' },
  cpu: { unit: 'µs of both processes per round trip', better: 'less' },
} satisfies Record<string, Measure>;

/** So often everything has run before anything is timed, however slow it is: for the compilers. */
const LEAST_WARM = 8_000;

/** `share` of the asks, for one that is slow: rates stay comparable. */
export function asking(echo: Echo, loads: Loads, share = 1): Contender {
  return {
    async far({ urls: [url = ''] }) {
      const service = await echo.far(url);
      return { said: service.said, answer: () => service.handled(), stop: () => service.stop() };
    },
    async run({ at, count, urls: [url = ''], fars }: Run): Promise<Seen> {
      const [far] = fars as readonly [Far];
      const { atOnce, asks } = loads[at] as Load;
      const caller = await echo.near(url, far.said);
      const warm = count(Math.max((asks * share) / 2, LEAST_WARM));
      const timed = count(asks * share);
      const tookUs = new Float64Array(timed);
      let answered = 0;
      const ask = async (n: number): Promise<void> => {
        if ((await caller.ask(n)) === n) answered++;
      };
      await inFlight(atOnce, warm, ask);
      const usedMs = cpuMs() + (await far.cpuMs());
      const fromMs = performance.now();
      await inFlight(atOnce, timed, async (index) => {
        const sentMs = performance.now();
        await ask(warm + index);
        tookUs[index] = (performance.now() - sentMs) * 1_000;
      });
      const seconds = (performance.now() - fromMs) / 1_000;
      const cpu = ((cpuMs() + (await far.cpuMs()) - usedMs) * 1_000) / timed;
      const handled = Number(await far.ask('handled'));
      await caller.stop();
      // Each is to be handled once over there, and to be answered with its own answer here.
      return { values: { rate: timed / seconds, ...percentiles(tookUs), cpu }, expected: 2 * (warm + timed), seen: handled + answered };
    },
  };
}
