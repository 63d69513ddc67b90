import type { Actors, Families } from '../../contenders/actors.ts';
import { bound } from '../../contenders/bound.ts';
import { plainNact } from '../../contenders/nact.ts';
import { nexa } from '../../contenders/nexa.ts';
import type { Workload } from '../../suite/workload.ts';
import { perSecond, type Work } from '../measured.ts';

/** Each sends to the other when it has waited. */
const source = (other: number, send: string): string => `
  return async function handler(first, message) {
    await undefined;
    hits.hit();
    if (message.left > 1) ${send.replace('REF', `refs[${other}]`).replace('MESSAGE', "{ type: 'ball', left: message.left - 1 }")};
  }`;

const work: Work<Actors & Families> = async (actors, hits) => {
  const refs: unknown[] = [];
  await actors.spawnFamily([source(1, actors.send), source(0, actors.send)], refs, hits);
  return (size) => {
    const done = hits.expect(size);
    actors.tellRaw(refs[0], { type: 'ball', left: size });
    return done;
  };
};

export const asyncPingPong: Workload = {
  name: 'async',
  about: 'Two actors and one message between them, and each awaits once before it sends it back: what a handler that is async costs.',
  measures: { rate: { unit: 'messages/s', better: 'more' } },
  cases: [''],
  contenders: {
    nexa: perSecond(nexa, work, 4_000_000),
    nact: perSecond(plainNact, work, 1_200_000),
    bound: perSecond(bound, work, 6_000_000),
  },
  reach: [{ measure: 'rate', beside: 'nact', ratio: 5 }],
  words: 'What is awaited is there already: a handler that waits for a disk or a model takes as long as those do.',
};
