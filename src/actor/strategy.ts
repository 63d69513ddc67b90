import type { NexaError } from '../errors.ts';

export type Directive = 'resume' | 'restart' | 'stop' | 'escalate';
/** Supervision as data: printable, comparable, testable without a clock. Past the intensity the failure escalates. */
export interface Strategy {
  /** Who shares the child's fate: it alone, those started after it, all. Stopped in reverse, started in order. */
  readonly scope: 'one' | 'rest' | 'all';
  readonly maxRestarts: number;
  readonly withinMs: number;
  readonly backoff: { readonly minMs: number; readonly maxMs: number; readonly factor: number; readonly jitter: number };
  /** Pure. Default: restart. */
  readonly decide: (error: NexaError) => Directive;
}
export declare function oneForOne(options?: Partial<Omit<Strategy, 'scope'>>): Strategy;
export declare function restForOne(options?: Partial<Omit<Strategy, 'scope'>>): Strategy;
export declare function allForOne(options?: Partial<Omit<Strategy, 'scope'>>): Strategy;
