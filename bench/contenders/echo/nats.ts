import { dialNats } from '../nats.ts';
import { numberIn, question } from './bytes.ts';
import { type Echo, TIMEOUT_MS } from './echo.ts';

const SUBJECT = 'bench.echo';

/** The library's own request and respond, with bytes: it encodes nothing, ours does. */
export const natsRequest: Echo = {
  async far(url) {
    const nats = await dialNats(url);
    let handled = 0;
    nats.subscribe(SUBJECT, {
      callback: (_error, message) => {
        handled++;
        message.respond(message.data);
      },
    });
    await nats.flush();
    return { handled: () => handled, stop: () => nats.close() };
  },
  async near(url) {
    const nats = await dialNats(url);
    return {
      ask: (n) => nats.request(SUBJECT, question(n), { timeout: TIMEOUT_MS }).then(({ data }) => numberIn(data)),
      stop: () => nats.close(),
    };
  },
};
