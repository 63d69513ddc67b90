import type { Address } from './address.ts';
import type { Envelope } from './envelope.ts';
import type { Terminated } from './signal.ts';

/**
 * The way to everything that is no actor of this process: other node incarnations and named agents. The cluster installs it; a
 * plain actor system has none. `send` has tell's contract: false is a hint, a bad target is a dead letter, and whoever asked
 * (`replyTo`) is answered with every outcome that becomes known here.
 * @throws NexaError `payload-too-large`, `not-encodable`, before anything was sent.
 */
export interface Elsewhere {
  send(envelope: Envelope): boolean;
  /** An ask or stream of this node, of that number, was given up: who has not begun it need not. */
  giveUp(id: number): void;
  ready(to: Address, options: { readonly timeoutMs: number; readonly signal?: AbortSignal }): Promise<void>;
  /** Exactly one `terminated` will come back through the system for (watcher, target). */
  watch(target: Address, watcher: Address): void;
  unwatch(target: Address, watcher: Address): void;
  /** An actor of this node ended that `watcher`, elsewhere, had watched; said once per watch. */
  terminated(watcher: Address, target: Address, reason: Terminated['reason']): void;
}

/** What stands between an exclusive agent's activation and the world (C2). */
export interface Gate {
  /** The fencing token of this activation; stamped on everything that leaves. */
  readonly epoch: number;
  /** Whether the activation may act right now. Asked before each batch of turns and at every effect. */
  open(): boolean;
  /** Keeps an effect (its message weighs so many bytes) until the gate opens again, or calls `dropped` when the activation is over before that. False when its bound is reached or the activation is over: a dead letter then. */
  hold(effect: () => void, dropped: () => void, bytes?: number): boolean;
}
