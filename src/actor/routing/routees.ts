import { NexaError } from '../../errors.ts';
import { formatAddress } from '../address.ts';
import { type LiveRef, liveRef } from '../live-ref.ts';
import type { ActorRef } from '../ref.ts';
import type { Candidate } from './routing.ts';

/** Of one router. */
export const MOST_ROUTEES = 1_000;
/** Incarnations that ended, remembered because a source may name them a moment longer. */
const MOST_ENDED = 1_000;

/** One routee, and what its router knows of it. */
export class Routee implements Candidate {
  readonly key: string;
  readonly ref: LiveRef;
  outstanding = 0;
  learned: unknown = undefined;

  constructor(key: string, ref: LiveRef) {
    this.key = key;
    this.ref = ref;
  }

  get waiting(): number {
    const { target } = this.ref;
    return target === undefined || target.state === 'stopped' ? 0 : target.mailbox.size;
  }
}

/** The routees of one router. {@link all} is another array whenever they are others. */
export class Pool {
  all: readonly Routee[] = [];
  private readonly ended = new Set<string>();

  /** These and no others; who stays keeps what is known of it. Answers who came and who went. @throws NexaError `quota-exceeded`, `invalid-message`. */
  set(refs: readonly ActorRef<never>[]): { readonly came: readonly Routee[]; readonly went: readonly Routee[] } {
    const known = new Map(this.all.map((routee) => [routee.key, routee]));
    const next = new Map<string, Routee>();
    const came: Routee[] = [];
    for (const ref of refs) {
      const live = liveRef(ref).boundTo(undefined);
      const key = formatAddress(live.address);
      if (next.has(key) || this.ended.has(key)) continue;
      const routee = known.get(key) ?? new Routee(key, live);
      if (!known.has(key)) came.push(routee);
      next.set(key, routee);
    }
    if (next.size > MOST_ROUTEES) {
      throw new NexaError('quota-exceeded', `a router has at most ${MOST_ROUTEES} routees, not ${next.size}`, {
        fix: 'Put routers behind a router.',
      });
    }
    const went = this.all.filter(({ key }) => !next.has(key));
    if (came.length > 0 || went.length > 0) this.all = [...next.values()];
    return { came, went };
  }

  /** It ended. An incarnation never comes back (L4); an agent may. */
  remove(key: string): void {
    const found = this.all.find((routee) => routee.key === key);
    if (found === undefined) return;
    this.all = this.all.filter((routee) => routee !== found);
    if (found.ref.address.kind === 'agent') return;
    const [oldest] = this.ended;
    if (this.ended.size >= MOST_ENDED && oldest !== undefined) this.ended.delete(oldest);
    this.ended.add(key);
  }
}
