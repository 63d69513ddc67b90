import type { NexaError } from '../errors.ts';
import type { ClientHandlers } from './client-handlers.ts';
import type { DeadRequest } from './dead-requests.ts';
import type { LogPage, LogWanted } from './log-ring.ts';

/** What a public `spawn` asks for, shapes checked, values not yet: the type may be unknown and the config wrong. */
export interface SpawnRequest {
  readonly type: string;
  readonly id?: string;
  readonly config?: unknown;
  readonly spawnId?: string;
  readonly placement?: {
    readonly strategy?: 'least-loaded' | 'rendezvous' | 'local';
    readonly node?: string;
    readonly labels?: Readonly<Record<string, string>>;
  };
  readonly restart?: 'permanent' | 'transient' | 'temporary';
}
/** `node` is null where nothing runs: a repeated spawn id over a stopped agent. */
export interface Spawned {
  readonly agent: { readonly type: string; readonly id: string; readonly node: string | null; readonly epoch: number };
  readonly created: boolean;
}

/** What came with a public message, bounded and checked. */
export interface CallOptions {
  /** 1 … 600,000; 5,000 if the caller named none. */
  readonly timeoutMs: number;
  /** 1 … 64 bytes of visible ASCII. */
  readonly requestId?: string;
  /** Items of a stream that may be on their way; 0: only one answer is understood. */
  readonly window?: number;
  /** W3C trace context, version 00. */
  readonly traceparent?: string;
}

/** One row of `nexa ps`. */
export interface AgentRow {
  readonly type: string;
  readonly id: string;
  readonly node: string | null;
  readonly epoch: number;
  readonly state: string;
  readonly [more: string]: unknown;
}
export interface ListRequest {
  readonly type?: string;
  readonly id?: string;
  /** 1 … 10,000; default 1,000. */
  readonly limit: number;
}

/**
 * What a node does for programs outside the cluster. The edge has decoded and checked the form; these decide. Each answers or
 * throws a NexaError, which the caller receives as it is; anything else thrown reaches him as `internal` without its text.
 * Answers are plain data: they travel as JSON too.
 */
export interface PublicHandlers extends ClientHandlers {
  /** C8: idempotent by spawn id. @throws NexaError `unknown-type`, `invalid-message`, `conflict`, `unavailable`. */
  spawn(request: SpawnRequest, options: CallOptions): Promise<Spawned>;
  /** The agent's reply; the signal is aborted when the caller gives up. @throws what `ask` throws. */
  ask(type: string, id: string, command: unknown, options: CallOptions, signal?: AbortSignal): Promise<unknown>;
  /** The items of a stream command; `timeoutMs` is its idle timeout. @throws what `stream` throws, at the first item. */
  stream(
    type: string,
    id: string,
    command: unknown,
    options: CallOptions & { readonly window: number },
    signal: AbortSignal,
  ): AsyncIterable<unknown>;
  /** For a message without a reply subject. What it throws becomes a dead letter. */
  tell(type: string, id: string, command: unknown, options: CallOptions): void;
  /** Resolves once the message is stored; its id is the request id, or a fresh one. @throws what `tellDurably` of a ref throws. */
  tellDurably(type: string, id: string, command: unknown, options: CallOptions): Promise<{ readonly messageId: string }>;
  /**
   * Stored messages that were put aside. list: `{ dead, more }`; show: one, with its message; edit: `{ number }`, its new one; replay: the
   * agent it was stored for again; discard: null. @throws NexaError `no-such-actor`: there is none of that number.
   */
  dead(request: DeadRequest, options: CallOptions): Promise<unknown>;
  list(request: ListRequest): Promise<{ readonly agents: readonly AgentRow[]; readonly more: boolean }>;
  /** Which types exist, and where they can run. */
  types(): Promise<unknown>;
  /** One type: its commands as JSON schema, its options. @throws NexaError `unknown-type`. */
  describe(type: string): Promise<unknown>;
  /** One agent: its record, and what its owner says of it. @throws NexaError `no-such-actor`. */
  inspect(type: string, id: string): Promise<unknown>;
  /** Why it is where it is: its moves, its last crash, its dead letters. @throws NexaError `no-such-actor`. */
  why(type: string, id: string): Promise<unknown>;
  /** Resolves when the record says stopped. `forget`: its state goes too. */
  stop(type: string, id: string, options: CallOptions & { readonly forget: boolean }): Promise<void>;
  /** Every member, as this node sees it. */
  nodes(): Promise<readonly unknown[]>;
  /** Who listens to which topics, of all nodes: `{ topics, more, silent }`. */
  topics(): Promise<unknown>;
  /** This node. */
  status(): Promise<unknown>;
  /** This node's live actors: `{ name, path, state, mailbox, restarts, lastReason, children }`. */
  tree(): Promise<unknown>;
  /** This node takes no new agents, or takes them again. */
  cordon(on: boolean, options: CallOptions): Promise<void>;
  /** Moves its agents away. @throws NexaError `unavailable`: nobody may take them. */
  drain(options: CallOptions): Promise<unknown>;
  /** This node: its status, what it measured, its last dead letters. */
  inspectNode(): Promise<unknown>;
  /** What this node logged. */
  logs(wanted: LogWanted): Promise<LogPage>;
  /** Begins a graceful leave and returns at once: the answer must get out before the node does. */
  stopNode(): void;
}

/** A public message that had no reply subject and was not taken; it is known here and nowhere else. */
export interface PublicDeadLetter {
  readonly subject: string;
  readonly type: string;
  readonly id: string;
  readonly message: unknown;
  readonly error: NexaError;
}
