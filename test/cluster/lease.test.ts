import { expect, test } from 'vitest';
import { DEFAULT_TIMES } from '../../src/cluster/config.ts';
import { elapsedMs, type LeaseEffect, type LeaseInput, type LeaseState, lease, leaseOf, owns } from '../../src/cluster/lease.ts';

const step = lease(DEFAULT_TIMES);
const at = (ms: number, more: { readonly wallMs?: number; readonly bootMs?: number } = {}) => ({
  monotonicMs: ms,
  wallMs: 1_000_000 + ms + (more.wallMs ?? 0),
  bootMs: ms + (more.bootMs ?? 0),
});
const fresh = leaseOf(7, 100, at(0));

/** Inputs one after the other; what they led to. */
function run(from: LeaseState, inputs: readonly (readonly [atMs: number, input: LeaseInput])[]) {
  let state = from;
  const effects: LeaseEffect[] = [];
  for (const [nowMs, input] of inputs) {
    const [next, more] = step(state, input, nowMs);
    state = next;
    effects.push(...more);
  }
  return { state, effects, names: effects.map(({ effect }) => effect) };
}
const tick = (ms: number, more: Parameters<typeof at>[1] = {}) => [ms, { input: 'tick', now: at(ms, more) }] as const;
const beat = (ms: number) => [ms, { input: 'beat-heard' }] as const;

test('elapsed is the largest of what the three clocks say', () => {
  expect(elapsedMs(at(0), at(10))).toBe(10);
  expect(elapsedMs(at(0), at(10, { wallMs: 500 }))).toBe(510);
  expect(elapsedMs(at(0), at(10, { bootMs: 700, wallMs: -9_000 }))).toBe(710);
});

test('it owns for ttl less margin after the send of its last renewal, by the larger of the clocks', () => {
  expect(owns(fresh, at(4_499), DEFAULT_TIMES)).toBe(true);
  expect(owns(fresh, at(4_500), DEFAULT_TIMES)).toBe(false);
  expect(owns(fresh, at(10, { wallMs: 4_490 }), DEFAULT_TIMES)).toBe(false);
  expect(owns(fresh, at(10, { bootMs: 4_490 }), DEFAULT_TIMES)).toBe(false);
  expect(owns(fresh, at(4_499, { wallMs: -60_000 }), DEFAULT_TIMES)).toBe(true);
});

test('it renews at its revision as soon as it may, and once at a time', () => {
  const { effects, state } = run(fresh, [tick(0), tick(200), tick(400)]);
  expect(effects).toEqual([{ effect: 'renew', revision: 100, sent: at(0) }]);
  const [renewed] = step(state, { input: 'renewed', sent: at(0), revision: 101 }, 450);
  expect(run(renewed, [tick(800)]).effects).toEqual([]);
  expect(run(renewed, [beat(900), tick(1_000)]).effects).toEqual([{ effect: 'renew', revision: 101, sent: at(1_000) }]);
});

test('a lease counts from the send, so a late answer is worth less', () => {
  const { state } = run(fresh, [beat(4_000), [4_600, { input: 'renewed', sent: at(1_000), revision: 101 }]]);
  expect(owns(state, at(5_499), DEFAULT_TIMES)).toBe(true);
  expect(owns(state, at(5_500), DEFAULT_TIMES)).toBe(false);
});

test('a doubtful renewal extends nothing: it reads, takes the revision that landed, and renews from there', () => {
  const { effects, state } = run(fresh, [
    tick(0),
    [300, { input: 'doubtful' }],
    [400, { input: 'seen', incarnation: 7, gone: false, revision: 105 }],
    beat(1_000),
    tick(1_000),
  ]);
  expect(effects).toEqual([
    { effect: 'renew', revision: 100, sent: at(0) },
    { effect: 'read' },
    { effect: 'renew', revision: 105, sent: at(1_000) },
  ]);
  expect(state.renewed).toEqual(at(0));
});

test('a read that shows less than is known takes nothing back', () => {
  expect(run({ ...fresh, revision: 110 }, [[10, { input: 'seen', incarnation: 7, gone: false, revision: 105 }]]).state.revision).toBe(110);
});

test('a failed read is followed by another renewal at once', () => {
  const { names } = run(fresh, [tick(0), [300, { input: 'doubtful' }], [1_300, { input: 'read-failed' }], beat(1_300), tick(1_300)]);
  expect(names).toEqual(['renew', 'read', 'renew']);
});

