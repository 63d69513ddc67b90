/** Seeds that once failed, and what they found. They run with every other seed of the suite. */
export const REGRESSIONS: readonly number[] = [];
