import { expect, test } from 'vitest';
import { REPLY_PATH } from '../../src/actor/address.ts';
import { AskMail, type Envelope, Mail } from '../../src/actor/envelope.ts';
import type { Outcome } from '../../src/actor/signal.ts';

import type { LocalAgents } from '../../src/cluster/local-agents.ts';
import type { Members } from '../../src/cluster/members.ts';
import type { Demand } from '../../src/cluster/on-demand.ts';
import type { AgentRecord } from '../../src/cluster/place.ts';
import type { Places } from '../../src/cluster/places.ts';
import { agentRouter } from '../../src/cluster/router.ts';
import { NexaError } from '../../src/errors.ts';
import { seededRandom } from '../../src/memory/random.ts';
import { manualClock } from '../support/manual-clock.ts';

const TO = { kind: 'agent', type: 'counter', id: 'a' } as const;
const KEY = 'counter.a';
type Shown = { readonly owner?: string; readonly desired?: AgentRecord['desired']; readonly revision: number };

/** The router of n1, between a copy, the agents of n1 and a way to the others that the test speaks for. */
function routing() {
  const clock = manualClock();
  let shown: Shown | undefined;
  let stored: Shown | undefined;
  let here: ((envelope: Envelope) => boolean) | undefined;
  const sent: { readonly node: string; readonly envelope: Envelope; readonly atMs: number }[] = [];
  const replies: { readonly uid: number; readonly outcome: Outcome<unknown>; readonly atMs: number }[] = [];
  const letters: string[] = [];
  const hints: number[] = [];
  const givenUp = new Set<number>();
  let refreshed = 0;
  let spawn: () => ReturnType<Demand> = () => undefined;
  const places = {
    get: () =>
      shown && {
        key: KEY,
        revision: shown.revision,
        value: { desired: shown.desired ?? 'running', why: 'it failed', owner: shown.owner && { node: shown.owner, incarnation: 1 } },
      },
    hint: (_key: string, revision: number) => hints.push(revision),
    known: () => shown?.revision ?? 0,
    refresh: async () => {
      refreshed++;
      if (stored !== undefined) shown = stored;
    },
  } as unknown as Places;
  const router = agentRouter({
    self: { node: 'n1', incarnation: 1 },
    places: () => places,
    members: { isGone: (node: string) => node === 'gone' } as unknown as Members,
    locals: () =>
      ({ has: () => here !== undefined, deliver: (_key: string, envelope: Envelope) => here?.(envelope) }) as unknown as LocalAgents,
    demand: () => spawn(),
    waits: ({ uid }) => !givenUp.has(uid),
    sendTo: (node, _incarnation, envelope) => {
      sent.push({ node, envelope, atMs: clock.monotonicMs() });
      return true;
    },
    reply: (to, outcome) => void replies.push({ uid: to.kind === 'incarnation' ? to.uid : -1, outcome, atMs: clock.monotonicMs() }),
    deadLetter: (_envelope, reason) => void letters.push(reason),
    clock,
    random: seededRandom(1),
  });
  return {
    ...{ clock, router, sent, replies, letters, hints, givenUp },
    get refreshed() {
      return refreshed;
    },
    show: (next: Shown | undefined) => {
      shown = next;
      stored = next;
    },
    store: (next: Shown | undefined) => {
      stored = next;
    },
    /** What an agent that nobody knows is spawned with. */
    spawning: (by: typeof spawn) => {
      spawn = by;
    },
    runHere: (deliver: ((envelope: Envelope) => boolean) | undefined) => {
      here = deliver;
    },
    tell: () => router.send(new Mail(TO, { type: 'add' }, undefined)),
    ask: (uid: number, budgetMs = 5_000) => {
      const replyTo = { kind: 'incarnation', node: 'n1', nodeIncarnation: 1, path: REPLY_PATH, uid } as const;
      return router.send(new AskMail({ to: TO, message: { type: 'get' }, replyTo, budgetMs }, clock.monotonicMs() + budgetMs));
    },
  };
}
const notOwner = (revision: number): Outcome<unknown> => ({
  ok: false,
  error: new NexaError('not-owner', 'it does not run here', { where: { revision: String(revision) } }),
});
const errorOf = (outcome: Outcome<unknown> | undefined) => (outcome?.ok === false ? outcome.error : undefined);

test('an agent that the copy does not show is denied only after the store was asked', async () => {
  const world = routing();
  world.ask(1);
  world.tell();
  expect(world.replies).toEqual([]);
  await world.clock.advance(0);
  expect(errorOf(world.replies[0]?.outcome)).toMatchObject({ code: 'no-such-actor', definite: true });
  expect(world.letters).toEqual(['no-actor']);
  expect(world.refreshed).toBe(1);
});

test.each([
  { of: 'this node is in its copy by then', epoch: 5, looks: 1 },
  { of: 'another node is looked up', epoch: 6, looks: 2 },
])('one that its first message spawns by $of', async ({ epoch, looks }) => {
  const world = routing();
  world.spawning(async () => {
    world.show({ owner: 'n2', revision: 5 });
    return { epoch };
  });
  world.ask(1);
  await world.clock.advance(0);
  expect(world.sent.map(({ node }) => node)).toEqual(['n2']);
  expect(world.refreshed).toBe(looks);
});

