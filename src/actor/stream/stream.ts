import { NexaError } from '../../errors.ts';
import { onAbort } from '../../ports/on-abort.ts';
import { describeAddress } from '../address.ts';
import { chainOf, leftOf } from '../ask.ts';
import { AskMail } from '../envelope.ts';
import { type LiveRef, rebindAnswer } from '../live-ref.ts';
import type { StreamOptions } from '../ref.ts';
import type { System } from '../system.ts';
import { LEFT } from './frames.ts';
import { Inflow } from './inflow.ts';

/** A question with many answers. The request leaves when the first item is asked for. */
export function stream(system: System, ref: LiveRef, message: unknown, options: StreamOptions): AsyncIterable<unknown> {
  const where = { to: describeAddress(ref.address) };
  let id = 0;
  let forget: (() => void) | undefined;
  const holder = ref.sender();
  const inflow = new Inflow(
    {
      open: (opened) => {
        if (system.over) throw new NexaError('unavailable', 'the actor system was stopped', { where });
        // Asked for in a pipe, say, when nobody's turn is running.
        const sender = ref.sender() ?? holder;
        if (sender !== undefined && sender.state === 'stopped')
          throw new NexaError('context-misused', 'this actor is over and asks nobody any more', { where });
        const nowMs = system.clock.monotonicMs();
        const budgetMs = Math.min(opened.idleTimeoutMs, leftOf(sender, nowMs, ref.address));
        const chain = chainOf(sender, ref.address);
        id = system.asks.number();
        if (!system.streams.consume(id, opened, ref.address))
          throw new NexaError('overloaded', 'this node consumes its most streams', { where });
        const mail = new AskMail(
          {
            to: ref.address,
            message,
            replyTo: system.streams.consumerAddress(id, opened.window),
            from: sender?.shown,
            epoch: sender?.gate?.epoch,
            chain,
            budgetMs,
            traceparent: sender?.inTurn === true ? sender.mail?.traceparent : undefined,
          },
          nowMs + budgetMs,
        );
        const lifetime = sender?.context?.signal;
        if (lifetime !== undefined) {
          forget = onAbort(lifetime, () => opened.breakOff('its consumer is over'));
        }
        if (sender?.guarded === true) sender.act(mail, () => ref.route(mail));
        else ref.route(mail);
      },
      pull: (upTo) => system.streams.pull(id, upTo),
      leave: () => system.streams.pull(id, LEFT),
      over: () => {
        forget?.();
        system.streams.forget(id);
      },
    },
    system.clock,
    options,
    where,
  );
  return holder === undefined ? inflow : boundItems(inflow, (item) => rebindAnswer(item, holder));
}

/** Refs among the items belong to whoever consumes them. */
function boundItems(inflow: Inflow, bind: (item: unknown) => unknown): AsyncIterableIterator<unknown> {
  return {
    next: async () => {
      const result = await inflow.next();
      return result.done === true ? result : { done: false, value: bind(result.value) };
    },
    return: (value) => inflow.return(value),
    throw: (error) => inflow.throw(error),
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
