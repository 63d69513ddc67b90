import type { HandledRequest } from './request-ring.ts';

/** The due time of a reminder that was declared once under that id. */
export interface Fired {
  readonly declared: string;
  readonly dueAtMs: number;
}
/** What began a turn that nobody asked for: a stored message, or a reminder that is due. `tried`: that message is about to be handled. */
export type Source =
  | { readonly mail: { readonly sequence: number; readonly messageId: string } }
  | { readonly tried: { readonly sequence: number } }
  /** `missed`: earlier due times that are taken together with it; for its handler to know, and not stored. */
  | { readonly fired: Fired & { readonly name: string; readonly missed?: number } };

/** One event of an event-sourced agent, as it is stored. */
export interface StoredEvent {
  readonly type: string;
  readonly data: unknown;
}
/** What one turn stores: one record. */
export interface Turn {
  /** After it, also where nothing changed. */
  readonly state: unknown;
  /** Of an event-sourced agent: what led there. */
  readonly events?: readonly StoredEvent[] | undefined;
  readonly request?: HandledRequest | undefined;
  readonly source?: Source | undefined;
}
