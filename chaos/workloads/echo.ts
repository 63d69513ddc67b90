/** W8. A caller is asked to tell its callee so many numbered messages and then to ask it the next number. */
export interface EchoOp {
  readonly type: 'call';
  readonly tells: number;
}
/** What the caller did and saw; numbers count in its activation, from 1. */
export interface EchoResult {
  /** type/id and epoch of its activation. */
  readonly caller: string;
  /** Told were `from` … `to`; asked was `to` + 1. */
  readonly from: number;
  readonly to: number;
  /** How often `tell` answered that it is too much. */
  readonly pushedBack: number;
  /** Of the ask: undefined code is an answer; by the caller's own monotonic clock. */
  readonly asked: { readonly code: string | null; readonly definite: boolean; readonly tookMs: number; readonly timeoutMs: number };
}

/** Numbers `from` … `to` of one activation of a caller that one activation of the callee handled one after the other. */
export interface HandledRun {
  readonly callee: string;
  /** Of the callee's activation. */
  readonly epoch: number;
  /** type/id and epoch of its activation. */
  readonly caller: string;
  readonly from: number;
  readonly to: number;
}
/** `finals`: what callees handled, of each in its order; and what every node counted since it started. */
export interface EchoFinals {
  readonly handled: readonly HandledRun[];
  readonly nodes: Readonly<Record<string, { readonly incarnation: number; readonly gaps: number; readonly deadLetters: number }>>;
}
