import type { Logger } from '../ports/logger.ts';

/** A log that cannot hurt: what the given one throws is dropped. */
export function safeLogger(log: Logger): Logger {
  const safe =
    (level: 'debug' | 'info' | 'warn' | 'error') =>
    (fields: object, message: string): void => {
      try {
        log[level](fields, message);
      } catch {
        // Nowhere left to say it.
      }
    };
  return {
    debug: safe('debug'),
    info: safe('info'),
    warn: safe('warn'),
    error: safe('error'),
    child(fields) {
      try {
        return safeLogger(log.child(fields));
      } catch {
        return safeLogger(log);
      }
    },
  };
}

/** Says nothing. */
export const silentLogger: Logger = { debug() {}, info() {}, warn() {}, error() {}, child: () => silentLogger };