test('when it no longer owns it suspends once, and resumes with the next success', () => {
  const { names, state } = run(fresh, [tick(0), beat(4_400), tick(4_600), tick(4_800)]);
  expect(names.filter((name) => name === 'suspend')).toHaveLength(1);
  expect(state.suspended).toBe(true);
  const resumed = run(state, [[5_000, { input: 'renewed', sent: at(4_900), revision: 102 }]]);
  expect(resumed.names).toEqual(['resume']);
  expect(resumed.state.suspended).toBe(false);
});

test('it is over when its record is gone or names a later incarnation, and then does nothing more', () => {
  for (const input of [
    { input: 'seen', incarnation: 7, gone: true, revision: 120 },
    { input: 'seen', incarnation: 8, gone: false, revision: 120 },
  ] as const) {
    const { effects, state } = run(fresh, [[10, input], tick(20), [30, { input: 'renewed', sent: at(0), revision: 130 }]]);
    expect(effects).toEqual([{ effect: 'over', reason: 'declared-gone' }]);
    expect(owns(state, at(31), DEFAULT_TIMES)).toBe(false);
  }
});

test('an earlier incarnation that is gone says nothing about this one', () => {
  expect(run(fresh, [[10, { input: 'seen', incarnation: 6, gone: true, revision: 90 }]]).effects).toEqual([]);
});

test('not renewed for 60 s it is over, by the monotonic clock or the one that runs through a suspend, never by the wall', () => {
  expect(run(fresh, [tick(59_999)]).names).not.toContain('over');
  expect(run(fresh, [tick(60_000)]).effects).toEqual([{ effect: 'over', reason: 'not-renewed' }]);
  expect(run(fresh, [tick(10, { bootMs: 60_000 })]).effects).toEqual([{ effect: 'over', reason: 'not-renewed' }]);
  expect(run(fresh, [tick(10, { wallMs: 86_400_000 })]).names).toEqual(['suspend', 'renew']);
});

test('two seconds without a successful renewal, whatever the errors, move the control connection, then after 1, 2, 4, 4 s', () => {
  const moves: number[] = [];
  let state = fresh;
  for (let ms = 0; ms <= 20_000; ms += 100) {
    state = run(state, [beat(ms)]).state;
    const [next, effects] = step(state, { input: 'tick', now: at(ms) }, ms);
    state = next;
    if (effects.some(({ effect }) => effect === 'move-control')) moves.push(ms);
    if (effects.some(({ effect }) => effect === 'renew'))
      state = run(state, [
        [ms, { input: 'doubtful' }],
        [ms, { input: 'read-failed' }],
      ]).state;
  }
  expect(moves).toEqual([2_000, 3_000, 5_000, 9_000, 13_000, 17_000]);
});

test('a node whose own beats are not heard moves its data connection, and does not renew past the ttl', () => {
  let state = fresh;
  const seen: { readonly ms: number; readonly effect: string }[] = [];
  for (let ms = 0; ms <= 8_000; ms += 100) {
    const [next, effects] = step(state, { input: 'tick', now: at(ms) }, ms);
    state = next;
    for (const { effect } of effects) seen.push({ ms, effect });
    if (effects.some(({ effect }) => effect === 'renew'))
      [state] = step(state, { input: 'renewed', sent: at(ms), revision: state.revision + 1 }, ms);
  }
  expect(seen.find(({ effect }) => effect === 'move-data')?.ms).toBeLessThanOrEqual(2_000);
  expect(seen.filter(({ effect }) => effect === 'renew').at(-1)?.ms).toBeLessThan(DEFAULT_TIMES.ttlMs);
});

test('what was silent while the process itself stood still is no reason to move a connection; what is silent after it is', () => {
  const moved = (heard: boolean): readonly string[] => {
    const moves: string[] = [];
    let { state } = run(fresh, [tick(200), tick(400)]);
    for (let ms = 3_400; ms <= 5_400; ms += 200) {
      if (heard) ({ state } = run(state, [beat(ms)]));
      const [next, effects] = step(state, { input: 'tick', now: at(ms) }, ms);
      state = next;
      for (const { effect } of effects) if (effect.startsWith('move')) moves.push(`${effect} ${ms}`);
    }
    return moves;
  };
  expect([moved(true), moved(false)]).toEqual([['move-control 5400'], ['move-data 5000', 'move-control 5400']]);
});
