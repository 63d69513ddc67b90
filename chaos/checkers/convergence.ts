import type { Operation } from '../history.ts';
import { type Verdict, verdictOf } from './verdict.ts';

/** What a cluster looked like when it had been given time to recover. */
export interface Recovered {
  /** When the last fault ended, on the history's clock. */
  readonly healedAtMs: number;
  /** Within which each key has to answer again. */
  readonly withinMs: number;
  readonly keys: readonly number[];
  readonly operations: readonly Operation<unknown, unknown>[];
  /** What each node takes the members to be; the text is compared as it stands. */
  readonly views: ReadonlyMap<string, readonly string[]>;
  /** What ought to be empty by now, by name: mailboxes, outbound buffers, tables of pending asks. */
  readonly queues?: ReadonlyMap<string, number>;
}

/** C5, C6: after the heal every key answers within its bound, all nodes agree on the members, and nothing is left in a queue. */
export function convergence(recovered: Recovered): Verdict {
  const { healedAtMs, withinMs, keys, operations, views, queues } = recovered;
  const first = new Map<number, number>();
  for (const each of operations) {
    if (each.outcome !== 'ok' || each.invokedAtMs < healedAtMs) continue;
    first.set(each.key, Math.min(each.endedAtMs, first.get(each.key) ?? Number.POSITIVE_INFINITY));
  }
  const silent = keys.flatMap((key) => {
    const atMs = first.get(key);
    if (atMs === undefined) return [`key ${key} never answered after the heal`];
    const tookMs = atMs - healedAtMs;
    return tookMs > withinMs ? [`key ${key} answered ${tookMs.toFixed(0)} ms after the heal; ${withinMs} ms were allowed`] : [];
  });
  const groups = new Map<string, string[]>();
  for (const [node, members] of views) {
    const view = [...members].sort().join(', ');
    groups.set(view, [...(groups.get(view) ?? []), node]);
  }
  const disagreeing =
    groups.size > 1
      ? [`the nodes disagree on the members: ${[...groups].map(([view, nodes]) => `${nodes.join(', ')} see [${view}]`).join('; ')}`]
      : [];
  const full = [...(queues ?? [])].filter(([, left]) => left !== 0).map(([queue, left]) => `${queue} still holds ${left}`);
  return verdictOf([...silent, ...disagreeing, ...full]);
}
