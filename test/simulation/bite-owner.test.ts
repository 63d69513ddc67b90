import { expect, test, vi } from 'vitest';
import { DEFAULT_TIMES } from '../../src/cluster/config.ts';
import type * as Judge from '../../src/cluster/judge.ts';
import type * as Lease from '../../src/cluster/lease.ts';
import type { Instant, LeaseEffect, LeaseInput, LeaseState } from '../../src/cluster/lease.ts';
import { decodeMember } from '../../src/cluster/member.ts';
import type * as Ownership from '../../src/cluster/ownership.ts';
import type { OwnershipEffect, OwnershipInput, OwnershipState } from '../../src/cluster/ownership.ts';
import { decodeAgent } from '../../src/cluster/place.ts';
import type { Step } from '../../src/cluster/step.ts';
import { bitten, codec, forced, kvBroken } from './bite.ts';
import { LOAD_NAMES } from './loads/index.ts';
import { CALM, type Fault } from './plan.ts';
import { simulate } from './run.ts';

type Bug = 'hasty judge' | 'ambiguous renewal' | 'clock stops' | 'late release' | 'taken back';
const broken = vi.hoisted((): { bug: Bug | undefined } => ({ bug: undefined }));
const withBug =
  (bug: Bug) =>
  async (run: () => Promise<void>): Promise<void> => {
    broken.bug = bug;
    await run().finally(() => {
      broken.bug = undefined;
    });
  };

/** A judge that counts the time since it last looked, whether its own renewals succeeded meanwhile or not, and never starts over. */
vi.mock('../../src/cluster/judge.ts', async (original) => {
  const real = await original<typeof Judge>();
  const hasty: typeof real.judge = (times) => {
    const step = real.judge({ ...times, renewMs: Number.POSITIVE_INFINITY });
    return (state, input, nowMs) => (input.input === 'copy-restarted' ? [state, []] : step(state, input, nowMs));
  };
  return { ...real, judge: (times: Parameters<typeof real.judge>[0]) => (broken.bug === 'hasty judge' ? hasty : real.judge)(times) };
});

vi.mock('../../src/cluster/lease.ts', async (original) => {
  const real = await original<typeof Lease>();
  /** Whose clock says nothing of the time it slept through. */
  const awake = (now: Instant, { renewed }: LeaseState): Instant => ({ ...now, wallMs: renewed.wallMs, bootMs: renewed.bootMs });
  const lease: typeof real.lease = (times) => {
    const step = real.lease(times);
    if (broken.bug === 'clock stops')
      return (state, input, nowMs) => step(state, input.input === 'tick' ? { ...input, now: awake(input.now, state) } : input, nowMs);
    if (broken.bug !== 'ambiguous renewal') return step;
    let sent: Instant | undefined;
    const eager: Step<LeaseState, LeaseInput, LeaseEffect> = (state, input, nowMs) => {
      const [next, effects] = step(state, input, nowMs);
      for (const effect of effects) if (effect.effect === 'renew') sent = effect.sent;
      return [input.input === 'doubtful' && sent !== undefined ? { ...next, renewed: sent } : next, effects];
    };
    return eager;
  };
  const owns: typeof real.owns = (state, now, times) => real.owns(state, broken.bug === 'clock stops' ? awake(now, state) : now, times);
  return { ...real, lease, owns };
});

vi.mock('../../src/cluster/ownership.ts', async (original) => {
  const real = await original<typeof Ownership>();
  /** An activation goes on until the store has acknowledged the write that gives it up. */
  const late =
    (step: Step<OwnershipState, OwnershipInput, OwnershipEffect>): typeof step =>
    (state, input, nowMs) => {
      if (state.phase !== 'active') return step(state, input, nowMs);
      const { releasing, ...active } = state as typeof state & { readonly releasing?: OwnershipState };
      if (releasing === undefined) {
        if (!('input' in input) || input.input !== 'leave') return step(state, input, nowMs);
        const [ending] = step(state, input, nowMs);
        const [writing, effects] = step(ending, { input: 'ended' }, nowMs);
        return [{ ...active, releasing: writing } as OwnershipState, effects];
      }
      if ('input' in input && (input.input === 'superseded' || input.input === 'over')) return step(active, input, nowMs);
      const [next, effects] = step(releasing, input, nowMs);
      if (next.phase === 'writing' || next.phase === 'reading') return [{ ...active, releasing: next } as OwnershipState, effects];
      return [next, [{ effect: 'end', graceful: false }, ...effects]];
    };
  /** A read that shows the record as it was before its release is believed: nothing was given up, it seems. */
  const backAgain =
    (step: Step<OwnershipState, OwnershipInput, OwnershipEffect>): typeof step =>
    (state, input, nowMs) => {
      const found = state.phase === 'reading' && 'input' in input && input.input === 'read' ? input.found : undefined;
      if (state.phase !== 'reading' || state.goal.request !== 'release' || found === undefined || found.revision !== state.epoch)
        return step(state, input, nowMs);
      const { record, revision: epoch } = found;
      return [{ phase: 'activating', epoch, record, waiting: state.waiting }, [{ effect: 'activate', record, epoch }]];
    };
  const ownership: typeof real.ownership = (rules) => {
    const step = real.ownership(rules);
    return broken.bug === 'late release' ? late(step) : broken.bug === 'taken back' ? backAgain(step) : step;
  };
  return { ...real, ownership };
});

