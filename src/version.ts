/** This release; a test keeps it equal to package.json. */
export const VERSION = '0.1.0';
/** Wire versions this release has; to each node it speaks the highest that both have (C9). */
export const WIRE_VERSIONS: readonly number[] = [2, 1];
