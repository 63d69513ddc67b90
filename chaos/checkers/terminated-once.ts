import { type Verdict, verdictOf } from './verdict.ts';

/** One watch, or one `terminated` that arrived. */
export interface Watching {
  readonly watcher: string;
  readonly target: string;
}

/**
 * L3: each watch of a target that ended yielded exactly one `terminated`, and of one that lives none; nobody was told of what it
 * did not watch. `ended` names the targets that are known to be over; watchers that are over themselves do not belong in `watches`.
 */
export function terminatedOnce(watches: readonly Watching[], notices: readonly Watching[], ended: ReadonlySet<string>): Verdict {
  const counted = new Map<string, number>();
  for (const each of notices) counted.set(pair(each), (counted.get(pair(each)) ?? 0) + 1);
  const watched = new Set(watches.map(pair));
  return verdictOf([
    ...watches.flatMap((each) => {
      const times = counted.get(pair(each)) ?? 0;
      const due = ended.has(each.target) ? 1 : 0;
      return times === due ? [] : [`${each.watcher} was told ${times} times that ${each.target} ended; ${due} was due`];
    }),
    ...notices
      .filter((each) => !watched.has(pair(each)))
      .map((each) => `${each.watcher} was told that ${each.target} ended, which it does not watch`),
  ]);
}

const pair = ({ watcher, target }: Watching): string => JSON.stringify([watcher, target]);
