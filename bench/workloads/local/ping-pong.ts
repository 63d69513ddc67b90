import type { Actors, Ref } from '../../contenders/actors.ts';
import { bound } from '../../contenders/bound.ts';
import { comedy } from '../../contenders/comedy.ts';
import { erlang } from '../../contenders/erlang.ts';
import { plainNact } from '../../contenders/nact.ts';
import { nexa } from '../../contenders/nexa.ts';
import { xstate } from '../../contenders/xstate.ts';
import type { Workload } from '../../suite/workload.ts';
import { perSecond, type Work } from '../measured.ts';

const work: Work<Actors> = async (actors, hits) => {
  const player = (other: () => Ref) =>
    actors.spawn((_self, message) => {
      hits.hit();
      const left = message.left as number;
      if (left > 1) other().tell({ type: 'ball', left: left - 1 });
    });
  const a: Ref = await player(() => b);
  const b: Ref = await player(() => a);
  return (size) => {
    const done = hits.expect(size);
    a.tell({ type: 'ball', left: size });
    return done;
  };
};

export const pingPong: Workload = {
  name: 'ping-pong',
  about: 'Two actors and one message between them: what a hop costs when nothing else happens.',
  measures: { rate: { unit: 'messages/s', better: 'more' } },
  cases: [''],
  contenders: {
    nexa: perSecond(nexa, work, 20_000_000),
    nact: perSecond(plainNact, work, 1_000_000),
    xstate: perSecond(xstate, work, 4_000_000),
    comedy: perSecond(comedy, work, 2_000_000),
    erlang: erlang('ping-pong', 8_000_000),
    bound: perSecond(bound, work, 20_000_000),
  },
  reach: [],
  words:
    'A micro-benchmark: both players are one small function, which V8 inlines into the runtime, and nothing else is busy. No application is so fast; `tell` shows what is left of it with many handlers. XState takes every message on its sender’s stack, without a queue; Erlang copies each message and can interrupt a process, on one scheduler (`+S 1:1`), where it is fastest here.',
};
