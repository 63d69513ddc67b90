// What the measurements run inside a node: one who asks and tells, one who is told.
import { command, defineAgent, defineProtocol, echoProtocol, local, type Outcome, type ReplyTo } from 'nexa';
import { z } from 'zod';

const asked = z.object({ perSecond: z.number(), p50Ms: z.number(), p99Ms: z.number() });
const told = z.object({ perSecond: z.number(), handled: z.int() });
type Measured = z.output<typeof asked> | z.output<typeof told>;

export const sinkProtocol = defineProtocol({
  type: 'bench-sink',
  version: 1,
  commands: { hit: command({}), count: command({}, { reply: z.int() }) },
});
export const sink = defineAgent({ ...sinkProtocol, state: z.int(), initial: 0, storage: 'memory', limits: { limit: 100_000 } }).handle({
  hit: ({ state }) => ({ state: state + 1 }),
  count: ({ state }) => ({ reply: state }),
});

const work = { count: z.int().positive(), target: z.string() };
export const driverProtocol = defineProtocol({
  type: 'bench-driver',
  version: 1,
  commands: {
    /** Of `echo/<target>`, so many at once. */
    ask: command({ ...work, atOnce: z.int().positive() }, { reply: asked }),
    /** To `bench-sink/<target>`, as fast as the way there takes them. */
    tell: command(work, { reply: told }),
    done: local<{ outcome: Outcome<Measured>; replyTo: ReplyTo<never> }>(),
  },
});

const within = { timeoutMs: 30_000 };
export const driver = defineAgent({ ...driverProtocol, state: z.null(), initial: null, storage: 'memory' }).handle({
  ask(context, { count, atOnce, target }) {
    const echo = context.agent(echoProtocol, target);
    const replyTo = context.replyTo as ReplyTo<never>;
    context.pipe(
      async () => {
        const tookMs: number[] = [];
        let left = count;
        const fromMs = performance.now();
        const one = async (): Promise<void> => {
          while (left-- > 0) {
            const sentMs = performance.now();
            await echo.ask({ type: 'echo', text: 'hello' }, within);
            tookMs.push(performance.now() - sentMs);
          }
        };
        await Promise.all(Array.from({ length: atOnce }, one));
        const seconds = (performance.now() - fromMs) / 1_000;
        tookMs.sort((a, b) => a - b);
        const at = (share: number): number => tookMs[Math.floor(tookMs.length * share)] ?? 0;
        return { perSecond: count / seconds, p50Ms: at(0.5), p99Ms: at(0.99) };
      },
      (outcome) => ({ type: 'done', outcome, replyTo }),
    );
    return { deferred: true };
  },
  tell(context, { count, target }) {
    const to = context.agent(sinkProtocol, target);
    const replyTo = context.replyTo as ReplyTo<never>;
    context.pipe(
      async () => {
        const before = await to.ask({ type: 'count' }, within);
        const fromMs = performance.now();
        for (let index = 0; index < count; index++) if (!to.tell({ type: 'hit' })) await to.ready(within);
        // Behind all of them, by the order of one sender through one ref.
        const handled = (await to.ask({ type: 'count' }, within)) - before;
        return { perSecond: handled / ((performance.now() - fromMs) / 1_000), handled };
      },
      (outcome) => ({ type: 'done', outcome, replyTo }),
    );
    return { deferred: true };
  },
  done(_context, { outcome, replyTo }) {
    if (outcome.ok) replyTo.tell(outcome.value as never);
    else replyTo.refuse(outcome.error);
  },
});

export const burnerProtocol = defineProtocol({
  type: 'bench-burner',
  version: 1,
  commands: { burn: command({ ms: z.number().positive().max(1_000) }) },
});
/** Keeps its node's event loop busy for as long as it is asked to. */
export const burner = defineAgent({ ...burnerProtocol, state: z.null(), initial: null }).handle({
  burn(_context, { ms }) {
    const untilMs = performance.now() + ms;
    while (performance.now() < untilMs);
  },
});
