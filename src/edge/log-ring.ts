import type { Clock } from '../ports/clock.ts';
import type { Logger } from '../ports/logger.ts';
import { shownFields, shownText } from './showable.ts';

/** From the least to the most urgent. */
export const LOG_LEVELS = ['info', 'warn', 'error'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** One line of a node's log, as strangers may see it. */
export interface LogLine {
  /** Counts up from 1. */
  readonly n: number;
  /** The node's wall clock. */
  readonly atMs: number;
  readonly level: LogLevel;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}
export interface LogPage {
  /** Oldest first. */
  readonly lines: readonly LogLine[];
  /** Of the newest line there is: where to go on. */
  readonly last: number;
  /** Lines after the wanted place that are not kept any more. */
  readonly lost: number;
}
export interface LogWanted {
  readonly level: LogLevel;
  /** 1 … 1,000. */
  readonly limit: number;
  /** Only lines after this one: of those the oldest, so that whoever follows misses none; without it the newest. */
  readonly after?: number | undefined;
}

const LINES = 1_000;
const BYTES = 524_288;
/** What one line may weigh. */
const LINE_BYTES = 8_192;
const FIXED_BYTES = 120;
/** What fits into one answer. */
const PAGE_BYTES = 262_144;

/** The last lines of a node's log, from `info` on, whatever its log writes elsewhere. Bounded by count and estimated bytes. */
export class LogRing {
  private readonly clock: Clock;
  private readonly kept: { readonly line: LogLine; readonly sizeBytes: number }[] = [];
  private bytes = 0;
  private total = 0;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  /** The same log, of which this also keeps what it is told. */
  keeping(log: Logger, bound: object = {}): Logger {
    const at =
      (level: LogLevel) =>
      (fields: object, message: string): void => {
        this.add(level, { ...bound, ...fields }, message);
        log[level](fields, message);
      };
    return {
      debug: (fields, message) => log.debug(fields, message),
      info: at('info'),
      warn: at('warn'),
      error: at('error'),
      child: (fields) => this.keeping(log.child(fields), { ...bound, ...fields }),
    };
  }

  page({ level, limit, after }: LogWanted): LogPage {
    const least = LOG_LEVELS.indexOf(level);
    const fits = this.kept.filter(({ line }) => LOG_LEVELS.indexOf(line.level) >= least && line.n > (after ?? 0));
    // Who follows goes on where he was; who looks first wants the latest.
    const chosen = after === undefined ? fits.slice(-limit).reverse() : fits.slice(0, limit);
    let left = PAGE_BYTES;
    const lines: LogLine[] = [];
    for (const { line, sizeBytes } of chosen) {
      left -= sizeBytes;
      if (left < 0) break;
      lines.push(line);
    }
    if (after === undefined) lines.reverse();
    const whole = after === undefined || lines.length === fits.length;
    const first = this.kept[0]?.line.n ?? this.total + 1;
    return {
      lines,
      last: whole ? this.total : (lines.at(-1)?.n ?? this.total),
      lost: after === undefined ? 0 : Math.max(0, first - after - 1),
    };
  }

  private add(level: LogLevel, fields: object, text: string): void {
    let shown = shownFields(fields);
    let sizeBytes = FIXED_BYTES + JSON.stringify(shown).length;
    if (sizeBytes > LINE_BYTES) {
      shown = { cutBytes: sizeBytes };
      sizeBytes = FIXED_BYTES;
    }
    const message = shownText(String(text));
    sizeBytes += message.length;
    this.kept.push({ line: { n: ++this.total, atMs: this.clock.wallMs(), level, message, fields: shown }, sizeBytes });
    this.bytes += sizeBytes;
    while (this.kept.length > LINES || this.bytes > BYTES) this.bytes -= this.kept.shift()?.sizeBytes ?? 0;
  }
}
