import { NexaError } from '../../errors.ts';
import { checkReplica, fieldsOf, isCount, isReplica, MOST_REPLICAS, misfit, own } from './plain.ts';
import type { Replicated } from './replicated.ts';

/** By replica: what it added in all, and what it took away in all. Both only grow. */
export type PnCounter = Readonly<Record<string, readonly [added: number, taken: number]>>;
export interface PnCounterType extends Replicated<PnCounter, PnCounter> {
  /**
   * The delta that adds `by`, an integer, below zero too. `replica` names who adds, and nobody else may ever use that name for this
   * counter: merge the delta and store the counter before anything of it is sent.
   * @throws NexaError `invalid-message` (no integer), `quota-exceeded` (beyond 2^53 of one replica, or 1,000 replicas), `bad-id`.
   */
  add(counter: PnCounter, by: number, replica: string): PnCounter;
  value(counter: PnCounter): number;
}

const NONE = [0, 0] as const;
const crowded = (): NexaError => new NexaError('quota-exceeded', `a replicated counter has ${MOST_REPLICAS} replicas at the most`);

/** A number that every replica may raise and lower at any time. */
export function pnCounter(): PnCounterType {
  return {
    empty: {},
    add(counter, by, replica) {
      checkReplica(replica);
      if (!Number.isSafeInteger(by)) throw new NexaError('invalid-message', `${by} is no integer`, { where: { field: 'by' } });
      if (by === 0) return {};
      const before = own(counter, replica);
      if (before === undefined && Object.keys(counter).length >= MOST_REPLICAS) throw crowded();
      const [added, taken] = before ?? NONE;
      const after = [added + Math.max(by, 0), taken + Math.max(-by, 0)] as const;
      if (!after.every(isCount)) throw new NexaError('quota-exceeded', 'one replica counts to 2^53 at the most', { where: { replica } });
      return { [replica]: after };
    },
    value: (counter) => Object.values(counter).reduce((sum, [added, taken]) => sum + added - taken, 0),
    merge(a, b) {
      const merged = { ...a };
      for (const [replica, [added, taken]] of Object.entries(b)) {
        const [before, takenBefore] = own(merged, replica) ?? NONE;
        merged[replica] = [Math.max(before, added), Math.max(takenBefore, taken)];
      }
      if (Object.keys(merged).length > MOST_REPLICAS) throw crowded();
      return merged;
    },
    digest: (counter) => counter,
    deltaSince(counter, digest) {
      const news = Object.entries(counter).filter(([replica, [added, taken]]) => {
        const [known, knownTaken] = own(digest, replica) ?? NONE;
        return added > known || taken > knownTaken;
      });
      return news.length === 0 ? undefined : Object.fromEntries(news);
    },
    parse,
    parseDigest: parse,
  };
}

function parse(data: unknown): PnCounter {
  for (const [replica, counts] of fieldsOf(data, 'counter', MOST_REPLICAS)) {
    if (!isReplica(replica)) throw misfit(`counter.${replica.slice(0, 128)}`, 'names no replica');
    if (!Array.isArray(counts) || counts.length !== 2 || !counts.every(isCount) || counts.every((count) => count === 0))
      throw misfit(`counter.${replica}`, 'is no pair of counts');
  }
  return data as PnCounter;
}
