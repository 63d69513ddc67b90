import type { CallOptions } from './handlers.ts';

/** Versions of what a program outside the cluster and a node say to each other. */
export const CLIENT_VERSIONS: readonly number[] = [1];
/** How often a listed client says that it is there. */
export const HEARTBEAT_MS = { least: 1_000, usual: 5_000, most: 60_000 } as const;

/** What a program asks for that wants to be listed. */
export interface ConnectRequest {
  readonly version: number;
  /** The id it already has, for a repeat; a fresh one if it has none. */
  readonly client?: string;
  readonly name?: string;
  readonly heartbeatMs: number;
}
/** It is listed. */
export interface Accepted {
  readonly client: string;
  readonly cluster: string;
  /** Who accepted it. */
  readonly node: string;
  readonly heartbeatMs: number;
  readonly versions: readonly number[];
}
/** One row of `nexa clients`. */
export interface ClientRow {
  readonly client: string;
  readonly name: string | null;
  /** Who accepted it. */
  readonly node: string | null;
  readonly sinceMs: number;
  readonly heartbeatMs: number | null;
}

/** One row of a listing of services, as it travels. */
export interface ServiceRow {
  readonly service: string;
  readonly instance: string;
  /** The text of its address. */
  readonly ref: string;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly node: string | null;
  readonly registeredAtMs: number;
}
export interface FindRequest {
  readonly service: string;
  readonly metadata?: Readonly<Record<string, unknown>>;
  readonly node?: string;
  /** 1 … 1,000. */
  readonly limit: number;
}
/** Strangers register agents by name and nothing else: they cannot know of any other actor whether it is theirs. */
export interface RegisterRequest {
  readonly service: string;
  readonly agent: { readonly type: string; readonly id: string };
  readonly instance?: string;
  readonly metadata?: Readonly<Record<string, unknown>>;
}

/** What a node does for clients as such. */
export interface ClientHandlers {
  /** Lists it, then accepts it. @throws NexaError `unknown-version`, `unavailable`, `quota-exceeded`; nothing is listed then, or it is not known. */
  connect(request: ConnectRequest, options: CallOptions): Promise<Accepted>;
  /** @throws NexaError `no-such-actor`: it is not listed (any more). */
  beat(client: string, options: CallOptions): Promise<void>;
  disconnect(client: string, options: CallOptions): Promise<void>;
  clients(limit: number): Promise<{ readonly clients: readonly ClientRow[]; readonly more: boolean }>;
  findServices(request: FindRequest): Promise<{ readonly services: readonly ServiceRow[]; readonly more: boolean }>;
  /** @throws NexaError as the receptionist's `register`. */
  registerService(request: RegisterRequest, options: CallOptions): Promise<{ readonly service: string; readonly instance: string }>;
  deregisterService(service: string, instance: string, options: CallOptions): Promise<void>;
}
