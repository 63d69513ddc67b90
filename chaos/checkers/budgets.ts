import type { Fault } from '../fault.ts';
import type { FaultRun, Run } from '../run.ts';
import type { Interval } from './availability.ts';
import { isServer } from './met.ts';

/** docs/operations.md, "What a failure costs": until an agent answers again. */
const SEEN_MS = 2_000;
const SILENT_MS = 10_000;
const STORE_MS = 15_000;
/** From a heal to the last answer. */
const HEAL_MS = 20_000;
/** When nodes gave up, or everything was down: starts with back-off, formation, claims. */
const ANEW_MS = 60_000;
const GIVE_UP_MS = 50_000;

/**
 * How long keys may be silent because of a fault. When nodes alone are gone, others take over while they are still away; of anything else it is
 * the fault itself and what it takes afterwards.
 */
export function costOf({ fault, fromMs, untilMs, met }: Pick<FaultRun, 'fault' | 'fromMs' | 'untilMs' | 'met'>): readonly Interval[] {
  const taken = met.some(isServer) || meetsServers(fault) ? undefined : takenOverWithin(fault);
  if (taken === undefined) return [{ fromMs, untilMs: untilMs + (untilMs - fromMs >= GIVE_UP_MS ? ANEW_MS : afterwardsOf(fault)) }];
  // What comes back may take its share again, and is handed it.
  return [
    { fromMs, untilMs: fromMs + taken },
    { fromMs: untilMs, untilMs: untilMs + SEEN_MS },
  ];
}

/** Undefined: nobody takes over before it ends. */
function takenOverWithin(fault: Fault): number | undefined {
  if (fault.fault === 'kill' || fault.fault === 'pause') {
    if (fault.many !== undefined && fault.many !== 'one' && fault.many !== 'minority') return undefined;
    return fault.fault === 'kill' && fault.silent !== true ? SEEN_MS : SILENT_MS;
  }
  return fault.fault === 'partition' && fault.shape === 'isolate' ? SILENT_MS : undefined;
}

/** A simulation has none that could be met by name. */
const meetsServers = (fault: Fault): boolean =>
  'target' in fault && fault.target !== undefined && (/^(server|store-)/.test(fault.target) || isServer(fault.target));

function afterwardsOf(fault: Fault): number {
  if (fault.fault === 'together') return Math.max(0, ...fault.faults.map(afterwardsOf));
  if (fault.fault === 'wait') return 0;
  if (fault.fault === 'heal') return HEAL_MS;
  const everywhere = 'many' in fault && (fault.many === 'all' || fault.many === 'majority');
  return everywhere && fault.fault !== 'pause' ? ANEW_MS : STORE_MS;
}

/** Of a whole run, `slackMs` added to each: the deadline of a call that was lost, and a machine that is busy with something else. */
export const costsOf = (run: Pick<Run, 'faults' | 'healedAtMs'>, slackMs: number): readonly Interval[] =>
  [
    ...run.faults.filter(({ fault, skipped }) => skipped === undefined && fault.fault !== 'wait').flatMap(costOf),
    { fromMs: run.healedAtMs, untilMs: run.healedAtMs + HEAL_MS },
  ].map(({ fromMs, untilMs }) => ({ fromMs, untilMs: untilMs + slackMs }));

export const RECOVERED_MS = HEAL_MS;
