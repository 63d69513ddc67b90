import { type Request, receive, startNode } from 'nexa';
import { type Echo, TEXT, TIMEOUT_MS } from './echo.ts';

type Asked = Request<{ readonly type: 'echo'; readonly n: number; readonly text: string }, { readonly n: number; readonly text: string }>;

/** Two nodes; an actor of one is asked from the other by its ref. */
export const nexaEcho: Echo = {
  async far(url) {
    const node = await startNode({ nats: url });
    let handled = 0;
    const ref = node.system.spawn<Asked>({
      behavior: () =>
        receive<Asked>((context, message) => {
          handled++;
          context.reply(message, { n: message.n, text: message.text });
        }),
    });
    return { said: ref.toJSON(), handled: () => handled, stop: () => node.stop() };
  },
  async near(url, said) {
    const node = await startNode({ nats: url });
    const ref = node.system.unsafeRef<Asked>(said as string);
    return {
      ask: (n) => ref.ask({ type: 'echo', n, text: TEXT }, { timeoutMs: TIMEOUT_MS }).then((answer) => answer.n),
      stop: () => node.stop(),
    };
  },
};
