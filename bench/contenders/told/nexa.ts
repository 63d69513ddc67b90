import { type Request, receive, startNode } from 'nexa';
import { TEXT, TIMEOUT_MS, type Told } from './told.ts';

interface Hit {
  readonly type: 'hit';
  readonly n: number;
  readonly dueMs: number;
  readonly text: string;
}
type Go = Request<{ readonly type: 'go' }, null>;
const within = { timeoutMs: TIMEOUT_MS };

/** Two nodes; actors of one tell actors of the other, by their refs. Order holds, and what is lost on the way would show. */
export const nexaTold: Told = {
  async far(url, receivers, take) {
    const node = await startNode({ nats: url });
    const said = Array.from({ length: receivers }, (_, index) => {
      const behavior = receive<Hit>((_context, { n, dueMs }) => take(index, n, dueMs));
      return node.system.spawn<Hit>({ mailbox: { limit: 100_000, limitBytes: 2 ** 28 }, behavior: () => behavior }).toJSON();
    });
    return { said, stop: () => node.stop() };
  },
  async near(url, said) {
    const node = await startNode({ nats: url });
    return {
      async send(sender, drive) {
        const ref = node.system.unsafeRef<Hit>((said as readonly string[])[sender] ?? '');
        const driven = receive<Go>(async (context, message) => {
          await drive({ tell: (n, dueMs) => ref.tell({ type: 'hit', n, dueMs, text: TEXT }), ready: () => ref.ready(within) });
          context.reply(message, null);
        });
        await node.system.spawn<Go>({ behavior: () => driven }).ask({ type: 'go' }, within);
      },
      stop: () => node.stop(),
    };
  },
};
