import { bound } from '../../contenders/bound.ts';
import { plainNact } from '../../contenders/nact.ts';
import { nexa } from '../../contenders/nexa.ts';
import type { Workload } from '../../suite/workload.ts';
import { counter, perSecond, type Work } from './measured.ts';

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
    counter.hit();
    if (message.left > 1) {
      const ref = refs[(${index * 13 + 5} + (seen & 7)) & 63];
      ${send.replace('REF', 'ref').replace('MESSAGE', SHAPES[index & 3] ?? '')};
    }
  }`;
const IN_FLIGHT = 256;
const SIZE = 2_000_000;

const work: Work = async (actors, size) => {
  const each = Math.ceil(size / IN_FLIGHT);
  const hits = counter(each * IN_FLIGHT);
  const refs: unknown[] = [];
  const sources = Array.from({ length: 64 }, (_, index) => source(index, actors.send));
  for (let first = 0; first < 64; first += 8) actors.spawnFamily(sources.slice(first, first + 8), { refs, counter: hits });
  while (refs.length < 64) await new Promise((resolve) => setImmediate(resolve));
  for (let index = 0; index < IN_FLIGHT; index++) actors.tellRaw(refs[index & 63], { type: 'a', left: each });
  await hits.done;
  return { expected: each * IN_FLIGHT, seen: hits.hits };
};

export const mixed: Workload = {
  name: 'tell',
  about:
    '64 actors with 64 different handlers and four shapes of messages, 256 in flight: what a real system looks like, nothing that a compiler could inline. They are a tree: 8 supervisors with 7 workers each, and all of them take messages.',
  measures: { rate: { unit: 'messages/s', better: 'more' } },
  cases: [''],
  contenders: { nexa: perSecond(nexa, work, SIZE), nact: perSecond(plainNact, work, SIZE), bound: perSecond(bound, work, SIZE) },
  reach: [
    { measure: 'rate', beside: 'nact', ratio: 6 },
    { measure: 'rate', beside: 'bound', ratio: 0.9 },
  ],
};
