import type { NodeId } from '../actor/address.ts';
import type { AnyRef } from '../actor/ref.ts';
import type { AgentDefinition } from './define.ts';
import type { AgentRef, Commands, Protocol } from './protocol.ts';

export interface SpawnOptions {
  /** Default: derived from `spawnId` if given, else fresh. */
  readonly id?: string;
  /** Repeating it creates nothing new (C8). Default: none; then the id decides. */
  readonly spawnId?: string;
  readonly placement?: {
    readonly strategy?: 'least-loaded' | 'rendezvous' | 'local';
    readonly node?: NodeId;
    readonly labels?: Readonly<Record<string, string>>;
  };
  /** Default 5,000. */
  readonly timeoutMs?: number;
}
export interface Spawned<C extends Commands> {
  readonly ref: AgentRef<C>;
  /** Null where nothing runs: a repeated spawn id over a stopped agent. */
  readonly node: NodeId | null;
  readonly epoch: number;
  /** False: it existed. */
  readonly created: boolean;
}
/** A ref of any agent, for stopping it and for tables: nothing can be told to it. */
export type AnyAgentRef = AnyRef & { readonly type: string; readonly id: string };
/** What a node, a client and a test world have in common: reaching and spawning agents. */
export interface Agents {
  agent<C extends Commands>(protocol: Protocol<C>, id: string): AgentRef<C>;
  /** @throws NexaError `unknown-type`, `invalid-message` (config), `conflict`, `unavailable`, `quota-exceeded`, `ask-timeout`. */
  spawn<C extends Commands, ConfigInput>(
    definition: AgentDefinition<C, ConfigInput>,
    ...options: [ConfigInput] extends [void] ? [options?: SpawnOptions] : [options: SpawnOptions & { readonly config: ConfigInput }]
  ): Promise<Spawned<C>>;
  /** Gracefully: it finishes its message; its record says stopped, so nobody restarts it. Its state is kept unless `forget`. */
  stopAgent(ref: AnyAgentRef, options?: { readonly forget?: boolean; readonly timeoutMs?: number }): Promise<void>;
}
