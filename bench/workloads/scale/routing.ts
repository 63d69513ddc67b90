import { actorSystem, type Props, type Routing, receive, router } from 'nexa';
import { quantile } from '../../suite/percentiles.ts';
import type { Contender, Workload } from '../../suite/workload.ts';
import { settled, strategies, type Work } from './strategies.ts';
import { seeded, steppedClock } from './virtual-time.ts';

const ASKS = 3_000;
const ROUTEES = 5;
const FAST_MS = 10;
/** More than its share leaves it time for, and less. */
const slowMs: Readonly<Record<string, number>> = { 'one takes 200 ms': 200, 'one takes 30 ms': 30 };

const worker = (serviceMs: number): Props<Work> => ({
  mailbox: { limit: 100_000 },
  behavior: () =>
    receive(async (context, message) => {
      await new Promise<void>((resolve) => void context.clock.after(serviceMs, resolve));
      context.reply(message, null);
    }),
});

const routed = (strategy: () => Routing<Work>): Contender => ({
  async run({ at, count }) {
    const asks = count(ASKS);
    const [clock, draws] = [steppedClock(), seeded(1)];
    const system = actorSystem({ clock, random: draws });
    const routees = Array.from({ length: ROUTEES }, (_, index) => system.spawn(worker(index === 0 ? (slowMs[at] ?? 0) : FAST_MS)));
    const ref = router(system, { routees, strategy: strategy() });
    const tookMs: number[] = [];
    let asked = 0;
    const arrive = (): void => {
      const begunMs = clock.monotonicMs();
      const message = { type: 'work', key: `customer ${Math.floor(draws.next() * 500)}` } as const;
      void ref.ask(message, { timeoutMs: 2_000_000 }).then(() => tookMs.push(clock.monotonicMs() - begunMs));
      if (++asked < asks) clock.after(2 + draws.next() * 16, arrive);
    };
    arrive();
    do await settled();
    while (tookMs.length < asks && clock.next());
    const mean = tookMs.reduce((sum, ms) => sum + ms, 0) / tookMs.length;
    return { values: { mean, p50: quantile(tookMs, 0.5), p99: quantile(tookMs, 0.99) }, expected: asks, seen: tookMs.length };
  },
});

export const routing: Workload = {
  name: 'routing',
  about:
    '3,000 asks through a router, one every 10 ms or so, of five routees that take 10 ms each, but for one of them; how long the askers wait by strategy. In virtual time and from a seed: every run is the same.',
  measures: {
    mean: { unit: 'ms, virtual', better: 'less' },
    p50: { unit: 'ms, virtual', better: 'less' },
    p99: { unit: 'ms, virtual', better: 'less' },
  },
  cases: Object.keys(slowMs),
  contenders: Object.fromEntries(Object.entries(strategies).map(([name, strategy]) => [name, routed(strategy)])),
  reach: [
    { measure: 'mean', at: 'one takes 200 ms', beside: 'random', ratio: 1.5 },
    { measure: 'p99', at: 'one takes 200 ms', beside: 'random', ratio: 1.5 },
    { measure: 'mean', at: 'one takes 30 ms', beside: 'random', ratio: 1 },
    { measure: 'p99', at: 'one takes 30 ms', beside: 'random', ratio: 1 },
  ],
};
