export type NodeId = string;

/**
 * Where a message goes. `incarnation`: exactly that actor, never a successor of the same name (L4). `agent`: whoever is the
 * current activation of that type and id. Text form: `nexa://<node>.<inc>/<path>#<uid>` and `nexa:<type>/<id>`.
 */
export type Address =
  | { readonly kind: 'incarnation'; readonly node: NodeId; readonly nodeIncarnation: number; readonly path: string; readonly uid: number }
  | { readonly kind: 'agent'; readonly type: string; readonly id: string };
