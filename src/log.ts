import { pino } from 'pino';
import type { Logger } from './ports/logger.ts';

/** Never shown, whatever logs it. */
const REDACT = ['*.password', '*.token', '*.secret', '*.credentials', 'password', 'token', 'secret', 'credentials'];

/** JSON lines on standard error, so that standard output stays the command's answer. `level`: silent, debug, info, warn, error. */
export function jsonLog(options: { readonly level: string; readonly fields?: Readonly<Record<string, string>> }): Logger {
  return pino(
    { level: options.level, base: { ...options.fields }, redact: REDACT, timestamp: pino.stdTimeFunctions.isoTime },
    pino.destination({ fd: 2, sync: true }),
  );
}
