/** Storms that once failed, by their seeds, and what they found. They run with the seeds of the suite. */
export const REGRESSIONS: ReadonlyMap<number, string> = new Map([
  [294, 'a joiner took one late read for a renewal, and its own name for in use'],
  [323, 'the same, cut off from the store at first'],
  [1161, 'the same'],
  [1190, 'the same'],
]);
