/** What a checker found. `unknown` is not `ok`: the evidence or the budget was not enough to decide. */
export type Verdict =
  | { readonly verdict: 'ok' }
  | { readonly verdict: 'bad'; readonly violations: readonly string[] }
  | { readonly verdict: 'unknown'; readonly reason: string };

/** Longest list of violations a verdict carries; more of the same would not help to find the cause. */
const shown = 20;

/** No violation is `ok`; a long list is cut and says so. */
export function verdictOf(violations: readonly string[]): Verdict {
  if (violations.length === 0) return { verdict: 'ok' };
  const more = violations.length - shown;
  return { verdict: 'bad', violations: more > 0 ? [...violations.slice(0, shown), `… and ${more} more`] : violations };
}

/** One violation outweighs everything, one doubt outweighs every `ok`. */
export function worstOf(verdicts: readonly Verdict[]): Verdict {
  const violations = verdicts.flatMap((each) => (each.verdict === 'bad' ? each.violations : []));
  if (violations.length > 0) return verdictOf(violations);
  const reasons = verdicts.flatMap((each) => (each.verdict === 'unknown' ? [each.reason] : []));
  return reasons.length > 0 ? { verdict: 'unknown', reason: reasons.slice(0, shown).join('; ') } : { verdict: 'ok' };
}
