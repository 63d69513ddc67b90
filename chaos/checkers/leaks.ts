import { type Verdict, verdictOf } from './verdict.ts';

/** What there was of everything that has to end with whoever began it: names by kind (`processes`, `ports`, `consumers`, `subscriptions`, `timers`). */
export type Inventory = Readonly<Record<string, readonly string[]>>;
/** Sizes by name, in bytes or as a count: heaps, tables. */
export type Sizes = Readonly<Record<string, number>>;

/** B1: nothing is there afterwards that was not there before. A name that is there twice counts twice. */
export function leaked(before: Inventory, after: Inventory): readonly string[] {
  return Object.entries(after).flatMap(([kind, names]) => {
    const left = new Map<string, number>();
    for (const name of before[kind] ?? []) left.set(name, (left.get(name) ?? 0) + 1);
    return names.flatMap((name) => {
      const had = left.get(name) ?? 0;
      left.set(name, had - 1);
      return had > 0 ? [] : [`${kind}: ${name}`];
    });
  });
}

/** B1: nothing has grown beyond its former size by more than `byMost` and by more than the factor: what is needed grows to a bound and stays there. */
export function grown(before: Sizes, after: Sizes, allowed: { readonly byMost: number; readonly factor: number }): readonly string[] {
  return Object.entries(after).flatMap(([name, now]) => {
    const was = before[name];
    if (was === undefined || now <= was + allowed.byMost || now <= was * allowed.factor) return [];
    return [`${name} grew from ${was} to ${now}`];
  });
}

export const leaks = (left: readonly string[]): Verdict => verdictOf(left.map((each) => `left behind: ${each}`));
