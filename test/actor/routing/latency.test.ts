import { describe, expect, test } from 'vitest';
import { receive } from '../../../src/actor/behavior.ts';
import type { Request } from '../../../src/actor/message.ts';
import type { Props } from '../../../src/actor/props.ts';
import { latencyAware } from '../../../src/actor/routing/latency-aware.ts';
import { leastLoaded } from '../../../src/actor/routing/least-loaded.ts';
import { random } from '../../../src/actor/routing/random.ts';
import { router } from '../../../src/actor/routing/router.ts';
import type { Routing } from '../../../src/actor/routing/routing.ts';
import { seededRandom } from '../../../src/memory/random.ts';
import { kit } from '../kit.ts';

type Work = Request<{ readonly type: 'work' }, null>;
const ROUTEES = 5;
const FAST_MS = 10;
const ASKS = 1_500;

/** One request at a time, each so long. */
const worker = (serviceMs: number): Props<Work> => ({
  behavior: () =>
    receive(async (context, message) => {
      await new Promise<void>((resolve) => void context.clock.after(serviceMs, resolve));
      context.reply(message, null);
    }),
});

/** How long asks took, one of five routees being slow, at a load that the four others carry easily. */
async function latencies(
  strategy: Routing<unknown>,
  slowMs: number,
  seed: number,
): Promise<{ readonly mean: number; readonly p99: number }> {
  await using world = kit({ random: seededRandom(seed) });
  const { clock, system } = world;
  const routees = Array.from({ length: ROUTEES }, (_, index) => system.spawn(worker(index === 0 ? slowMs : FAST_MS)));
  const ref = router(system, { routees, strategy });
  const arrivals = seededRandom(seed).fork('arrivals');
  const tookMs: number[] = [];
  for (let each = 0; each < ASKS; each++) {
    const begunMs = clock.monotonicMs();
    ref.ask({ type: 'work' }, { timeoutMs: 600_000 }).then(() => tookMs.push(clock.monotonicMs() - begunMs));
    await world.advance(arrivals.between(2, 18));
  }
  await world.advance(120_000);
  expect(tookMs.length).toBe(ASKS);
  tookMs.sort((a, b) => a - b);
  return { mean: tookMs.reduce((sum, ms) => sum + ms, 0) / ASKS, p99: tookMs[Math.floor(ASKS * 0.99)] as number };
}

describe.each([1, 2, 3])('with one slow node latency-aware routing beats random in mean and p99, seed %i', (seed) => {
  test('where the slow one has time for its share', async () => {
    const aware = await latencies(latencyAware(), 30, seed);
    const blind = await latencies(random(), 30, seed);
    expect(aware.mean).toBeLessThan(blind.mean * 0.8);
    expect(aware.p99).toBeLessThan(blind.p99 * 0.8);
  });

  test('where its share is more than it can do', async () => {
    const aware = await latencies(latencyAware(), 200, seed);
    const blind = await latencies(random(), 200, seed);
    expect(aware.mean).toBeLessThan(blind.mean / 5);
    expect(aware.p99).toBeLessThan(blind.p99 / 5);
    const loaded = await latencies(leastLoaded(), 200, seed);
    expect(loaded.mean).toBeLessThan(blind.mean / 5);
  });
});
