import { type ActorSystem, actorSystem, type Props, type Routing, receive, router } from 'nexa';
import type { Contender, Workload } from '../../suite/workload.ts';
import { settled, strategies, type Work } from './strategies.ts';

const ROUTEES = 10;
const TELLS = 4_000_000;
/** Told in one go. */
const BATCH = 4_000;

/** Tells a second to actors that only count. */
const told = (through: (system: ActorSystem, idle: Props<Work>) => { tell(message: Work): boolean }): Contender => ({
  async run({ count }) {
    await using system = actorSystem();
    let seen = 0;
    const ref = through(system, { mailbox: { limit: 1_000_000 }, behavior: () => receive(() => void seen++) });
    const message = { type: 'work', key: 'a' } as const;
    const tell = async (tells: number): Promise<void> => {
      for (let sent = 1; sent <= tells; sent++) {
        ref.tell(message);
        if (sent % BATCH === 0) await settled();
      }
      await settled();
    };
    await tell(count(TELLS) / 4);
    seen = 0;
    const fromMs = performance.now();
    await tell(count(TELLS));
    const seconds = (performance.now() - fromMs) / 1_000;
    return { values: { rate: count(TELLS) / seconds }, expected: count(TELLS), seen };
  },
});
const through = (strategy: () => Routing<Work>): Contender =>
  told((system, idle) => router(system, { routees: Array.from({ length: ROUTEES }, () => system.spawn(idle)), strategy: strategy() }));

export const routerCost: Workload = {
  name: 'router',
  about: 'What a router costs: tells through one to ten routees, by strategy, beside tells to one actor by its own ref.',
  measures: { rate: { unit: 'tells/s', better: 'more' } },
  cases: [''],
  contenders: {
    ...Object.fromEntries(Object.entries(strategies).map(([name, strategy]) => [name, through(strategy)])),
    'one ref': told((system, idle) => system.spawn(idle)),
  },
  reach: [{ measure: 'rate', of: 'roundRobin', beside: 'one ref', ratio: 0.5 }],
};
