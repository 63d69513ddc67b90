/** W7. One client for each agent: spawned, stopped, told to have a child, one after the other. */
export type ChurnOp =
  | { readonly type: 'spawn'; readonly agent: string; readonly spawnId: string }
  | { readonly type: 'stop'; readonly agent: string }
  | { readonly type: 'bear'; readonly agent: string; readonly child: string };
/** Of a `spawn`. Of the others: nothing. */
export type ChurnResult = { readonly created: boolean; readonly node: string | null; readonly epoch: number } | { readonly epoch?: never };

/** Who answered the last roll call: an agent (`child` null), or an actor under it that was made in that epoch. */
export interface Present {
  readonly agent: string;
  readonly epoch: number;
  readonly child: string | null;
}
/** `finals`: what the registry says of these agents, and who was there; null: it could not be read. */
export interface ChurnFinals {
  readonly registry:
    | readonly { readonly agent: string; readonly node: string | null; readonly epoch: number; readonly state: string }[]
    | null;
  readonly present: readonly Present[] | null;
}
