import type { NodeId } from '../actor/address.ts';
import { type ClusterTimes, silenceMs } from './config.ts';
import type { Step } from './step.ts';

/** What this node holds against one member: how long it has seen the same revision while its own renewals succeeded. */
export interface Credit {
  readonly revision: number;
  readonly creditMs: number;
}
export interface JudgeState {
  readonly credits: ReadonlyMap<NodeId, Credit>;
  readonly renewedAtMs: number | undefined;
}
export const NO_CREDIT: JudgeState = { credits: new Map(), renewedAtMs: undefined };

export type JudgeInput =
  /** One of our own renewals succeeded; `members` are all others not gone, with the revision the copy shows now. */
  | { readonly input: 'renewed'; readonly members: ReadonlyMap<NodeId, number> }
  /** A CAS of ours on that member was refused or its outcome is unknown: start over. */
  | { readonly input: 'refused'; readonly node: NodeId }
  | { readonly input: 'copy-restarted' };
export type JudgeEffect = { readonly effect: 'declare-gone'; readonly node: NodeId; readonly revision: number };

/**
 * Silent loss. Time counts only between our own successful renewals, so an outage of the store never reads as everybody's
 * death, and the CAS goes to the revision observed when the credit began, so a member that renewed meanwhile refutes it.
 */
export const judge =
  (times: ClusterTimes): Step<JudgeState, JudgeInput, JudgeEffect> =>
  (state, input, nowMs) => {
    switch (input.input) {
      case 'copy-restarted':
        return [{ ...state, credits: new Map() }, []];
      case 'refused': {
        const credits = new Map(state.credits);
        credits.delete(input.node);
        return [{ ...state, credits }, []];
      }
      case 'renewed': {
        const earnedMs = state.renewedAtMs === undefined ? 0 : Math.min(nowMs - state.renewedAtMs, 2 * times.renewMs);
        const credits = new Map<NodeId, Credit>();
        const effects: JudgeEffect[] = [];
        for (const [node, revision] of input.members) {
          const before = state.credits.get(node);
          if (before?.revision !== revision) {
            credits.set(node, { revision, creditMs: 0 });
            continue;
          }
          const creditMs = before.creditMs + earnedMs;
          credits.set(node, { revision, creditMs });
          if (creditMs > silenceMs(times)) effects.push({ effect: 'declare-gone', node, revision });
        }
        return [{ credits, renewedAtMs: nowMs }, effects];
      }
    }
  };
