/** What turns cells. The engine knows when; the cell knows what. */
export interface Engine {
  start(cell: Turnable, parent?: Handle): Handle;
  /** Nothing waits for a turn. */
  idle(): boolean;
  /** Takes no further turn. What still waits is the caller's to clear away. */
  stop(): void;
}
export interface Turnable {
  readonly name: string;
  /** Those below it that live, by name. */
  readonly children?: ReadonlyMap<string, { readonly handle: Handle }> | undefined;
  /** Takes at most `limit` messages and says how many; a cell that could go on schedules itself. Never throws. */
  turn(limit: number): number;
  /** A message from the engine's own world, from nobody. */
  accept(message: unknown): void;
  /** Asks for a graceful stop. */
  requestStop(): void;
}
export interface Handle {
  /** Idempotent until the next turn. `system` goes before every `user` turn that waits. */
  schedule(lane: 'system' | 'user'): void;
  /** The cell is over: takes it out of the engine's tree. */
  remove(): void;
}
