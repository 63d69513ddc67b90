import type { ActName } from '../act.ts';
import { movesOf } from '../checkers/moved-needlessly.ts';
import type { Run } from '../run.ts';

/** Something that has to have happened at least once for a run to say anything. */
export interface Purpose {
  /** As in "… never happened". */
  readonly what: string;
  seen(run: Pick<Run, 'acts' | 'events' | 'exits' | 'records' | 'works'>): boolean;
}

const moved = (what: string, ...causes: readonly string[]): Purpose => ({
  what,
  seen: ({ records }) => movesOf(records).some(({ cause }) => cause !== undefined && causes.includes(cause)),
});
const told = (
  what: string,
  kinds: readonly string[],
  of: (fields: Readonly<Record<string, unknown>>) => boolean = () => true,
): Purpose => ({
  what,
  seen: ({ events }) => events.some(({ event }) => kinds.includes(event.event) && of(event)),
});

export const takenOver = moved('that agents of a lost node were taken over', 'crash', 'lease');
export const drained = moved('that agents were given away by a node that left', 'drain', 'left');
/** Who is suspended has nobody to tell it to; that it goes on again is heard. */
export const suspended = told('that a node without the store suspended its agents', ['suspended', 'resumed']);
export const putAside = told('that a poisonous message was put aside', ['dead-letter'], ({ reason }) => reason === 'poison');
export const declaredGone: Purpose = {
  what: 'that a node which was declared gone ended itself',
  seen: ({ exits }) => exits.some(({ code }) => code === 75),
};
export const withoutAnswer: Purpose = {
  what: 'that a call got no answer',
  seen: ({ works }) => works.some(({ operations }) => operations.some(({ outcome }) => outcome === 'info')),
};
export const done = (...acts: readonly ActName[]): Purpose => ({
  what: `that something was done to the world (${acts.join(', ')})`,
  seen: (run) => run.acts.some(({ act }) => acts.includes(act.act)),
});

/** Those that were not seen, as sentences. */
export const missing = (purposes: readonly Purpose[], run: Parameters<Purpose['seen']>[0]): readonly string[] =>
  purposes.filter((purpose) => !purpose.seen(run)).map(({ what }) => `it never happened ${what}: this run does not show it`);
