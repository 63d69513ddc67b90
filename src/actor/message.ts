/** What an actor accepts: plain data tagged by `type`. Verbs for commands, past participles for events. */
export interface Message {
  readonly type: string;
}

declare const answers: unique symbol;
declare const items: unique symbol;

/**
 * A message that is answered with `Reply`. The reply type is a phantom: nothing of it exists at run time, and a sender writes
 * only `{ type: 'get' }`. The reply address travels in the envelope, so a JSON command from outside and a typed ask from inside
 * are the same message.
 */
export type Request<M extends Message, Reply> = M & { readonly [answers]?: { readonly reply: Reply } };

/** A message that is answered with a stream of `Item`, ended exactly once (done, failed or cancelled). */
export type StreamRequest<M extends Message, Item> = M & { readonly [items]?: { readonly item: Item } };

export type TypeOf<M> = M extends { readonly type: infer T extends string } ? T : never;
export type RequestsOf<M> = M extends unknown ? (typeof answers extends keyof M ? M : never) : never;
export type StreamsOf<M> = M extends unknown ? (typeof items extends keyof M ? M : never) : never;
export type ReplyOf<M> = M extends { readonly [answers]?: infer A }
  ? NonNullable<A> extends { readonly reply: infer R }
    ? R
    : never
  : never;
export type ItemOf<M> = M extends { readonly [items]?: infer A } ? (NonNullable<A> extends { readonly item: infer I } ? I : never) : never;
