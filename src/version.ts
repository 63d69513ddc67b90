/** This release; a test keeps it equal to package.json. */
export const VERSION = '0.1.0';
/** Wire versions this release reads, and the first of them writes. */
export const WIRE_VERSIONS: readonly number[] = [1];
