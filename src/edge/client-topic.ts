import type { Message } from '../actor/message.ts';
import type { Cancel } from '../actor/ref.ts';
import type { Publisher, SubscriptionOptions } from '../actor/topic.ts';
import type { MessageCodec } from '../cluster/codec.ts';
import type { Subjects } from '../cluster/subject.ts';
import { topicsOver } from '../cluster/topics.ts';
import { NexaError } from '../errors.ts';
import type { Logger } from '../ports/logger.ts';
import type { Transport } from '../ports/transport.ts';

/** A topic as a program outside the cluster has it: the same messages as the actors'. */
export interface ClientTopic<in out T extends Message> extends Publisher<T> {
  /**
   * Resolves once the server has it: what is published from then on is heard, at most once. Anybody may publish: check what comes. A
   * listener that throws is logged and misses that message. It lives as long as the client, also across lost connections.
   * @throws NexaError `bad-id`, `overloaded` (10,000), `disconnected`, `unavailable`.
   */
  subscribe(listener: (message: T, topic: string) => void, options?: SubscriptionOptions): Promise<Cancel>;
}
export interface ClientTopics {
  /** @throws NexaError `bad-id` */
  topic<T extends Message>(name: string): ClientTopic<T>;
  close(): void;
}

const WITHIN_MS = 5_000;

export function clientTopics(options: {
  readonly transport: Transport;
  readonly subjects: Subjects;
  readonly codec: MessageCodec;
  readonly log: Logger;
}): ClientTopics {
  const { transport, log } = options;
  const bus = topicsOver({
    ...options,
    onDeadLetter: (topic, _letter, reason, error) => log.warn({ topic, reason, error }, 'a message of a topic was lost'),
  });
  return {
    topic: <T extends Message>(name: string): ClientTopic<T> => {
      bus.check(name);
      return {
        name,
        publish: (message) => bus.prepare(name, message, undefined)(),
        async subscribe(listener, given = {}) {
          const cancel = bus.subscribe(name, { ready: true, deliver: (message, topic) => listener(message as T, topic) }, given);
          try {
            await transport.flush({ timeoutMs: WITHIN_MS });
          } catch (error) {
            cancel();
            throw error instanceof NexaError
              ? error
              : new NexaError('disconnected', 'the subscription did not reach the server', { cause: error });
          }
          return cancel;
        },
      };
    },
    close: bus.close,
  };
}
