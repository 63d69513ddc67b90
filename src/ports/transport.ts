import type { Cancel } from '../actor/ref.ts';

declare const subjectBrand: unique symbol;
/** Made only by src/cluster/subject.ts. */
export type Subject = string & { readonly [subjectBrand]: true };

export interface Inbound {
  readonly subject: string;
  readonly payload: Uint8Array;
  readonly headers: ReadonlyMap<string, string>;
  readonly reply?: Subject;
  /** 503: nobody listens there. */
  readonly noResponders: boolean;
}
/** What a connection carried since it was opened, of everything that goes over it. */
export interface Traffic {
  readonly messagesIn: number;
  readonly messagesOut: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
}
/** Fast, lossy delivery. `publish` owns the payload from the call on: pass a copy of a shared buffer. */
export interface Transport {
  readonly maxPayloadBytes: number;
  bufferedBytes(): number;
  publish(
    subject: Subject,
    payload: Uint8Array,
    options?: { readonly reply?: Subject; readonly headers?: ReadonlyMap<string, string> },
  ): void;
  /** After its cancel a member of a `group` may still get what the server had given to it: nobody else would. */
  subscribe(subject: Subject, onMessage: (message: Inbound) => void, options?: { readonly group?: string }): Cancel;
  /**
   * Resolves when the server this end is connected to has taken all that was sent before: a subscription is then in force there.
   * @throws NexaError `disconnected`, or `unavailable` after `timeoutMs`.
   */
  flush(options: { readonly timeoutMs: number }): Promise<void>;
  onStatus(listener: (status: 'up' | 'down' | 'slow-consumer') => void): Cancel;
  /** Where somebody may forbid it: of a subject on which what was published went nowhere. */
  onDenied?(listener: (subject: string) => void): Cancel;
  /** Leaves this server for another one. */
  reconnect(): void;
  close(): Promise<void>;
}
/** Three outcomes, never two: `unknown` may have happened; read back and compare ids before deciding. */
