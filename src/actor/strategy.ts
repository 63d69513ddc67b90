import { NexaError } from '../errors.ts';

export type Directive = 'resume' | 'restart' | 'stop' | 'escalate';
/** Supervision as data: printable, comparable, testable without a clock. Past the intensity the failure escalates. */
export interface Strategy {
  /** Who shares the child's fate: it alone, those started after it, all. Stopped in reverse, started in order. */
  readonly scope: 'one' | 'rest' | 'all';
  /** Within `withinMs`; counted per child for scope `one`, else for all children together. 0 … 10,000, or Infinity. */
  readonly maxRestarts: number;
  readonly withinMs: number;
  readonly backoff: { readonly minMs: number; readonly maxMs: number; readonly factor: number; readonly jitter: number };
  /** Pure. Default: restart. */
  readonly decide: (error: NexaError) => Directive;
}

const DEFAULTS = {
  maxRestarts: 5,
  withinMs: 60_000,
  backoff: { minMs: 10, maxMs: 10_000, factor: 2, jitter: 0.2 },
  decide: (): Directive => 'restart',
} as const satisfies Omit<Strategy, 'scope'>;

/** Only the child that failed. @throws NexaError `invalid-definition` for numbers that make no strategy. */
export const oneForOne = (options: Partial<Omit<Strategy, 'scope'>> = {}): Strategy => checked({ ...DEFAULTS, ...options, scope: 'one' });
/** The child that failed and those started after it. @throws NexaError `invalid-definition`. */
export const restForOne = (options: Partial<Omit<Strategy, 'scope'>> = {}): Strategy => checked({ ...DEFAULTS, ...options, scope: 'rest' });
/** All children. @throws NexaError `invalid-definition`. */
export const allForOne = (options: Partial<Omit<Strategy, 'scope'>> = {}): Strategy => checked({ ...DEFAULTS, ...options, scope: 'all' });

/** The wait before the nth restart in a row (n from 1): exponential, capped, spread by ± jitter. `chance` is 0 ≤ x < 1. */
export function backoffMs(backoff: Strategy['backoff'], nth: number, chance: number): number {
  if (backoff.minMs === 0) return 0;
  const grown = Math.min(backoff.maxMs, backoff.minMs * backoff.factor ** (nth - 1));
  return Math.max(0, grown * (1 + backoff.jitter * (2 * chance - 1)));
}

function checked(strategy: Strategy): Strategy {
  const { maxRestarts, withinMs, backoff, decide } = strategy;
  const sound =
    (maxRestarts === Number.POSITIVE_INFINITY || (Number.isInteger(maxRestarts) && maxRestarts >= 0 && maxRestarts <= 10_000)) &&
    withinMs > 0 &&
    backoff.minMs >= 0 &&
    backoff.maxMs >= backoff.minMs &&
    backoff.maxMs <= 2 ** 31 &&
    backoff.factor >= 1 &&
    backoff.jitter >= 0 &&
    backoff.jitter <= 1 &&
    typeof decide === 'function';
  if (!sound) {
    throw new NexaError('invalid-definition', 'these numbers make no supervision strategy', {
      fix: 'Give maxRestarts 0 … 10,000 or Infinity, withinMs > 0, 0 ≤ minMs ≤ maxMs, factor ≥ 1, 0 ≤ jitter ≤ 1.',
    });
  }
  return strategy;
}
