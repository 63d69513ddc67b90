import type { Operation } from '../history.ts';

/** One call as a point of the chart. */
export interface Point {
  readonly atMs: number;
  readonly tookMs: number;
}

/**
 * At most `most` points that look like all of them: time is cut into stretches, of each the slowest is kept and then every so-manieth of the
 * rest. What is open at the end is as long as the run.
 */
export function thinned(operations: readonly Operation<unknown, unknown>[], untilMs: number, most: number): readonly Point[] {
  const points = operations.map(
    ({ invokedAtMs, endedAtMs }): Point => ({ atMs: invokedAtMs, tookMs: Math.min(endedAtMs, untilMs) - invokedAtMs }),
  );
  if (points.length <= most) return points;
  const stretches = new Map<number, Point[]>();
  const width = untilMs / Math.max(1, Math.floor(most / 4));
  for (const point of points) {
    const at = Math.floor(point.atMs / width);
    const stretch = stretches.get(at);
    if (stretch === undefined) stretches.set(at, [point]);
    else stretch.push(point);
  }
  const slowest = [...stretches.values()].map((stretch) => stretch.reduce((a, b) => (b.tookMs > a.tookMs ? b : a))).slice(0, most);
  const kept = new Set(slowest);
  const rest = points.filter((point) => !kept.has(point));
  const every = Math.max(1, Math.ceil(rest.length / Math.max(1, most - slowest.length)));
  return [...slowest, ...rest.filter((_, index) => index % every === 0)].slice(0, most);
}

/** Outcomes per second, in `count` stretches of equal length. */
export function rates(operations: readonly Operation<unknown, unknown>[], untilMs: number, count: number) {
  const empty = (): number[] => Array.from({ length: count }, () => 0);
  const all = { ok: empty(), fail: empty(), info: empty() };
  const perSecond = (count * 1_000) / untilMs;
  for (const { outcome, endedAtMs, invokedAtMs } of operations) {
    const at = Math.min(count - 1, Math.max(0, Math.floor(((endedAtMs <= untilMs ? endedAtMs : invokedAtMs) / untilMs) * count)));
    const row = all[outcome];
    row[at] = (row[at] ?? 0) + perSecond;
  }
  return all;
}
