import type { Address } from '../actor/address.ts';
import { receive } from '../actor/behavior.ts';
import type { Request } from '../actor/message.ts';
import type { Props } from '../actor/props.ts';
import type { ActorRef } from '../actor/ref.ts';
import type { System } from '../actor/system.ts';
import type { NexaError } from '../errors.ts';
import type { LocalAgents, LocalView } from './local-agents.ts';
import type { MailHint } from './mail-wakes.ts';
import type { SpawnAnswer } from './ownership.ts';
import type { AgentSpec } from './place.ts';
import type { TopicRow } from './topics.ts';

/** What nodes ask of each other about agents, at an actor that every node has under this path. */
export const ENDPOINT_PATH = 'cluster';
export type EndpointMessage =
  | Request<{ readonly type: 'spawn-here'; readonly record: AgentSpec }, SpawnAnswer>
  | Request<{ readonly type: 'stop-here'; readonly agentType: string; readonly id: string; readonly forget: boolean }, null>
  /** Spawns an agent of an on-demand type of this node, wherever its placement says. */
  | Request<{ readonly type: 'demand'; readonly agentType: string; readonly id: string }, null>
  | Request<{ readonly type: 'agents-here' }, readonly LocalView[]>
  | Request<{ readonly type: 'topics-here' }, readonly TopicRow[]>
  /** Stored messages wait for agents that are thought to be here. */
  | { readonly type: 'mail'; readonly hints: readonly MailHint[] }
  /** Whether an agent of a type of this node takes that message. */
  | Request<{ readonly type: 'check'; readonly agentType: string; readonly message: unknown }, null>
  /** Whether messages go both ways. */
  | Request<{ readonly type: 'ping' }, null>;

export const endpointOf = (node: string, incarnation: number): Address => ({
  kind: 'incarnation',
  node,
  nodeIncarnation: incarnation,
  path: ENDPOINT_PATH,
  uid: 0,
});
export const endpointRef = (system: System, node: string, incarnation: number): ActorRef<EndpointMessage> =>
  system.unsafeRef<EndpointMessage>(endpointOf(node, incarnation));

/** Rows of one answer. */
const MOST_TOPICS = 1_000;

/** Answers the other nodes. Slow work is piped, so that one spawn never holds up another. */
export function endpoint(options: {
  readonly locals: LocalAgents;
  readonly topics: () => readonly TopicRow[];
  readonly mail: (hints: readonly MailHint[]) => void;
  /** What the message is refused with. */
  readonly check: (type: string, message: unknown) => NexaError | undefined;
  /** Refuses what this node cannot take. @throws NexaError `unknown-type`, `invalid-message`, `unavailable`. */
  readonly admit: (record: AgentSpec) => void;
  /** @throws NexaError what the message is refused with. */
  readonly demand: (type: string, id: string) => Promise<null>;
}): Props<EndpointMessage> {
  type Own = EndpointMessage | { readonly type: 'settled'; readonly settle: () => void };
  const props: Props<Own> = {
    mailbox: { limit: 10_000 },
    behavior: () =>
      receive((context, message) => {
        switch (message.type) {
          case 'settled':
            return message.settle();
          case 'ping':
            return context.reply(message, null);
          case 'mail':
            return options.mail(message.hints);
          case 'check': {
            const refused = options.check(message.agentType, message.message);
            return refused === undefined ? context.reply(message, null) : context.refuse(message, refused);
          }
          case 'agents-here':
            return context.reply(message, options.locals.views());
          case 'topics-here':
            return context.reply(message, options.topics().slice(0, MOST_TOPICS));
          case 'spawn-here': {
            const replyTo = context.replyTo(message);
            const work = async (): Promise<SpawnAnswer> => {
              options.admit(message.record);
              return options.locals.spawn(message.record);
            };
            return context.pipe(work, (outcome) => ({
              type: 'settled',
              settle: () => void (outcome.ok ? replyTo.tell(outcome.value) : replyTo.refuse(outcome.error)),
            }));
          }
          case 'demand': {
            const replyTo = context.replyTo(message);
            return context.pipe(
              () => options.demand(message.agentType, message.id),
              (outcome) => ({
                type: 'settled',
                settle: () => void (outcome.ok ? replyTo.tell(outcome.value) : replyTo.refuse(outcome.error)),
              }),
            );
          }
          case 'stop-here': {
            const replyTo = context.replyTo(message);
            const work = (): Promise<void> => options.locals.stop(message.agentType, message.id, message.forget);
            return context.pipe(work, (outcome) => ({
              type: 'settled',
              settle: () => void (outcome.ok ? replyTo.tell(null) : replyTo.refuse(outcome.error)),
            }));
          }
        }
      }),
  };
  return props as unknown as Props<EndpointMessage>;
}
