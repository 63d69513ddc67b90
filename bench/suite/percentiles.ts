/** The value that so large a share of all does not exceed. */
export function quantile(values: readonly number[] | Float64Array, share: number): number {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
/** The median, and what one of a hundred takes longer than. */
export const percentiles = (times: Float64Array): { readonly p50: number; readonly p99: number } => ({
  p50: quantile(times, 0.5),
  p99: quantile(times, 0.99),
});
