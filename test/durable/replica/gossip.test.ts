import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type GossipMessage, type GossipState, gossip, parseGossipState } from '../../../src/durable/replica/gossip.ts';
import { nextStamp } from '../../../src/durable/replica/stamp.ts';
import { counters, type Kind, kinds, REPLICAS, registers, sets } from './kinds.ts';

interface Flying {
  readonly from: number;
  readonly to: number;
  readonly message: GossipMessage;
}
/** Replicas whose messages lie about until somebody delivers, doubles or loses them. */
function world({ kind }: Pick<Kind, 'kind'>, size: number = REPLICAS.length) {
  const step = gossip(kind);
  const states: GossipState<unknown>[] = Array.from({ length: size }, () => step.initial);
  const flying: Flying[] = [];
  const refused: string[] = [];
  const run = (at: number, input: Parameters<typeof step>[1], nowMs = 10_000): void => {
    const [state, effects] = step(states[at] as GossipState<unknown>, input, nowMs);
    states[at] = state;
    for (const each of effects) {
      if (each.effect === 'send') flying.push({ from: at, to: Number(each.to.slice(1)), message: each.message });
      else refused.push(each.error.code);
    }
  };
  const deliver = ({ from, to, message }: Flying): void =>
    run(to, { input: 'received', from: `r${from}`, message: JSON.parse(JSON.stringify(message)) });
  const tick = (at: number, draw: number): void =>
    run(at, { input: 'tick', peers: states.map((_, each) => `r${each}`).filter((_, each) => each !== at), draw });
  return { step, states, flying, refused, run, deliver, tick };
}
type World = ReturnType<typeof world>;
const value = (from: World, at: number): unknown => from.states[at]?.value;
function settle(on: World): number {
  let messages = 0;
  for (let next = on.flying.shift(); next !== undefined; next = on.flying.shift()) {
    on.deliver(next);
    if (++messages > 1_000) throw new Error('a round has no end');
  }
  return messages;
}

describe.each(kinds)('$name', (each) => {
  type Event = {
    readonly at: number;
    readonly change?: (value: unknown, replica: string, nowMs: number) => unknown;
    readonly draw: number;
  };
  const events = fc.array(
    fc.record(
      {
        at: fc.nat({ max: REPLICAS.length - 1 }),
        change: each.change as fc.Arbitrary<never>,
        draw: fc.double({ min: 0, max: 0.999, noNaN: true }),
      },
      { requiredKeys: ['at', 'draw'] },
    ),
    { maxLength: 40 },
  ) as fc.Arbitrary<readonly Event[]>;

  test('whatever is lost, doubled and reordered, once messages arrive again everybody has the same', () => {
    fc.assert(
      fc.property(events, fc.infiniteStream(fc.nat()), (all, draws) => {
        const on = world(each);
        const draw = (below: number): number => (draws.next().value as number) % below;
        for (const [index, { at, change, draw: peer }] of all.entries()) {
          if (change === undefined) on.tick(at, peer);
          else on.run(at, { input: 'changed', delta: change(value(on, at), REPLICAS[at] ?? '', 9_000 + index) });
          // Some arrives, in no order; some of it again; some never.
          while (on.flying.length > 0 && draw(3) > 0) {
            const next = on.flying[draw(on.flying.length)] as Flying;
            if (draw(4) > 0) on.flying.splice(on.flying.indexOf(next), 1);
            if (draw(4) > 0) on.deliver(next);
            if (on.flying.length > 50) on.flying.length = 0;
          }
        }
        on.flying.length = 0;
        // Twice around a ring brings everything everywhere.
        for (let round = 0; round < 2; round++) {
          for (const at of REPLICAS.keys()) {
            on.tick(at, at / (REPLICAS.length - 1) === 1 ? 0 : at / (REPLICAS.length - 1));
            settle(on);
          }
        }
        for (const at of REPLICAS.keys()) expect(value(on, at)).toEqual(value(on, 0));
        expect(on.refused).toEqual([]);
        // Nothing is left to say: one summary, and no answer.
        on.tick(0, 0);
        expect(settle(on)).toBe(1);
      }),
      { numRuns: 1_000 },
    );
  });
});

test('a round takes what differs, both ways, in four messages, and nothing of what both know', () => {
  const on = world({ kind: sets } as never, 2);
  const common = Array.from({ length: 100 }, (_, n) => `common ${n}`);
  for (const at of [0, 1])
    for (const element of at === 0 ? common : []) on.run(at, { input: 'changed', delta: sets.add(value(on, at) as never, element, 'r0') });
  on.tick(0, 0);
  settle(on);
  on.run(0, { input: 'changed', delta: sets.add(value(on, 0) as never, 'left', 'r0') });
  on.run(1, { input: 'changed', delta: sets.add(value(on, 1) as never, 'right', 'r1') });
  on.run(1, { input: 'changed', delta: sets.remove(value(on, 1) as never, 'common 7') });
  // The deltas themselves are lost: only digests tell.
  for (const at of [0, 1]) on.tick(at, 0);
  on.flying.length = 0;
  on.tick(0, 0);
  const sent: GossipMessage[] = [];
  for (let next = on.flying.shift(); next !== undefined; next = on.flying.shift()) {
    sent.push(next.message);
    on.deliver(next);
  }
  expect(sent.map(({ type }) => type)).toEqual(['summary', 'digest', 'delta', 'delta']);
  expect(sent[2]).toMatchObject({ delta: { entries: { '"left"': { r0: [101, 101] } }, seen: { r0: [101, 101] } } });
  expect(sent[3]).toMatchObject({ delta: { entries: { '"right"': { r1: [1, 1] } }, seen: { r0: [8, 8], r1: [1, 1] } } });
  expect(JSON.stringify(sent).length).toBeLessThan(600);
  expect(value(on, 0)).toEqual(value(on, 1));
  expect(sets.size(value(on, 0) as never)).toBe(101);
});

