/** Another process that says back what it is asked, and one that asks it: each as its users would write it. */
export interface Echo {
  far(url: string): Promise<EchoService>;
  near(url: string, said: unknown): Promise<EchoCaller>;
}
export interface EchoService {
  /** How to reach it. */
  readonly said?: unknown;
  /** How often it was asked. */
  handled(): number;
  stop(): Promise<unknown>;
}
export interface EchoCaller {
  /** Asks with a number and {@link TEXT}, and has the number from the answer. */
  ask(n: number): Promise<number>;
  stop(): Promise<unknown>;
}
/** With it a question has about 200 bytes. */
export const TEXT = 'x'.repeat(164);
/** Nobody is to be late. */
export const TIMEOUT_MS = 60_000;
