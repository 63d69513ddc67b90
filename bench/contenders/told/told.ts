/** Senders in one process, each to a receiver of its own in another: as their users would write them. */
export interface Told {
  /** `take` is called for each message, in the order in which its receiver has them. */
  far(url: string, receivers: number, take: Take): Promise<{ readonly said?: unknown; stop(): Promise<unknown> }>;
  near(url: string, said: unknown): Promise<Senders>;
}
export type Take = (receiver: number, n: number, dueMs: number) => void;
export interface Senders {
  /** Runs `drive` as one of them. */
  send(sender: number, drive: (to: Receiver) => Promise<void>): Promise<void>;
  stop(): Promise<unknown>;
}
export interface Receiver {
  /** A number, the time at which it was to be sent, and {@link TEXT}. False: it is time to wait until `ready`. */
  tell(n: number, dueMs: number): boolean;
  ready(): Promise<unknown>;
}
/** With it a message has about 200 bytes. */
export const TEXT = 'x'.repeat(144);
export const TIMEOUT_MS = 60_000;
