import { expect, test } from 'vitest';
import { createCodec } from '../../src/cluster/codec.ts';
import { DEFAULT_TIMES } from '../../src/cluster/config.ts';
import { decodeState, encodeState } from '../../src/durable/fenced-state.ts';
import { NOTHING_KEPT } from '../../src/durable/kept.ts';
import type { MemoryConnection } from '../../src/memory/network.ts';
import type { Kv } from '../../src/ports/stores.ts';
import { type FaultName, planOf, plansOf } from './plan.ts';
import { type SimulateOptions, simulate } from './run.ts';

/** Runs until a checker objects: a guard that can be removed without that is not guarded by the suite. */
async function bitten(kinds: readonly FaultName[], most: number, broken: SimulateOptions): Promise<string> {
  for (let seed = 1; seed <= most; seed++) {
    const plan = planOf(seed, plansOf(kinds));
    const { verdict } = await simulate(seed, { ...broken, plan });
    if (verdict.verdict !== 'bad') continue;
    const whole = await simulate(seed, { plan });
    expect(whole.verdict, `seed ${seed} with nothing broken`).toEqual({ verdict: 'ok' });
    console.log(`seed ${seed}: ${verdict.violations[0]}`);
    return verdict.violations.join('\n');
  }
  return `no checker objected in ${most} seeds`;
}
const ofStates =
  (wrap: (kv: Kv) => Kv) =>
  (_name: string, { transport, stores }: MemoryConnection): MemoryConnection => ({
    transport,
    stores: { ...stores, kv: (store) => (store.endsWith('_STATE') ? wrap(stores.kv(store)) : stores.kv(store)) },
  });

test('without the fence of the state, acknowledged effects are lost', { timeout: 120_000 }, async () => {
  const unfenced = ofStates((kv) => ({
    ...kv,
    // A stale write is stored over whatever is there.
    update: async (key, value, revision, options) => {
      const outcome = await kv.update(key, value, revision, options);
      if (outcome.written !== 'no') return outcome;
      const found = await kv.get(key, options);
      return found === undefined ? outcome : kv.update(key, value, found.revision, options);
    },
  }));
  expect(await bitten(['store cut', 'isolate', 'crash'], 60, { breaks: unfenced })).toMatch(/lost|missed|not linearizable|no order/i);
});

test('when the handled requests are forgotten with their node, a repeat counts twice', { timeout: 120_000 }, async () => {
  const codec = createCodec();
  const forget = (value: Uint8Array, key: string): Uint8Array =>
    encodeState({ ...decodeState(value, codec, key), kept: NOTHING_KEPT }, codec);
  const forgetful = ofStates((kv) => ({
    ...kv,
    create: (key, value, options) => kv.create(key, forget(value, key), options),
    update: (key, value, revision, options) => kv.update(key, forget(value, key), revision, options),
  }));
  expect(await bitten(['crash with proof', 'one way', 'crash'], 60, { breaks: forgetful })).toMatch(/more than once|doubled|too much/);
});

test('a gate that closes too late lets two activations act', { timeout: 120_000 }, async () => {
  const late = (name: string) => (name === 'n1' ? { ...DEFAULT_TIMES, ttlMs: 60_000 } : DEFAULT_TIMES);
  expect(await bitten(['store cut', 'isolate'], 40, { timesOf: late })).toMatch(/may still act|no order|not linearizable|lost/i);
});
