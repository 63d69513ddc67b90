import { dialNats } from '../nats.ts';
import { numberIn, question } from './bytes.ts';
import type { Echo } from './echo.ts';
import { natsRequest } from './nats.ts';

/**
 * The least that asks and finds its answer, by hand: one subscription for all answers, the id in the reply subject, one publish each
 * way. No codec, no deadline, no order, no answer to who asks nobody.
 */
export const boundEcho: Echo = {
  far: natsRequest.far,
  async near(url) {
    const nats = await dialNats(url);
    const waiting = new Map<string, (answer: Uint8Array) => void>();
    nats.subscribe('bench.inbox.*', {
      callback: (_error, { subject, data }) => {
        waiting.get(subject)?.(data);
        waiting.delete(subject);
      },
    });
    await nats.flush();
    return {
      ask: (n) =>
        new Promise<Uint8Array>((resolve) => {
          const reply = `bench.inbox.${n}`;
          waiting.set(reply, resolve);
          nats.publish('bench.echo', question(n), { reply });
        }).then(numberIn),
      stop: () => nats.close(),
    };
  },
};
