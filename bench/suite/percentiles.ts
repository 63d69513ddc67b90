/** The median, and what one of a hundred takes longer than. */
export function percentiles(times: Float64Array): { readonly p50: number; readonly p99: number } {
  const sorted = times.toSorted();
  const at = (share: number): number => sorted[Math.floor(sorted.length * share)] ?? Number.NaN;
  return { p50: at(0.5), p99: at(0.99) };
}
