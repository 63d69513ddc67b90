import type { Actors } from '../../contenders/actors.ts';
import { bound } from '../../contenders/bound.ts';
import { comedy } from '../../contenders/comedy.ts';
import { erlang } from '../../contenders/erlang.ts';
import { plainNact } from '../../contenders/nact.ts';
import { nexa } from '../../contenders/nexa.ts';
import { xstate } from '../../contenders/xstate.ts';
import type { Workload } from '../../suite/workload.ts';
import { perSecond, type Work } from '../measured.ts';

const SENDERS = 8;
/** Then they wait until all has arrived. */
const BURST = 1_000_000;
/** Messages that a sender sends in one turn. */
const AT_ONCE = 50;

const work: Work<Actors> = async (actors, hits) => {
  const sink = await actors.spawn(() => hits.hit());
  const sender = () =>
    actors.spawn((self, message) => {
      const left = message.left as number;
      for (let index = Math.min(left, AT_ONCE); index > 0; index--) sink.tell({ type: 'item', left });
      if (left > AT_ONCE) self.tell({ type: 'go', left: left - AT_ONCE });
    });
  const senders = await Promise.all(Array.from({ length: SENDERS }, sender));
  return async (size) => {
    for (let left = size; left > 0; left -= BURST) {
      const each = Math.ceil(Math.min(left, BURST) / SENDERS);
      const done = hits.expect(each * SENDERS);
      for (const one of senders) one.tell({ type: 'go', left: each });
      await done;
    }
  };
};

export const fanIn: Workload = {
  name: 'fan-in',
  about: '8 senders flood one receiver with a million messages, again and again: its backlog is long, and nobody holds the senders back.',
  measures: { rate: { unit: 'messages/s', better: 'more' } },
  cases: [''],
  contenders: {
    nexa: perSecond(nexa, work, 8_000_000),
    nact: perSecond(plainNact, work, 1_000_000),
    xstate: perSecond(xstate, work, 4_000_000),
    comedy: perSecond(comedy, work, 1_000_000),
    erlang: erlang('fan-in', 8_000_000),
    bound: perSecond(bound, work, 8_000_000),
  },
  reach: [
    { measure: 'rate', beside: 'nact', ratio: 9 },
    { measure: 'rate', beside: 'erlang', ratio: 1 },
  ],
  words:
    'Mostly the price of a long queue: of its memory and of the collector that walks it. XState has no backlog here, since it takes each message on its sender’s stack. Erlang runs on one scheduler (`+S 1:1`), where it is fastest here, and copies each message.',
};
