/**
 * W5. A holder asks the lock for a lease, writes to the vault under the token it got (also when its lease is long over: nobody tells it),
 * and gives the lock back. A holder makes one call at a time.
 */
export type LockOp =
  | { readonly type: 'acquire'; readonly holder: string }
  | { readonly type: 'release'; readonly holder: string; readonly token: number }
  | { readonly type: 'write'; readonly holder: string; readonly token: number; readonly value: number };
/**
 * `token`: granted, or given back (`release`), or written under it. `held`: not granted, somebody else has that token. `stale`: refused by
 * the vault, which has seen that newer token.
 */
export type LockResult = { readonly token: number } | { readonly held: number } | { readonly stale: number };

/** One write as the vault keeps it; no value is written twice. */
export interface VaultWrite {
  readonly holder: string;
  readonly token: number;
  readonly value: number;
}
/** `finals` by key: the newest token that the lock gave out, and all that the vault took, in its order. */
export type LockFinals = Readonly<Record<number, { readonly token: number; readonly writes: readonly VaultWrite[] }>>;