const TWO = /may still act/;

/** A release lands without its sender's being told, and the next read is a late one. */
const doubtfulReleases = kvBroken('AGENTS', (kv) => {
  const before = new Map<string, Awaited<ReturnType<typeof kv.get>>>();
  return {
    ...kv,
    update: async (key, value, revision, options) => {
      const { owner, desired } = decodeAgent(value, codec, key);
      if (owner !== undefined || desired !== 'running') return kv.update(key, value, revision, options);
      const found = await kv.get(key, options).catch(() => undefined);
      if (found?.revision === revision) before.set(key, found);
      await kv.update(key, value, revision, options);
      return { written: 'unknown' };
    },
    get: async (key, options) => {
      const late = before.get(key);
      before.delete(key);
      return late ?? kv.get(key, options);
    },
  };
});

test('activate from a copy or a read: a record that still names this node is taken for its own again', { timeout: 300_000 }, async () => {
  const { found, objections } = await bitten({
    ...{ bug: 'activate from a copy or a read', faults: ['leave', 'crash with proof'], loads: LOAD_NAMES, seeds: 15 },
    ...{ luck: doubtfulReleases, broken: withBug('taken back') },
  });
  expect(found).toBeGreaterThan(0);
  expect(objections).toMatch(/may still act|epoch/);
});

test('keep running until a release is acknowledged: another may run it by then', { timeout: 300_000 }, async () => {
  const { found, objections } = await bitten({
    ...{ bug: 'keep running until a release is acknowledged', faults: ['leave', 'crash with proof'], loads: LOAD_NAMES, seeds: 15 },
    ...{ luck: doubtfulReleases, broken: withBug('late release') },
  });
  expect(found).toBeGreaterThan(0);
  expect(objections).toMatch(TWO);
});

test('judge retries at a fresher revision: whoever has renewed by then is gone all the same', { timeout: 300_000 }, async () => {
  const breaks = kvBroken('MEMBERS', (kv, { node }) => ({
    ...kv,
    update: async (key, value, revision, options) => {
      const outcome = await kv.update(key, value, revision, options);
      const judged = key !== node && outcome.written === 'no' && decodeMember(value, codec, key).state === 'gone';
      return judged ? forced(kv, key, value, options) : outcome;
    },
  }));
  const { found, objections } = await bitten({
    ...{ bug: 'judge retries at a fresher revision', faults: ['flap', 'pause'], loads: ['counters', 'churn'], seeds: 60 },
    ...{ weather: { watchMs: 800 }, breaks },
  });
  expect(found).toBeGreaterThan(0);
  expect(objections).toMatch(TWO);
});

test('a judge that takes a store without a leader for silence ends healthy nodes; ours moves nothing', { timeout: 300_000 }, async () => {
  const elections: readonly Fault[] = [1_000, 7_200].map((afterMs) => ({
    fault: 'election',
    node: 'n1',
    other: 'n2',
    afterMs,
    forMs: 8_000,
  }));
  const plan = { nodes: 3, loads: ['counters', 'churn'] as const, weather: { ...CALM, watchMs: 800 }, faults: elections };
  const over = async (): Promise<number> => {
    let ended = 0;
    for (let seed = 1; seed <= 10; seed++) ended += (await simulate(seed, { plan })).seen.over;
    return ended;
  };
  expect(await over()).toBe(0);
  await withBug('hasty judge')(async () => expect(await over()).toBeGreaterThan(0));
});

test('extend validity on an ambiguous renewal: a node that nobody hears goes on', { timeout: 300_000 }, async () => {
  const { found, objections } = await bitten({
    ...{ bug: 'extend validity on an ambiguous renewal', faults: ['store cut', 'isolate'], loads: ['counters', 'churn'], seeds: 20 },
    broken: withBug('ambiguous renewal'),
  });
  expect(found).toBeGreaterThan(0);
  expect(objections).toMatch(TWO);
});

test('a lease clock that stops in a suspend: whoever wakes believes that no time has passed', { timeout: 300_000 }, async () => {
  const { found, objections } = await bitten({
    ...{ bug: 'a lease clock that stops in a suspend', faults: ['sleep'], loads: ['counters', 'churn'], seeds: 20 },
    broken: withBug('clock stops'),
  });
  expect(found).toBeGreaterThan(0);
  expect(objections).toMatch(TWO);
});

test('a gate that closes too late lets two activations act', { timeout: 300_000 }, async () => {
  const timesOf = (name: string) => (name === 'n1' ? { ...DEFAULT_TIMES, ttlMs: 60_000 } : DEFAULT_TIMES);
  const faults = ['store cut', 'isolate'] as const;
  const { found, objections } = await bitten({
    bug: 'a gate that closes too late',
    faults,
    loads: ['counters', 'churn'],
    seeds: 15,
    timesOf,
  });
  expect(found).toBeGreaterThan(0);
  expect(objections).toMatch(TWO);
});
