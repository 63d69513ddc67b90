import type { Logger } from '../../src/ports/logger.ts';

/** A log of one line per entry, for the eyes of whoever follows one run. */
export function tracing(write: (line: string) => void, given: object = {}): Logger {
  const line = (level: string) => (fields: object, message: string) =>
    write(`${level} ${message} ${JSON.stringify({ ...given, ...fields })}`);
  return {
    debug: () => {},
    info: line('info'),
    warn: line('warn'),
    error: line('error'),
    child: (more) => tracing(write, { ...given, ...more }),
  };
}
