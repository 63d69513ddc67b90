import { type ClusterTimes, ownedForMs } from './config.ts';
import type { OverReason } from './fenced.ts';
import type { Step } from './step.ts';

/** One reading of the three clocks; only differences of one clock mean something. */
export interface Instant {
  readonly monotonicMs: number;
  readonly wallMs: number;
  readonly bootMs: number;
}

/**
 * What has passed since `then`: the largest of what the clocks say. The monotonic clock stops while a machine is suspended, the
 * wall clock may jump; taking the larger one costs a pause at worst, never safety.
 */
export const elapsedMs = (then: Instant, now: Instant): number =>
  Math.max(now.monotonicMs - then.monotonicMs, now.wallMs - then.wallMs, now.bootMs - then.bootMs);

export interface LeaseState {
  readonly incarnation: number;
  /** Of the member record, as last known to be ours. */
  readonly revision: number;
  /** When the last successful renewal was *sent*. */
  readonly renewed: Instant;
  /** Since when no renewal has succeeded, or since the start: what the store watchdog goes by. */
  readonly quietSinceMs: number;
  /** Since when a renewal, or the read after a doubtful one, is under way. */
  readonly busySinceMs: number | undefined;
  readonly nextRenewalAtMs: number;
  readonly suspended: boolean;
  readonly over: boolean;
  /** When our own beat, published on the data connection, was last heard on the control connection. */
  readonly beatHeardAtMs: number;
  readonly nextMoveAtMs: number;
  /** Since the last success. */
  readonly moves: number;
  readonly dataMovedAtMs: number;
  readonly tickedAtMs: number;
  /** When this process last went on after it had stood still: what was silent meanwhile was itself. */
  readonly wentOnAtMs: number;
}

export type LeaseInput =
  | { readonly input: 'tick'; readonly now: Instant }
  | { readonly input: 'renewed'; readonly sent: Instant; readonly revision: number }
  /** Somebody was told that the lease is over, and waits to be told that it is back. */
  | { readonly input: 'lapsed' }
  | { readonly input: 'doubtful' }
  /** A leader read of our own key after a doubtful outcome, or anything newer that the watched copy showed. */
  | { readonly input: 'seen'; readonly incarnation: number; readonly gone: boolean; readonly revision: number }
  | { readonly input: 'read-failed' }
  | { readonly input: 'beat-heard' };

export type LeaseEffect =
  | { readonly effect: 'renew'; readonly revision: number; readonly sent: Instant }
  | { readonly effect: 'read' }
  | { readonly effect: 'suspend' }
  | { readonly effect: 'resume' }
  | { readonly effect: 'over'; readonly reason: OverReason }
  | { readonly effect: 'move-control' }
  | { readonly effect: 'move-data' };

/** Store watchdog: no successful renewal for this long, whatever the errors, and the control connection tries another server. */
const watchdogMs = ({ renewMs }: ClusterTimes): number => 2 * renewMs;
/** Ticks that far apart: a blocked event loop, or a stopped process. */
const stoodStillMs = ({ renewMs }: ClusterTimes): number => renewMs;
const moveAgainMs = ({ renewMs }: ClusterTimes, moves: number): number => renewMs * Math.min(2 ** moves, 4);
/** The data connection follows to control's server when no beat came through for this long. */
const dataDeafMs = ({ beatMs }: ClusterTimes): number => 2 * beatMs;

export function leaseOf(incarnation: number, revision: number, joined: Instant): LeaseState {
  return {
    incarnation,
    revision,
    renewed: joined,
    quietSinceMs: joined.monotonicMs,
    busySinceMs: undefined,
    nextRenewalAtMs: joined.monotonicMs,
    suspended: false,
    over: false,
    beatHeardAtMs: joined.monotonicMs,
    nextMoveAtMs: 0,
    moves: 0,
    dataMovedAtMs: 0,
    tickedAtMs: joined.monotonicMs,
    wentOnAtMs: joined.monotonicMs,
  };
}

/** Whether the holder may act at this instant (C2). Asked at every gate, so it is arithmetic and nothing else. */
export const owns = (state: LeaseState, now: Instant, times: ClusterTimes): boolean =>
  !state.over && elapsedMs(state.renewed, now) < ownedForMs(times);

