/** W4. `transfer` is answered when the teller has it stored; it then goes on by itself. Accounts are a0 … of their bank. */
export type BankOp =
  | { readonly type: 'transfer'; readonly transfer: string; readonly from: string; readonly to: string; readonly cents: number }
  | { readonly type: 'balance'; readonly account: string };
/** Of a `transfer`: how far it is. Of a `balance`: what is there at that moment; money on its way is nowhere. */
export type BankResult = { readonly state: TransferState } | { readonly cents: number };

/** `withdrawn`, `refunding`: on the way. `refused`: never withdrawn. `refunded`: withdrawn, not taken at the other end, and given back. */
export type TransferState = 'begun' | 'withdrawn' | 'refunding' | 'completed' | 'refused' | 'refunded';
export interface Transfer {
  readonly transfer: string;
  readonly from: string;
  readonly to: string;
  readonly cents: number;
  readonly state: TransferState;
}

/** `finals` by key: one bank each, read until no transfer was on its way any more or it had had its time. */
export type BankFinals = Readonly<
  Record<number, { readonly accounts: Readonly<Record<string, number>>; readonly transfers: readonly Transfer[] }>
>;
/** `notes`: with how many accounts every bank began, and with how much in each. */
export interface BankNotes {
  readonly accounts: number;
  readonly openingCents: number;
}
