import type { Actors, Families } from '../../contenders/actors.ts';
import { bound } from '../../contenders/bound.ts';
import { erlang } from '../../contenders/erlang.ts';
import { plainNact } from '../../contenders/nact.ts';
import { nexa } from '../../contenders/nexa.ts';
import type { Workload } from '../../suite/workload.ts';
import { perSecond, type Work } from '../measured.ts';

const SHAPES = [
  "{ type: 'a', left: message.left - 1 }",
  "{ type: 'b', text: 'x', left: message.left - 1 }",
  "{ type: 'c', list: [seen], left: message.left - 1 }",
  "{ type: 'd', more: true, deep: { seen }, left: message.left - 1 }",
];
/** The text of a handler like no other. */
const source = (index: number, send: string): string => `
  let seen = 0;
  return function handler${index}(first, message) {
    seen += ${(index % 7) + 1};
    hits.hit();
    if (message.left > 1) {
      const ref = refs[(${index * 13 + 5} + (seen & 7)) & 63];
      ${send.replace('REF', 'ref').replace('MESSAGE', SHAPES[index & 3] ?? '')};
    }
  }`;
const IN_FLIGHT = 256;

const work: Work<Actors & Families> = async (actors, hits) => {
  const sources = Array.from({ length: 64 }, (_, index) => source(index, actors.send));
  const families = Array.from({ length: 8 }, (_, index) => sources.slice(index * 8, index * 8 + 8));
  const refs: unknown[] = [];
  for (const family of families) await actors.spawnFamily(family, refs, hits);
  return (size) => {
    const each = Math.ceil(size / IN_FLIGHT);
    const done = hits.expect(each * IN_FLIGHT);
    for (let index = 0; index < IN_FLIGHT; index++) actors.tellRaw(refs[index & 63], { type: 'a', left: each });
    return done;
  };
};

export const tell: Workload = {
  name: 'tell',
  about:
    '64 actors with 64 different handlers and four shapes of messages, 256 in flight: what a real system looks like, nothing that a compiler could inline. They are a tree: 8 supervisors with 7 workers each, and all of them take messages.',
  measures: { rate: { unit: 'messages/s', better: 'more' } },
  cases: [''],
  contenders: {
    nexa: perSecond(nexa, work, 8_000_000),
    nact: perSecond(plainNact, work, 1_000_000),
    erlang: erlang('tell', 8_000_000, () => IN_FLIGHT),
    bound: perSecond(bound, work, 16_000_000),
  },
  reach: [
    { measure: 'rate', beside: 'nact', ratio: 6 },
    { measure: 'rate', beside: 'bound', ratio: 0.9 },
  ],
  words:
    'The handlers do next to nothing, so this is the price of a message and not what an application does with it. Erlang, whose processes are the same tree, runs on one scheduler (`+S 1:1`), where it is fastest here, and copies each message.',
};
