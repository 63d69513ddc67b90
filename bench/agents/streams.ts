// One who produces without end, one who reads from a node of its own and says how fast that went.
import { command, defineAgent, defineProtocol, local, type Outcome, type ReplyTo, streaming } from 'nexa';
import { z } from 'zod';

const read = z.object({ items: z.int(), seconds: z.number(), heapBefore: z.number(), heapAfter: z.number() });

export const fountainProtocol = defineProtocol({
  type: 'bench-fountain',
  version: 1,
  commands: {
    flow: streaming({ bytes: z.int().positive(), items: z.int().positive() }, { item: z.string() }),
    heap: command({}, { reply: z.number() }),
  },
});
export const fountain = defineAgent({ ...fountainProtocol, state: z.null(), initial: null, storage: 'memory' }).handle({
  flow: (_context, { bytes, items }) => ({
    stream: async function* () {
      const item = 'x'.repeat(bytes);
      for (let sent = 0; sent < items; sent++) yield item;
    },
  }),
  heap: () => ({ reply: heap() }),
});

export const drinkerProtocol = defineProtocol({
  type: 'bench-drinker',
  version: 1,
  commands: {
    /** Of `bench-fountain/<target>`; then takes one item and stops for so long. */
    drink: command(
      {
        target: z.string(),
        bytes: z.int().positive(),
        items: z.int().positive(),
        window: z.int(),
        stopMs: z.int().nonnegative().default(0),
      },
      { reply: read },
    ),
    done: local<{ outcome: Outcome<z.output<typeof read>>; replyTo: ReplyTo<z.output<typeof read>> }>(),
  },
});
export const drinker = defineAgent({ ...drinkerProtocol, state: z.null(), initial: null, storage: 'memory' }).handle({
  drink(context, { target, bytes, items, window, stopMs }) {
    const from = context.agent(fountainProtocol, target);
    const { replyTo } = context;
    context.pipe(
      async () => {
        const heapBefore = heap();
        const fromMs = performance.now();
        let got = 0;
        for await (const item of from.stream({ type: 'flow', bytes, items }, { idleTimeoutMs: 10_000, window })) {
          got += item.length === bytes ? 1 : 0;
          if (stopMs === 0) continue;
          await new Promise((resolve) => setTimeout(resolve, stopMs));
          break;
        }
        return { items: got, seconds: (performance.now() - fromMs) / 1_000, heapBefore, heapAfter: heap() };
      },
      (outcome) => ({ type: 'done', outcome, replyTo }),
    );
    return { deferred: true };
  },
  done(_context, { outcome, replyTo }) {
    if (outcome.ok) replyTo.tell(outcome.value);
    else replyTo.refuse(outcome.error);
  },
});

/** MB in use, after a collection where the process allows one. */
function heap(): number {
  (globalThis as { gc?: () => void }).gc?.();
  return process.memoryUsage().heapUsed / 2 ** 20;
}
