import { formatAddress } from '../../src/actor/address.ts';
import { receive } from '../../src/actor/behavior.ts';
import type { Props } from '../../src/actor/props.ts';
import type { ActorRef } from '../../src/actor/ref.ts';
import { NexaError } from '../../src/errors.ts';
import type { MonitorEvent, MonitorMessage, Sample } from './protocol.ts';
import { type Sampled, sampler } from './sample.ts';

const INTERVAL_MS = 1_000;
const MOST_SUBSCRIBERS = 100;
/** Samples that are kept, and for how long. */
const KEPT = 600;
const KEPT_MS = 600_000;

/** Samples its node every `intervalMs` (default 1,000), and tells whoever subscribed. */
export function monitor(options: Sampled & { readonly intervalMs?: number }): Props<MonitorMessage> {
  type Own = MonitorMessage | { readonly type: 'sample' };
  const props: Props<Own> = {
    behavior: (context) => {
      const take = sampler(options);
      const subscribers = new Map<string, ActorRef<MonitorEvent>>();
      const tellAll = (event: MonitorEvent): void => {
        for (const subscriber of subscribers.values()) subscriber.tell(event);
      };
      let latest = take();
      const history: Sample[] = [];
      const keep = (sample: Sample): void => {
        latest = sample;
        // With many nodes the peers are most of a sample.
        history.push({ ...sample, peers: [] });
        if (history.length > KEPT) history.shift();
      };
      keep(latest);
      context.every(options.intervalMs ?? INTERVAL_MS, { type: 'sample' });

      return receive<Own>(
        (context, message) => {
          switch (message.type) {
            case 'sample':
              keep(take());
              return tellAll({ type: 'sampled', sample: latest });
            case 'latest':
              return context.reply(message, latest);
            case 'history': {
              const most = Math.min(KEPT, Math.max(1, message.limit));
              const fresh = history.slice(-most).filter(({ atMs }) => latest.atMs - atMs <= KEPT_MS);
              return context.reply(message, fresh);
            }
            case 'subscribe': {
              const { to } = message;
              const key = to.toJSON();
              if (!subscribers.has(key)) {
                if (subscribers.size >= MOST_SUBSCRIBERS) {
                  return context.refuse(message, new NexaError('overloaded', `a monitor has at most ${MOST_SUBSCRIBERS} subscribers`));
                }
                subscribers.set(key, to);
                context.watch(to);
              }
              return context.reply(message, null);
            }
            case 'unsubscribe':
              if (subscribers.delete(message.to.toJSON())) context.unwatch(message.to);
              return context.reply(message, null);
            default:
              return context.refuse(message, new NexaError('unknown-command', 'a monitor knows no such message'));
          }
        },
        (_context, signal) => {
          if (signal.signal === 'terminated') subscribers.delete(formatAddress(signal.ref.address));
          else if (signal.signal === 'restarting' || signal.signal === 'stopping') tellAll({ type: 'unsubscribed' });
        },
      );
    },
  };
  return props as unknown as Props<MonitorMessage>;
}
