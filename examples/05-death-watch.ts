// Death watch: exactly one message when a watched agent or actor ends, or its node is lost.
import { type Address, type AnyRef, counter, type Props, type Request, receive, startNode, unhandled } from 'nexa';

type Watching =
  | { readonly type: 'follow'; readonly target: AnyRef; readonly name: string }
  | { readonly type: 'ended'; readonly name: string }
  | Request<{ readonly type: 'list' }, readonly string[]>;

export const sentinel: Props<Watching> = {
  behavior() {
    const ended: string[] = [];
    return receive(
      (context, message) => {
        switch (message.type) {
          case 'follow':
            return context.watch(message.target, { type: 'ended', name: message.name });
          case 'ended':
            ended.push(message.name);
            return context.unstashAll();
          case 'list':
            // Answered once there is something to say: until then the question waits, with its deadline.
            return ended.length === 0 ? context.stash() : context.reply(message, [...ended]);
          default:
            return unhandled(message);
        }
      },
      (context, signal) => {
        if (signal.signal === 'terminated')
          context.log.warn({ address: signal.ref.address satisfies Address, reason: signal.reason }, 'lost');
      },
    );
  },
};

await using node = await startNode();
const { ref: bob } = await node.spawn(counter, { id: 'bob' });
const guard = node.system.spawn(sentinel, 'sentinel');
guard.tell({ type: 'follow', target: bob, name: 'bob' });
await node.stopAgent(bob);
console.log(await guard.ask({ type: 'list' }, { timeoutMs: 5_000 }));
