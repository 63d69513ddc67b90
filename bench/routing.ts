// How long asks take when one of five routees is slow, by strategy, in virtual time from a seed; and what a router costs: npm run bench -- routing [seed]
import {
  actorSystem,
  type Clock,
  consistentHash,
  latencyAware,
  leastLoaded,
  type Props,
  type Random,
  type Request,
  type Routing,
  random,
  receive,
  roundRobin,
  router,
} from 'nexa';

type Work = Request<{ readonly type: 'work'; readonly key: string }, null>;
const ASKS = 3_000;
const ROUTEES = 5;
/** More than its share leaves it time for, and less. */
const SLOW_MS = [200, 30];
const FAST_MS = 10;
const seed = Number(process.argv[2] ?? 1);

/** Time that moves from one timer to the next. */
function steppedClock(): Clock & { next(): boolean } {
  const timers: { readonly atMs: number; readonly run: () => void }[] = [];
  let nowMs = 0;
  return {
    monotonicMs: () => nowMs,
    wallMs: () => nowMs,
    bootMs: () => nowMs,
    after(delayMs, run) {
      const timer = { atMs: nowMs + Math.max(0, delayMs), run };
      const later = timers.findIndex(({ atMs }) => atMs > timer.atMs);
      timers.splice(later < 0 ? timers.length : later, 0, timer);
      return () => {
        const at = timers.indexOf(timer);
        if (at >= 0) timers.splice(at, 1);
      };
    },
    next() {
      const timer = timers.shift();
      if (timer === undefined) return false;
      nowMs = timer.atMs;
      timer.run();
      return true;
    },
  };
}
function seeded(from: number): Random {
  let state = from;
  let ids = 0;
  return {
    next: () => {
      state = (state + 0x6d2b79f5) | 0;
      let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
      mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed);
      return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
    },
    id: () => `id-${++ids}`,
  };
}
const worker = (serviceMs: number): Props<Work> => ({
  mailbox: { limit: 100_000 },
  behavior: () =>
    receive(async (context, message) => {
      await new Promise<void>((resolve) => void context.clock.after(serviceMs, resolve));
      context.reply(message, null);
    }),
});
const settled = async (): Promise<void> => {
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
};

async function measure(strategy: Routing<Work>, slowMs: number): Promise<object> {
  const clock = steppedClock();
  const draws = seeded(seed);
  const system = actorSystem({ clock, random: draws });
  const routees = Array.from({ length: ROUTEES }, (_, index) => system.spawn(worker(index === 0 ? slowMs : FAST_MS)));
  const ref = router(system, { routees, strategy });
  const tookMs: number[] = [];
  let asked = 0;
  const arrive = (): void => {
    const begunMs = clock.monotonicMs();
    const message = { type: 'work', key: `customer ${Math.floor(draws.next() * 500)}` } as const;
    void ref.ask(message, { timeoutMs: 2_000_000 }).then(() => tookMs.push(clock.monotonicMs() - begunMs));
    if (++asked < ASKS) clock.after(2 + draws.next() * 16, arrive);
  };
  arrive();
  while (tookMs.length < ASKS) {
    await settled();
    if (!clock.next()) break;
  }
  await settled();
  tookMs.sort((a, b) => a - b);
  const at = (share: number): number => Math.round(tookMs[Math.floor(tookMs.length * share)] ?? 0);
  const mean = Math.round(tookMs.reduce((sum, ms) => sum + ms, 0) / tookMs.length);
  return { strategy: strategy.name, asks: tookMs.length, mean, p50: at(0.5), p99: at(0.99), unit: 'ms, virtual' };
}

/** Tells a second to actors that do nothing. */
async function rate(what: string, through: (system: ReturnType<typeof actorSystem>) => { tell(message: Work): boolean }): Promise<object> {
  await using system = actorSystem();
  const ref = through(system);
  const message = { type: 'work', key: 'a' } as const;
  let best = 0;
  for (let round = 0; round < 5; round++) {
    const fromMs = performance.now();
    for (let sent = 0; sent < 400_000; sent++) {
      ref.tell(message);
      if (sent % 4_000 === 3_999) await settled();
    }
    await settled();
    best = Math.max(best, 400_000 / ((performance.now() - fromMs) / 1_000));
  }
  return { what, perSecond: Math.round(best), unit: 'tells/s' };
}

const strategies: readonly Routing<Work>[] = [
  random(),
  roundRobin(),
  consistentHash<Work>(({ key }) => key),
  leastLoaded(),
  latencyAware(),
];
for (const slowMs of SLOW_MS) {
  console.log(
    `${ASKS} asks, one every 10 ms or so, of ${ROUTEES} routees that take ${FAST_MS} ms, but one of them ${slowMs} ms; seed ${seed}`,
  );
  const rows: object[] = [];
  for (const strategy of strategies) rows.push(await measure(strategy, slowMs));
  console.table(rows);
}

const idle: Props<Work> = { mailbox: { limit: 1_000_000 }, behavior: () => receive(() => undefined) };
const ten = (system: ReturnType<typeof actorSystem>) => Array.from({ length: 10 }, () => system.spawn(idle));
const rates: object[] = [await rate('one ref', (system) => system.spawn(idle))];
for (const strategy of strategies)
  rates.push(await rate(`${strategy.name}, 10 routees`, (system) => router(system, { routees: ten(system), strategy })));
console.table(rates);
