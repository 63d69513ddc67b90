import { type ErrorCode, toNexaError } from '../errors.ts';
import type { Clock } from '../ports/clock.ts';
import type { Logger } from '../ports/logger.ts';

/** Between two lines about one kind of trouble, however often it comes and goes. */
const LOG_EVERY_MS = 60_000;

/**
 * What keeps a node from storing snapshots. Nothing is lost by it, but journals grow until their store is full too, so it is told: once of each
 * kind for all agents together, and again when it comes back after one was stored.
 */
export class SnapshotTroubles {
  readonly #log: Logger;
  readonly #clock: Clock;
  readonly #told = new Map<ErrorCode, { readonly atMs: number; over: boolean }>();

  constructor({ log, clock }: { readonly log: Logger; readonly clock: Clock }) {
    this.#log = log;
    this.#clock = clock;
  }

  /** `where`: whose it was. */
  failed(thrown: unknown, where: Readonly<Record<string, string>>): void {
    const error = toNexaError(thrown, 'internal');
    // The activation is over, and another one writes the next.
    if (error.code === 'fenced') return;
    const told = this.#told.get(error.code);
    const nowMs = this.#clock.monotonicMs();
    if (told !== undefined && (!told.over || nowMs - told.atMs < LOG_EVERY_MS)) return;
    this.#told.set(error.code, { atMs: nowMs, over: false });
    this.#log.warn(
      { ...where, ...error.where, code: error.code, error: error.message, ...(error.fix === undefined ? {} : { fix: error.fix }) },
      'a snapshot could not be stored: the journal keeps all, and grows',
    );
  }
  stored(): void {
    for (const told of this.#told.values()) told.over = true;
  }
}
