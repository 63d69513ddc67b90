import type { Act, Place } from '../act.ts';
import type { Run } from '../run.ts';
import type { Interval } from './availability.ts';

/** That something was done to a place, or to `everybody`. */
export interface Met extends Interval {
  readonly place: Place | typeof EVERYBODY;
}
const EVERYBODY = '*';

/** Acts on a server that its clients notice and leave: they cost a pause, and nobody their agents. */
const LEFT_AT_ONCE: readonly Act['act'][] = ['kill-server', 'stop-server', 'start-server', 'copy-store'];
/** Faults that meet whoever handles what they send. */
const BY_MESSAGE: readonly string[] = ['poison', 'garbage', 'duplicates', 'slow-consumer', 'delete-stream', 'change-stream'];
/** Without the store for so long nodes may give up; docs/operations.md says 60 s. */
const LONG_MS = 50_000;

/**
 * Whom the faults of a run met, and when. A server that stands still or is cut off takes those nodes with it that are connected to it: who they
 * were is not known here, so that is everybody. So is an outage of the store that nodes do not wait for.
 */
export function metBy(run: Pick<Run, 'faults' | 'acts'>): readonly Met[] {
  return [
    ...run.faults.flatMap(({ fault, met, fromMs, untilMs, skipped }) => {
      if (skipped !== undefined) return [];
      const places = BY_MESSAGE.includes(fault.fault) ? [...met, EVERYBODY] : met;
      return places.map((place) => ({ place, fromMs, untilMs }));
    }),
    ...run.acts.flatMap(({ act, fromMs, untilMs }) => placesOf(act).map((place) => ({ place, fromMs, untilMs }))),
    ...run.faults.flatMap(({ fault, fromMs, untilMs }) =>
      fault.fault !== 'wait' && untilMs - fromMs >= LONG_MS ? [{ place: EVERYBODY, fromMs: fromMs + LONG_MS, untilMs } as const] : [],
    ),
  ];
}

function placesOf(act: Act): readonly (Place | typeof EVERYBODY)[] {
  const named = ['node', 'server', 'place', 'from', 'to'].flatMap((field) => {
    const place = (act as Readonly<Record<string, unknown>>)[field];
    return typeof place === 'string' ? [place] : [];
  });
  const servers = named.length > 0 && named.every(isServer);
  return servers && !LEFT_AT_ONCE.includes(act.act) ? [...named, EVERYBODY] : named;
}

export const isServer = (place: Place): boolean => /^s\d/.test(place);

/** Whether it was done to that place at that time, or at most `afterMs` before. */
export const wasMet = (met: readonly Met[], place: Place, atMs: number, afterMs: number): boolean =>
  met.some((each) => (each.place === place || each.place === EVERYBODY) && each.fromMs <= atMs && atMs <= each.untilMs + afterMs);
