import type { Clock } from '../ports/clock.ts';
import type { Entry } from './copy.ts';
import type { LocalAgents } from './local-agents.ts';
import type { ReleaseReason } from './ownership.ts';
import type { Place } from './place.ts';

/** How long a hand-off waits for word of the next owner; the agent is given back by then, and anybody may claim it. */
const TAKEN_MS = 5_000;

/**
 * Moves agents of this node to others: no further turn, the message finished, its state stored, and the record without an owner
 * but with a preferred one. From then on the activation is over here, whatever becomes of the rest (C7).
 */
export interface HandOff {
  /** True once another node owns it. False at once unless it runs here, or when nobody was seen to take it. */
  give(key: string, reason: ReleaseReason): Promise<boolean>;
  /** What the copy shows. */
  changed(key: string, now: Entry<Place> | undefined): void;
}

export function handOff(options: {
  readonly self: { readonly node: string; readonly incarnation: number };
  readonly locals: LocalAgents;
  readonly clock: Clock;
}): HandOff {
  const { self, locals, clock } = options;
  const waiting = new Map<string, { readonly epoch: number; readonly settle: (taken: boolean) => void }>();
  return {
    give(key, reason) {
      return new Promise((resolve) => {
        const epoch = locals.running(key)?.epoch;
        if (waiting.has(key) || epoch === undefined) return resolve(false);
        const cancel = clock.after(TAKEN_MS, () => settle(false));
        const settle = (taken: boolean): void => {
          cancel();
          waiting.delete(key);
          resolve(taken);
        };
        waiting.set(key, { epoch, settle });
        if (!locals.release(key, reason)) settle(false);
      });
    },
    changed(key, now) {
      const given = waiting.get(key);
      if (given === undefined) return;
      if (now === undefined || now.value.desired !== 'running') return given.settle(false);
      const { owner } = now.value;
      // Still at the old epoch, or between two owners: not decided.
      if (owner === undefined || now.revision <= given.epoch) return;
      given.settle(owner.node !== self.node || owner.incarnation !== self.incarnation);
    },
  };
}
