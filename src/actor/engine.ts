/** What turns cells. The engine knows when; the cell knows what. */
export interface Engine {
  start(cell: Turnable, parent?: Handle): Handle;
  stop(): Promise<void>;
}
export interface Turnable {
  readonly name: string;
  /** At most `limit` messages; a promise only if a handler is asynchronous. True: there is more. */
  turn(limit: number): boolean | Promise<boolean>;
}
export interface Handle {
  /** Idempotent until the next turn. */
  schedule(lane: 'system' | 'user'): void;
  stop(): void;
}
