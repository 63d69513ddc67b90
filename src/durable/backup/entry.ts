/**
 * One record of a backup, as it was stored. An agent may be taken several times until its parts fit together: `take` says which time it
 * was, and its `agent` entry, the last of it, which one counts.
 */
export type BackupEntry =
  /** A setting of the cluster, from META. */
  | { readonly kind: 'setting'; readonly key: string; readonly value: Uint8Array }
  /** A message that waits, in the order of its agent's mailbox. */
  | { readonly kind: 'mail'; readonly agent: string; readonly sequence: number; readonly value: Uint8Array }
  | { readonly kind: 'dead'; readonly agent: string; readonly sequence: number; readonly value: Uint8Array }
  | { readonly kind: 'state' | 'snapshot'; readonly agent: string; readonly take: number; readonly value: Uint8Array }
  /** In the order of its agent's journal. */
  | { readonly kind: 'journal'; readonly agent: string; readonly take: number; readonly value: Uint8Array }
  /** The object that a snapshot names. */
  | { readonly kind: 'object'; readonly agent: string; readonly take: number; readonly name: string; readonly value: Uint8Array }
  | { readonly kind: 'reminder'; readonly agent: string; readonly take: number; readonly key: string; readonly value: Uint8Array }
  | AgentEntry;

/** Everything of the agent has been taken. */
export interface AgentEntry {
  readonly kind: 'agent';
  readonly agent: string;
  readonly take: number;
  /** Its record; undefined: there is none (any more), only what it left. */
  readonly value: Uint8Array | undefined;
  /** Of its record; 0: there is none. */
  readonly revision: number;
  /** Mail up to this sequence was handled by the state that was taken. */
  readonly floor: number;
}
export type EntryKind = BackupEntry['kind'];
export const ENTRY_KINDS: readonly EntryKind[] = ['setting', 'mail', 'dead', 'state', 'snapshot', 'journal', 'object', 'reminder', 'agent'];

/** What a backup says of itself before its entries … */
export interface BackupHeader {
  readonly cluster: string;
  readonly createdAtMs: number;
  /** Of the stores. */
  readonly layout: number;
  readonly firstSequence: number;
}
/** … and after them. */
export interface BackupSummary {
  readonly counts: Readonly<Record<EntryKind, number>>;
  /** No epoch, floor or sequence of a mailbox is above it: a cluster that is restored begins above. */
  readonly highest: number;
  /** Agents of whom something was corrupt; it was taken as it is. The first 100. */
  readonly corrupt: readonly string[];
}
export const noCounts = (): Record<EntryKind, number> =>
  Object.fromEntries(ENTRY_KINDS.map((kind) => [kind, 0])) as Record<EntryKind, number>;
