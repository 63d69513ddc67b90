import type { Actors, Families } from '../../contenders/actors.ts';
import { plainNact } from '../../contenders/nact.ts';
import { nexa } from '../../contenders/nexa.ts';
import type { Workload } from '../../suite/workload.ts';
import { perSecond, type Work } from '../measured.ts';

const MANY = 10_000;
/** Sends the next message to itself. */
const source = (send: string): string => `
  return function parent(first, message) {
    hits.hit();
    if (message.left > 1) ${send.replace('REF', 'refs[0]').replace('MESSAGE', "{ type: 'more', left: message.left - 1 }")};
  }`;

const childrenOf =
  (count: number): Work<Actors & Families> =>
  async (actors, hits) => {
    const refs: unknown[] = [];
    await actors.spawnFamily([source(actors.send), ...new Array<string>(count).fill('return function child() {}')], refs, hits);
    return (size) => {
      const done = hits.expect(size);
      actors.tellRaw(refs[0], { type: 'more', left: size });
      return done;
    };
  };

export const children: Workload = {
  name: 'children',
  about: 'Messages to an actor that has 10,000 children, beside the same messages to one that has none.',
  measures: { rate: { unit: 'messages/s', better: 'more' } },
  cases: [''],
  contenders: {
    'nexa, 10,000 children': perSecond(nexa, childrenOf(MANY), 20_000_000),
    'nexa, none': perSecond(nexa, childrenOf(0), 20_000_000),
    'nact, 10,000 children': perSecond(plainNact, childrenOf(MANY), 1_000),
    'nact, none': perSecond(plainNact, childrenOf(0), 1_000_000),
  },
  // At most 1.2 times the cost.
  reach: [{ measure: 'rate', beside: 'nexa, none', ratio: 0.83 }],
  words: 'The children are idle. nact copies the map of an actor’s children for each of its messages.',
};