/**
 * The life of one node incarnation's lease. Only a success extends it; refused and unknown outcomes never do, they only make it
 * look at the record. Suspending is not dying: a later success proves that nobody judged us, and resumes everything.
 */
export const lease =
  (times: ClusterTimes): Step<LeaseState, LeaseInput, LeaseEffect> =>
  (state, input, nowMs) => {
    if (state.over) return [state, []];
    switch (input.input) {
      case 'tick':
        return tick(state, input.now, times);
      case 'renewed': {
        const next: LeaseState = {
          ...state,
          revision: input.revision,
          renewed: input.sent,
          quietSinceMs: input.sent.monotonicMs,
          busySinceMs: undefined,
          nextRenewalAtMs: input.sent.monotonicMs + times.renewMs,
          suspended: false,
          nextMoveAtMs: 0,
          moves: 0,
        };
        return [next, state.suspended ? [{ effect: 'resume' }] : []];
      }
      case 'lapsed':
        return state.suspended ? [state, []] : [{ ...state, suspended: true }, [{ effect: 'suspend' }]];
      case 'doubtful':
        return [{ ...state, busySinceMs: nowMs }, [{ effect: 'read' }]];
      case 'read-failed':
        return [{ ...state, busySinceMs: undefined, nextRenewalAtMs: nowMs }, []];
      case 'seen':
        if (input.incarnation > state.incarnation || (input.incarnation === state.incarnation && input.gone)) {
          return [{ ...state, over: true }, [{ effect: 'over', reason: 'declared-gone' }]];
        }
        // An ambiguous renewal of ours landed: take its revision, do not extend the lease by it.
        return [
          {
            ...state,
            revision: Math.max(state.revision, input.incarnation === state.incarnation ? input.revision : 0),
            busySinceMs: undefined,
          },
          [],
        ];
      case 'beat-heard':
        return [{ ...state, beatHeardAtMs: nowMs }, []];
    }
  };

function tick(state: LeaseState, now: Instant, times: ClusterTimes): readonly [LeaseState, readonly LeaseEffect[]] {
  const nowMs = now.monotonicMs;
  // Not by the wall clock: a jump of it costs a pause, and never a node.
  const silentMs = Math.max(nowMs - state.renewed.monotonicMs, now.bootMs - state.renewed.bootMs);
  if (silentMs >= times.overMs) return [{ ...state, over: true }, [{ effect: 'over', reason: 'not-renewed' }]];
  const effects: LeaseEffect[] = [];
  let next: LeaseState = {
    ...state,
    tickedAtMs: nowMs,
    wentOnAtMs: nowMs - state.tickedAtMs >= stoodStillMs(times) ? nowMs : state.wentOnAtMs,
  };
  if (!next.suspended && !owns(next, now, times)) {
    next = { ...next, suspended: true };
    effects.push({ effect: 'suspend' });
  }
  const quietMs = nowMs - Math.max(next.quietSinceMs, next.wentOnAtMs);
  if (quietMs >= watchdogMs(times) && nowMs >= next.nextMoveAtMs) {
    // The first move is due at once; an isolated server refuses instantly, so what counts is success, not kinds of failure.
    effects.push({ effect: 'move-control' });
    next = { ...next, nextMoveAtMs: nowMs + moveAgainMs(times, next.moves), moves: next.moves + 1 };
  }
  const deafMs = nowMs - next.beatHeardAtMs;
  const missedMs = nowMs - Math.max(next.beatHeardAtMs, next.wentOnAtMs);
  if (missedMs >= dataDeafMs(times) + times.beatMs && quietMs < watchdogMs(times) && nowMs - next.dataMovedAtMs >= 2 * dataDeafMs(times)) {
    effects.push({ effect: 'move-data' });
    next = { ...next, dataMovedAtMs: nowMs };
  }
  // A node whose messages nobody hears must not look alive: no beat within the ttl, no renewal.
  if (next.busySinceMs === undefined && nowMs >= next.nextRenewalAtMs && deafMs < times.ttlMs) {
    effects.push({ effect: 'renew', revision: next.revision, sent: now });
    next = { ...next, busySinceMs: nowMs, nextRenewalAtMs: nowMs + times.renewMs };
  }
  return [next, effects];
}
