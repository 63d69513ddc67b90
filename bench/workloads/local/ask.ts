import type { Actors, Asked } from '../../contenders/actors.ts';
import { bound } from '../../contenders/bound.ts';
import { erlang } from '../../contenders/erlang.ts';
import { moleculer } from '../../contenders/moleculer.ts';
import { plainNact } from '../../contenders/nact.ts';
import { nexa } from '../../contenders/nexa.ts';
import type { Workload } from '../../suite/workload.ts';
import { perSecond, type Work } from '../measured.ts';

const IN_FLIGHT: Readonly<Record<string, number>> = { '1 in flight': 1, '64 in flight': 64 };
const inFlight = (at: string): number => IN_FLIGHT[at] ?? 1;

const work: Work<Actors & Asked> = async (actors, hits, at) => {
  const echo = await actors.spawn((_self, message) => message.value);
  const asker = async (each: number): Promise<void> => {
    for (let value = 0; value < each; value++) if ((await actors.ask(echo, { type: 'echo', value })) === value) hits.hit();
  };
  return async (size) => {
    const each = Math.ceil(size / inFlight(at));
    void hits.expect(each * inFlight(at));
    await Promise.all(Array.from({ length: inFlight(at) }, () => asker(each)));
  };
};

export const ask: Workload = {
  name: 'ask',
  about: 'Round trips to one actor, each with a timeout of 5 s, by one asker and by 64 that each wait for their own answer.',
  measures: { rate: { unit: 'round trips/s', better: 'more' } },
  cases: Object.keys(IN_FLIGHT),
  contenders: {
    nexa: perSecond(nexa, work, 2_000_000),
    nact: perSecond(plainNact, work, 500_000),
    moleculer: perSecond(moleculer, work, 1_000_000),
    erlang: erlang('ask', 2_000_000, inFlight),
    bound: perSecond(bound, work, 8_000_000),
  },
  reach: [
    { measure: 'rate', beside: 'nact', ratio: 3 },
    { measure: 'rate', at: '64 in flight', beside: 'erlang', ratio: 1 },
  ],
  words:
    'A round trip here is a promise, a deadline and two hops. Moleculer has no mailbox: a local call runs the action on the caller’s stack, 64 at once if 64 call. Erlang is `gen_server:call` on one scheduler (`+S 1:1`), where it is fastest here. The bound checks its deadlines ten times a second.',
};