test('one that was just spawned is found in the store, and what waits keeps its order', async () => {
  const world = routing();
  world.store({ owner: 'n2', revision: 5 });
  world.ask(1);
  world.tell();
  world.ask(2);
  await world.clock.advance(0);
  expect(world.sent.map(({ node, envelope }) => [node, envelope.replyTo?.kind === 'incarnation' ? envelope.replyTo.uid : 'tell'])).toEqual([
    ['n2', 1],
    ['n2', 'tell'],
    ['n2', 2],
  ]);
});

test('between two owners asks wait and go to the next one; a tell is a dead letter', async () => {
  const world = routing();
  world.show({ owner: 'gone', revision: 5 });
  world.ask(1);
  world.tell();
  expect(world.letters).toEqual(['not-owner']);
  await world.clock.advance(1_000);
  world.show({ owner: 'n3', revision: 9 });
  await world.clock.advance(2_000);
  expect(world.sent.map(({ node }) => node)).toEqual(['n3']);
});

test('it sends again by itself after a definite refusal alone, with what is left of the budget', async () => {
  const world = routing();
  world.show({ owner: 'n2', revision: 5 });
  world.ask(1, 4_000);
  expect(world.router.intercept(1, { ok: false, error: new NexaError('node-lost', 'gone') })).toBe(false);
  world.ask(2, 4_000);
  await world.clock.advance(500);
  world.store({ owner: 'n3', revision: 9 });
  expect(world.router.intercept(2, notOwner(9))).toBe(true);
  expect(world.hints).toEqual([9]);
  await world.clock.advance(1_000);
  const again = world.sent.at(-1);
  expect(again).toMatchObject({ node: 'n3' });
  expect(again?.envelope.budgetMs).toBeLessThan(3_500);
  expect(again?.envelope.budgetMs).toBeCloseTo(4_000 - (again?.atMs ?? 0), 0);
});

test('an answer is the asker’s, and is not looked at twice', () => {
  const world = routing();
  world.show({ owner: 'n2', revision: 5 });
  world.ask(1);
  expect(world.router.intercept(1, { ok: true, value: 1 })).toBe(false);
  expect(world.router.intercept(1, notOwner(9))).toBe(false);
});

test('after eight ways, or at its deadline, it is refused as unavailable, definitely', async () => {
  for (const [budgetMs, withinMs] of [
    [60_000, 16_000],
    [900, 900],
  ] as const) {
    const world = routing();
    world.show({ owner: 'gone', revision: 5 });
    world.ask(1, budgetMs);
    await world.clock.advance(30_000);
    expect(world.replies).toHaveLength(1);
    expect(errorOf(world.replies[0]?.outcome)).toMatchObject({ code: 'unavailable', definite: true });
    expect(world.replies[0]?.atMs).toBeLessThan(withinMs);
    expect(world.sent).toEqual([]);
  }
});

test('a quarantined agent says why, after the store was asked', async () => {
  const world = routing();
  world.show({ desired: 'quarantined', revision: 5 });
  world.ask(1);
  await world.clock.advance(0);
  expect(errorOf(world.replies[0]?.outcome)).toMatchObject({ code: 'quarantined', message: expect.stringContaining('it failed') });
});

test('an ask that an activation here hands back goes on with its own deadline, not with a new one', async () => {
  const world = routing();
  const taken: Envelope[] = [];
  world.runHere((envelope) => taken.push(envelope) > 0);
  world.show({ owner: 'n1', revision: 5 });
  world.ask(1, 3_000);
  await world.clock.advance(2_500);
  world.runHere(undefined);
  world.show({ owner: 'gone', revision: 5 });
  world.router.refused(taken[0] as Envelope, new NexaError('not-owner', 'its activation ended here'));
  await world.clock.advance(500);
  expect(errorOf(world.replies[0]?.outcome)).toMatchObject({ code: 'unavailable' });
  await world.clock.advance(60_000);
  expect(world.sent).toEqual([]);
});

test('what waits for one look at the store is bounded; one more is refused', async () => {
  const world = routing();
  for (let uid = 1; uid <= 1_001; uid++) world.ask(uid);
  expect(world.replies.map(({ uid }) => uid)).toEqual([1_001]);
  expect(errorOf(world.replies[0]?.outcome)).toMatchObject({ code: 'overloaded', definite: true });
});

test('what another node sends for an agent that is not here is refused with the revision known', () => {
  const world = routing();
  world.show({ owner: 'n3', revision: 12 });
  const replyTo = { kind: 'incarnation', node: 'n2', nodeIncarnation: 1, path: REPLY_PATH, uid: 77 } as const;
  world.router.arrived({ to: TO, message: { type: 'get' }, replyTo, budgetMs: 1_000 });
  expect(errorOf(world.replies[0]?.outcome)).toMatchObject({ code: 'not-owner', definite: true, where: { node: 'n1', revision: '12' } });
  world.router.arrived({ to: TO, message: { type: 'add' } });
  expect(world.letters).toEqual(['not-owner']);
});

test('what waits for an owner is bounded in bytes too, and has room again when it has gone', async () => {
  const world = routing();
  const large = { type: 'add', text: 'x'.repeat(4_194_304) };
  const send = () => world.router.send(new Mail(TO, large, undefined));
  world.store({ owner: 'n2', revision: 5 });
  for (let count = 0; count < 7; count++) send();
  expect(world.letters).toEqual([]);
  send();
  expect(world.letters).toEqual(['overloaded']);
  world.ask(1);
  await world.clock.advance(0);
  expect(world.sent).toHaveLength(8);
  world.show({ owner: 'n2', revision: 5 });
  for (let count = 0; count < 20; count++) send();
  expect([world.letters, world.sent.length]).toEqual([['overloaded'], 28]);
});
