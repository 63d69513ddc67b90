import { NexaError } from '../errors.ts';
import type { Address } from './address.ts';
import { ambient } from './ambient.ts';
import type { Cell } from './cell/cell.ts';
import { errorOf } from './cell/user-code.ts';
import { type Guard, Mail, TopicMail } from './envelope.ts';
import { liveRef } from './live-ref.ts';
import type { Message } from './message.ts';
import type { ActorRef, Cancel } from './ref.ts';
import type { System } from './system.ts';
import type { Listener, SubscriptionOptions, Topic, TopicBus } from './topic.ts';

/** @throws NexaError `unavailable` */
export function busOf(system: System): TopicBus {
  if (system.topics !== undefined) return system.topics;
  const fix = 'Use actorSystem() or a node.';
  throw new NexaError('unavailable', 'this actor system has no broker for topics', { retryable: false, fix });
}

/** Where a message of a topic goes that nobody took: only the dead letters show it. */
export const topicAddress = (system: System, name: string): Address => ({
  kind: 'incarnation',
  node: system.node,
  nodeIncarnation: system.incarnation,
  path: `$.topic/${name}`,
  uid: 0,
});

/** A topic of a system, or as an actor holds it: what it publishes passes the gate of whoever does, as a tell does. */
export class SystemTopic<T extends Message> implements Topic<T> {
  readonly name: string;
  private readonly system: System;
  private readonly binding: Cell | undefined;

  /** @throws NexaError `bad-id`, `unavailable`. */
  constructor(system: System, name: string, binding?: Cell) {
    busOf(system).check(name);
    this.system = system;
    this.name = name;
    this.binding = binding;
  }

  publish(message: T): boolean {
    const { system, name } = this;
    const running = ambient.cell;
    const sender = running !== undefined && running.system === system ? running : this.binding;
    const send = busOf(system).prepare(name, message, sender?.inTurn === true ? sender.mail?.traceparent : undefined);
    return sender?.guarded === true ? sender.act(new Mail(topicAddress(system, name), message, sender.shown), send) : send();
  }

  subscribe(actor: ActorRef<T>, options: SubscriptionOptions = {}): Cancel {
    const { system } = this;
    const { address } = liveRef(actor);
    if (!system.isMine(address)) {
      throw new NexaError('invalid-message', 'a subscription belongs to an actor of this node', {
        where: { actor: actor.toJSON() },
        fix: 'Subscribe where the actor lives; an agent subscribes itself, in `started`.',
      });
    }
    const cell = system.resolve(address);
    if (cell === undefined || cell.wantsStop)
      throw new NexaError('no-such-actor', 'there is no such actor (any more)', { where: { to: actor.toJSON() } });
    const subscription = subscribeCell(cell, this.name, undefined, options);
    const ends = system.endings.get(cell) ?? new Set();
    system.endings.set(cell, ends.add(subscription.end));
    return () => {
      ends.delete(subscription.end);
      if (ends.size === 0) system.endings.delete(cell);
      subscription.cancel();
    };
  }
}

/** A subscription of a cell. Without `toMessage`, which is its own code, the message is told as it is. */
export function subscribeCell(
  cell: Cell,
  pattern: string,
  toMessage: ((message: never, topic: string) => unknown) | undefined,
  options: SubscriptionOptions,
): { readonly cancel: Cancel /** Hears nothing more; what waits in the mailbox is still the actor's. */; readonly end: Cancel } {
  const { system } = cell;
  let cancelled = false;
  const guard: Guard = { take: () => !cancelled, lost: (mail) => void (cancelled || system.deadLetter(mail, 'stopped')) };
  const listener: Listener = {
    get ready() {
      return cell.state === 'running' && !cell.mailbox.high && (cell.gate === undefined || cell.gate.open());
    },
    deliver(message, topic, traceparent) {
      let own: unknown = message;
      try {
        if (toMessage !== undefined) own = toMessage(message as never, topic);
      } catch (thrown) {
        // Strangers publish too: what does not fit must not fell whoever listens.
        const letter = { to: cell.shown, message, traceparent };
        return system.deadLetter(letter, 'invalid-message', errorOf(thrown, { ...cell.where, topic }));
      }
      cell.offer(new TopicMail(cell.shown, own, guard, traceparent));
    },
  };
  const end = busOf(system).subscribe(pattern, listener, options);
  return {
    end,
    cancel: () => {
      cancelled = true;
      end();
    },
  };
}
