import { expect } from 'vitest';
import { createCodec } from '../../src/cluster/codec.ts';
import type { MemoryConnection } from '../../src/memory/network.ts';
import type { Clock } from '../../src/ports/clock.ts';
import type { Kv, Stores, Written } from '../../src/ports/stores.ts';
import type { LoadName } from './loads/index.ts';
import { type FaultName, type Plan, planOf, plansOf } from './plan.ts';
import { type SimulateOptions, simulate } from './run.ts';

export const codec = createCodec();

export interface Bitten {
  /** As docs/simulation.md lists it. */
  readonly bug: string;
  readonly faults: readonly FaultName[];
  readonly loads: readonly LoadName[];
  readonly seeds: number;
  readonly weather?: Partial<Plan['weather']>;
  readonly breaks?: SimulateOptions['breaks'];
  /** Bad luck that a whole product has to bear, exactly where the bug needs it. */
  readonly luck?: SimulateOptions['breaks'];
  readonly timesOf?: SimulateOptions['timesOf'];
  /** Around what is not broken by a port: a step of the product, that the test has replaced. */
  readonly broken?: (run: () => Promise<void>) => Promise<void>;
}

/**
 * A guard that can be taken away without anybody's objecting is not guarded. Runs every seed with the bug; the first that finds it has
 * to be good without it. Answers in how many seeds it was found, and every objection.
 */
export async function bitten({
  bug,
  faults,
  loads,
  seeds,
  ...given
}: Bitten): Promise<{ readonly found: number; readonly objections: string }> {
  const objections: string[] = [];
  const finders: number[] = [];
  const arbitrary = plansOf(faults, { loads });
  const planned = (seed: number): Plan => {
    const plan = planOf(seed, arbitrary);
    return { ...plan, weather: { ...plan.weather, ...given.weather } };
  };
  const { broken = (run) => run() } = given;
  await broken(async () => {
    for (let seed = 1; seed <= seeds; seed++) {
      const { verdict } = await simulate(seed, { ...optionsOf(given), plan: planned(seed) });
      if (verdict.verdict !== 'bad') continue;
      finders.push(seed);
      objections.push(...verdict.violations);
    }
  });
  const [first] = finders;
  if (first !== undefined) {
    const { breaks: _bug, timesOf: _slow, ...whole } = given;
    const { verdict } = await simulate(first, { ...optionsOf(whole), plan: planned(first) });
    expect(verdict, `seed ${first} with nothing broken`).toEqual({ verdict: 'ok' });
  }
  console.log(`${bug}: found in ${finders.length} of ${seeds} seeds; first: ${objections[0]?.split('\n')[0] ?? 'no objection'}`);
  return { found: finders.length, objections: objections.join('\n') };
}
const optionsOf = ({ breaks, luck, timesOf }: Partial<Bitten>): SimulateOptions => ({
  breaks: (name, connection, clock) => {
    const unlucky = luck?.(name, connection, clock) ?? connection;
    return breaks?.(name, unlucky, clock) ?? unlucky;
  },
  ...(timesOf === undefined ? {} : { timesOf }),
});

/** One bucket of every node, replaced. */
export const kvBroken =
  (
    bucket: string,
    wrap: (kv: Kv, given: { readonly node: string; readonly stores: Stores; readonly clock: Clock }) => Kv,
  ): NonNullable<SimulateOptions['breaks']> =>
  (node, { transport, stores }, clock): MemoryConnection => ({
    transport,
    stores: {
      ...stores,
      kv: (store) => (store.endsWith(`_${bucket}`) ? wrap(stores.kv(store), { node, stores, clock }) : stores.kv(store)),
    },
  });

/** What was refused because something newer is there is written over that. */
export async function forced(kv: Kv, key: string, value: Uint8Array, options: { readonly timeoutMs: number }): Promise<Written> {
  const found = await kv.get(key, options);
  return found === undefined ? { written: 'unknown' } : kv.update(key, value, found.revision, options);
}
/** Writes again what did not come through, until it does: whoever sent it may have lost by then what it is about. */
export const stubborn = (kv: Kv, { clock }: { readonly clock: Clock }): Kv => ({
  ...kv,
  update: async (key, value, revision, options) => {
    let outcome = await kv.update(key, value, revision, options);
    while (outcome.written !== 'yes') {
      await new Promise<void>((resolve) => void clock.after(100, resolve));
      outcome = await forced(kv, key, value, options).catch((): Written => ({ written: 'unknown' }));
    }
    return outcome;
  },
});
