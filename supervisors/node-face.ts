import type { NodeId } from '../src/actor/address.ts';
import type { Message } from '../src/actor/message.ts';
import type { Receptionist } from '../src/actor/receptionist.ts';
import type { Topic } from '../src/actor/topic.ts';
import type { Agents } from '../src/agent/agents.ts';
import type { AnyAgent } from '../src/agent/define.ts';
import type { AgentRef, Commands, Protocol } from '../src/agent/protocol.ts';
import type { Drained } from '../src/cluster/drain.ts';
import { NexaError } from '../src/errors.ts';
import type { MemberNode } from './member.ts';
import type { NodeState } from './node-contract.ts';
import { wayTo } from './node-state.ts';

/** A graceful leave: agents finish their messages and are given back. */
export const LEAVE_MS = 25_000;
const CORDON_MS = 5_000;
const AGENTS_MS = 5_000;

type Wanted = { readonly timeoutMs?: number; readonly [more: string]: unknown };
/** What is done with each promise that this program is given. */
export type Handed = <T>(promise: Promise<T>) => Promise<T>;

/** What a member shows to the program it runs in, whoever put it together: its state, its actors, its way to all agents. */
export class NodeFace {
  readonly name: NodeId;
  readonly incarnation: number;
  readonly #member: MemberNode;
  readonly #handed: Handed;
  #state: NodeState = 'starting';

  constructor(name: NodeId, member: MemberNode, handed: Handed = (promise) => promise) {
    this.name = name;
    this.#handed = handed;
    this.#member = member;
    this.incarnation = member.cluster.self.incarnation;
  }

  get state(): NodeState {
    return this.#state;
  }
  get receptionist(): Receptionist {
    return this.system.receptionist;
  }
  get system(): MemberNode['system'] {
    return this.#member.system;
  }
  /** @throws NexaError `context-misused`: there is no such way. */
  protected become(state: NodeState): void {
    for (const next of wayTo(this.#state, state)) {
      const before = this.#state;
      this.#state = next;
      this.system.events.publish({ event: 'node-state', node: this.name, state: next, before });
    }
  }

  cordon({ timeoutMs = CORDON_MS }: { readonly timeoutMs?: number } = {}): Promise<void> {
    return this.#handed(this.#cordon(true, timeoutMs));
  }
  uncordon({ timeoutMs = CORDON_MS }: { readonly timeoutMs?: number } = {}): Promise<void> {
    return this.#handed(this.#cordon(false, timeoutMs));
  }
  async #cordon(on: boolean, timeoutMs: number): Promise<void> {
    this.#mustRun();
    await this.#member.cluster.cordon(on, { timeoutMs });
    if (!on && this.#state === 'maintenance') this.become('running');
  }
  drain(within: { readonly timeoutMs?: number } = {}): Promise<{ readonly moved: number; readonly left: number }> {
    return this.#handed(this.drained(within).then(({ moved, left }) => ({ moved, left })));
  }
  /** As {@link drain}, with what holds it up. */
  protected async drained({ timeoutMs = LEAVE_MS }: { readonly timeoutMs?: number }): Promise<Drained> {
    this.#mustRun();
    return this.#member.cluster.drain({ timeoutMs, onBegin: () => this.become('maintenance') });
  }
  #mustRun(): void {
    if (this.#state === 'running' || this.#state === 'maintenance') return;
    throw new NexaError('unavailable', `this node is ${this.#state}`, { where: { node: this.name }, definite: true });
  }

  topic<T extends Message>(name: string): Topic<T> {
    return this.system.topic(name);
  }
  agent<C extends Commands>(protocol: Protocol<C>, id: string): AgentRef<C> {
    return this.system.refOf({ kind: 'agent', type: protocol.type, id }) as unknown as AgentRef<C>;
  }
  readonly spawn: Agents['spawn'] = ((definition: AnyAgent, wanted?: Wanted) =>
    this.#handed(this.#spawn(definition, wanted))) as unknown as Agents['spawn'];
  async #spawn(definition: AnyAgent, wanted: Wanted = {}) {
    const spawned = await this.#member.agents.spawn({ ...wanted, type: definition.type, timeoutMs: wanted.timeoutMs ?? AGENTS_MS });
    return { ref: this.agent(definition, spawned.id), node: spawned.node, epoch: spawned.epoch, created: spawned.created };
  }
  readonly stopAgent: Agents['stopAgent'] = (ref, { forget = false, timeoutMs = AGENTS_MS } = {}) =>
    this.#handed(this.#member.agents.stop(ref.type, ref.id, { forget, timeoutMs }));
}
