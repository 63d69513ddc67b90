// What happened goes to everybody who cares (a topic), a task to one of those who can do it (a group, a router).
import { leastLoaded, type Message, type ReplyTo, type Request, receive, router, startNode } from 'nexa';

interface Created extends Message {
  readonly type: 'created';
  readonly order: number;
}
interface Counts {
  readonly noted: number;
  readonly packed: number;
}
type Book = { readonly type: 'note' } | { readonly type: 'packed' } | Request<{ readonly type: 'when'; readonly packed: number }, Counts>;
type Square = Request<{ readonly type: 'square'; readonly of: number }, number>;

await using node = await startNode();

// Hears every order of every region, on whatever node it was published.
const book = node.system.spawn<Book>({
  behavior(context) {
    context.topic<Created>('orders.*.created').subscribe(() => ({ type: 'note' }));
    const counts = { noted: 0, packed: 0 };
    let waiting: { readonly packed: number; readonly replyTo: ReplyTo<Counts> } | undefined;
    return receive((own, message) => {
      if (message.type === 'note') counts.noted++;
      else if (message.type === 'packed') counts.packed++;
      else waiting = { packed: message.packed, replyTo: own.replyTo(message) };
      if (waiting !== undefined && counts.packed >= waiting.packed) waiting.replyTo.tell({ ...counts });
    });
  },
});

// Of all packers in the cluster one gets each order.
for (let each = 0; each < 3; each++) {
  node.system.spawn<Created>({
    behavior(context) {
      context.topic<Created>('orders.>').subscribe((order) => order, { group: 'packing' });
      return receive(() => void book.tell({ type: 'packed' }));
    },
  });
}

// One ref for several actors: each ask goes to whoever has least to do.
const squares = router(node.system, {
  routees: [1, 2, 3].map(() =>
    node.system.spawn<Square>({ behavior: () => receive((own, message) => own.reply(message, message.of ** 2)) }),
  ),
  strategy: leastLoaded(),
});
console.log(await Promise.all([1, 2, 3].map((of) => squares.ask({ type: 'square', of }, { timeoutMs: 1_000 }))));

for (const [order, region] of ['eu', 'us', 'eu'].entries())
  node.topic<Created>(`orders.${region}.created`).publish({ type: 'created', order });
console.log(await book.ask({ type: 'when', packed: 3 }, { timeoutMs: 5_000 }));
