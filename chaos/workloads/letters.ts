/**
 * W2. `write` is told durably under its request id and says when it is stored; who reads it is told later. A poisoned one makes its
 * handler throw each time, and is to end among the dead. `read` answers what was handled so far.
 */
export type LetterOp = { readonly type: 'write'; readonly value: number; readonly poison: boolean } | { readonly type: 'read' };
/** Of a `write` that is stored: its id. Of a `read`: what was handled, in the order of handling. */
export type LetterResult = { readonly messageId: string } | { readonly values: readonly number[] };

/** `finals` by key, read until every stored letter was found or had its time: what was handled, in order, and what was put aside. */
export type LetterFinals = Readonly<Record<number, { readonly values: readonly number[]; readonly dead: readonly number[] }>>;
