import { receive } from '../../src/actor/behavior.ts';
import type { Context } from '../../src/actor/context.ts';
import type { ReplyOf } from '../../src/actor/message.ts';
import type { Props } from '../../src/actor/props.ts';
import { NexaError } from '../../src/errors.ts';
import { agentReports, type ReportOptions } from './agent-report.ts';
import type { RegistryMessage } from './protocol.ts';
import { agentTypes, type TypesOptions } from './types.ts';

/** For a request that came without a deadline. */
const STOP_MS = 5_000;

/** What exists in the cluster, asked of any node: agents, their types, and how a type is spoken to. */
export function registry(options: TypesOptions & ReportOptions): Props<RegistryMessage> {
  const { agents } = options;
  const types = agentTypes(options);
  const reports = agentReports(options);
  type Own = RegistryMessage | { readonly type: 'settled'; readonly settle: () => void };
  /** Answers when the work is done; meanwhile others are served. */
  const answer = <C extends RegistryMessage>(
    context: Context<Own>,
    message: C,
    work: (signal: AbortSignal) => Promise<ReplyOf<C>>,
  ): void => {
    const replyTo = context.replyTo(message);
    context.pipe(work, (outcome) => ({
      type: 'settled',
      settle: () => void (outcome.ok ? replyTo.tell(outcome.value) : replyTo.refuse(outcome.error)),
    }));
  };
  const props: Props<Own> = {
    behavior: () =>
      receive<Own>((context, message) => {
        switch (message.type) {
          case 'settled':
            return message.settle();
          case 'list': {
            const { agent, id, limit } = message;
            return answer(context, message, () => agents.list({ type: agent, id, limit }));
          }
          case 'types':
            return answer(context, message, (signal) => types.types(signal));
          case 'describe':
            return answer(context, message, (signal) => types.describe(message.agent, signal));
          case 'inspect':
            return answer(context, message, (signal) => reports.inspect(message.agent, message.id, signal));
          case 'why':
            return answer(context, message, (signal) => reports.why(message.agent, message.id, signal));
          case 'inspect-here':
            return context.reply(message, reports.here(message.agent, message.id));
          case 'stop': {
            const timeoutMs = context.remainingMs() ?? STOP_MS;
            return answer(context, message, async () => {
              await agents.stop(message.agent, message.id, { forget: message.forget, timeoutMs });
              return null;
            });
          }
          case 'types-here':
            return context.reply(message, types.typesHere());
          case 'describe-here':
            return answer(context, message, async () => types.describeHere(message.agent));
          default:
            return context.refuse(message, new NexaError('unknown-command', 'a registry knows no such message'));
        }
      }),
  };
  return props as unknown as Props<RegistryMessage>;
}