test('what changed rides on the next summary, once, and never before a later input', () => {
  const step = gossip(counters);
  const [changed, effects] = step(step.initial, { input: 'changed', delta: counters.add({}, 2, 'a') }, 0);
  expect(effects).toEqual([]);
  const tick = { input: 'tick', peers: ['b'], draw: 0.5 } as const;
  const [ticked, [first]] = step(changed, tick, 0);
  expect(first).toMatchObject({ to: 'b', message: { type: 'summary', delta: { a: [2, 0] } } });
  expect(step(ticked, tick, 0)[1][0]).toMatchObject({ message: { type: 'summary', hash: expect.any(String) } });
  expect((step(ticked, tick, 0)[1][0] as { message: object }).message).not.toHaveProperty('delta');
  expect(step(changed, { ...tick, peers: [] }, 0)).toEqual([changed, []]);
});

test('deltas that wait are bounded; what is dropped of them comes by digest', () => {
  const on = world({ kind: sets } as never, 2);
  for (let n = 0; n < 200; n++) on.run(0, { input: 'changed', delta: sets.add(value(on, 0) as never, `${n}`.padEnd(900), 'r0') });
  expect(JSON.stringify(on.states[0]?.pending).length).toBeLessThan(70_000);
  on.tick(0, 0);
  settle(on);
  expect(value(on, 1)).toEqual(value(on, 0));
});

test('what brings nothing new leaves the very same state, so that nothing has to be stored', () => {
  const step = gossip(sets);
  const delta = sets.add(sets.empty, 'x', 'a');
  const [state] = step(step.initial, { input: 'changed', delta }, 0);
  for (const message of [
    { type: 'summary', hash: '', delta },
    { type: 'delta', delta },
    { type: 'digest', digest: sets.digest(state.value) },
  ])
    expect(step(state, { input: 'received', from: 'b', message }, 0)[0]).toBe(state);
});

test('what is no message between replicas is refused by type, and changes nothing', () => {
  const on = world({ kind: registers } as never, 2);
  const now = 10_000;
  const ahead = registers.set(null, 1, { replica: 'b', nowMs: now + 60_001 });
  for (const message of [
    ...[undefined, null, 7, [], 'summary', {}, { type: 'x' }, { type: 'summary' }, { type: 'summary', hash: 'x'.repeat(33) }],
    ...[
      { type: 'digest' },
      { type: 'digest', digest: 5 },
      { type: 'delta', delta: 5 },
      { type: 'delta', extra: 1 },
      { type: 'delta', delta: ahead },
    ],
  ])
    on.run(0, { input: 'received', from: 'r1', message });
  expect(new Set(on.refused)).toEqual(new Set(['invalid-message']));
  expect(on.refused).toHaveLength(14);
  expect([on.states[0], on.flying]).toEqual([on.step.initial, []]);
});

test('a hybrid clock rises whatever the wall clock does, and refuses one far ahead', () => {
  const by = (replica: string, nowMs: number) => ({ replica, nowMs });
  let register = registers.set(null, 1, by('a', 50_000));
  register = registers.merge(register, registers.set(register, 2, by('a', 10_000)));
  expect(registers.get(register)).toBe(2);
  register = registers.merge(register, registers.set(register, 3, by('b', -5)));
  expect([registers.get(register), register?.at]).toEqual([3, [50_000, 2, 'b']]);
  expect(nextStamp(register?.at, 50_001.7, 'a')).toEqual([50_001, 0, 'a']);
  expect(() => registers.parse(register, 10_000 - 20_001)).toThrow(
    expect.objectContaining({ code: 'invalid-message', where: { replica: 'b', field: 'at' } }),
  );
  // What is one's own is not refused, whatever the clock says now.
  expect(registers.parse(register)).toEqual(register);
});

test('a stored state is checked as a whole', () => {
  expect(parseGossipState(counters, { value: { a: [1, 0] }, pending: null })).toEqual({ value: { a: [1, 0] }, pending: null });
  for (const data of [
    null,
    {},
    { value: {} },
    { value: 5, pending: null },
    { value: {}, pending: 5 },
    { value: {}, pending: null, more: 1 },
  ])
    expect(() => parseGossipState(counters, data)).toThrow(expect.objectContaining({ code: 'invalid-message' }));
});
