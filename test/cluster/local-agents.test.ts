import { expect, test } from 'vitest';
import { type Envelope, Mail } from '../../src/actor/envelope.ts';
import { silentLogger } from '../../src/actor/safe-logger.ts';
import type { Activation, ActivationRules, AgentHost } from '../../src/cluster/hosting.ts';
import { localAgents } from '../../src/cluster/local-agents.ts';
import type { Mailboxes } from '../../src/cluster/mailboxes.ts';
import type { Members } from '../../src/cluster/members.ts';
import { type AgentRecord, type AgentSpec, decodeAgent } from '../../src/cluster/place.ts';
import type { Places } from '../../src/cluster/places.ts';
import { NexaError } from '../../src/errors.ts';
import type { Kv } from '../../src/ports/stores.ts';
import { answering, codec, noReminders, outcome, storeWorld, TIME, times } from './stores.ts';

const KEY = 'counter.a';
const RECLAIMED = { why: 'its record named this node', cause: 'reclaimed' } as const;
const wish = (id = 'a'): AgentSpec => ({
  ...({ type: 'counter', id, spawnId: '', config: { step: 1 }, restart: 'permanent', placement: {} } as const),
  ...({ desired: 'running', prefer: undefined, version: 1, why: 'spawned' } as const),
});

/** The agents of n1 over a real bucket; what runs them is the test's. */
const noMailboxes: Mailboxes = {
  began: () => undefined,
  ended: () => undefined,
  look: () => false,
  busy: () => false,
  forget: async () => undefined,
  stop: () => undefined,
};
async function agents(wrap: (kv: Kv) => Kv = (kv) => kv) {
  const world = storeWorld();
  const kv = await world.bucket('AGENTS');
  const begun: { readonly record: AgentRecord; readonly epoch: number; readonly rules: ActivationRules; go(error?: NexaError): void }[] =
    [];
  const delivered: Envelope[] = [];
  const refused: string[] = [];
  const killed: number[] = [];
  const excluded: string[] = [];
  const host = {
    types: { counter: 1 },
    kindOf: () => ({ onDemand: false, passivates: false, idleMs: undefined, mostActive: undefined }),
    activate: (record: AgentRecord, epoch: number, rules: ActivationRules) =>
      new Promise<Activation>((resolve, reject) => {
        const activation: Activation = {
          deliver: (envelope) => delivered.push(envelope) > 0,
          end: async () => undefined,
          passivate: () => undefined,
          usedAt: 0,
          kill: () => void killed.push(epoch),
          mailbox: 0,
          pressure: 'room',
          restarts: 0,
          busySince: () => 0,
          take: async () => undefined,
          skip: async () => undefined,
          kept: undefined,
        };
        begun.push({ record, epoch, rules, go: (error) => (error === undefined ? resolve(activation) : reject(error)) });
      }),
    forget: async () => undefined,
  } as unknown as AgentHost;
  const local = localAgents({
    self: { node: 'n1', incarnation: 1 },
    agents: wrap(kv),
    copy: () => ({ saw: () => undefined }) as unknown as Places,
    members: { isGone: () => false } as unknown as Members,
    host,
    owns: () => true,
    reminders: noReminders,
    codec,
    clock: world.clock,
    random: world.random,
    times,
    log: silentLogger,
    announce: () => undefined,
    mostActive: 10,
    sheds: () => undefined,
    onOwned: () => undefined,
    onActivated: () => undefined,
    onQuarantined: () => undefined,
    onFenced: () => undefined,
    mailboxes: noMailboxes,
    onClaimedIdle: () => undefined,
    onExclude: (key) => void excluded.push(key),
    onClaimEnded: () => undefined,
    onRefused: (_envelope, error) => void refused.push(error.code),
  });
  return {
    ...{ ...world, local, begun, delivered, refused, killed, excluded },
    come: <T>(promise: Promise<T>) => outcome(world.clock, promise),
    stored: async (key = KEY) => {
      const found = await outcome(world.clock, kv.get(key, TIME));
      return found === undefined ? undefined : { ...decodeAgent(found.value, codec, key), revision: found.revision };
    },
  };
}

test('an activation begins at the revision that its own write returned, and the spawn is answered when it runs', async () => {
  const { local, begun, come, clock, stored } = await agents();
  const spawned = local.spawn(wish());
  await clock.advance(50);
  expect(begun).toMatchObject([{ epoch: (await stored())?.revision, record: { owner: { node: 'n1', incarnation: 1 } } }]);
  expect([local.has(KEY), local.acts(KEY)]).toEqual([true, false]);
  begun[0]?.go();
  expect(await come(spawned)).toEqual({ node: 'n1', epoch: begun[0]?.epoch, created: true });
  expect(local.acts(KEY)).toBe(true);
});

test('a spawn whose write has no answer is activated only at the revision of a further write of its own', async () => {
  const { local, begun, come, clock, stored } = await agents((kv) => answering(kv, ['stored, unknown']));
  const spawned = local.spawn(wish());
  await clock.advance(500);
  expect(begun).toHaveLength(1);
  expect(begun[0]?.epoch).toBe((await stored())?.revision);
  begun[0]?.go();
  expect(await come(spawned)).toMatchObject({ created: true });
});

test('a claim whose write has no answer counts as not made, and is claimed anew', async () => {
  const answers: 'stored, unknown'[] = [];
  const { local, begun, come, clock, stored } = await agents((kv) => answering(kv, answers));
  const first = local.spawn(wish());
  await clock.advance(50);
  begun[0]?.go();
  await come(first);
  begun[0]?.rules.onFenced(begun[0].epoch);
  expect(local.idle(KEY)).toBe(true);
  answers.push('stored, unknown');
  local.claim(KEY, 'counter', 'a', RECLAIMED);
  await clock.advance(100);
  expect([begun.length, local.idle(KEY)]).toEqual([1, true]);
  local.claim(KEY, 'counter', 'a', RECLAIMED);
  await clock.advance(100);
  expect(begun).toHaveLength(2);
  expect(begun[1]?.epoch).toBe((await stored())?.revision);
  expect(begun[1]?.epoch).toBeGreaterThan(begun[0]?.epoch ?? 0);
});

test('messages wait for an activation that is under way, in order; if it fails they are handed back, and it is not tried here again', async () => {
  const { local, begun, delivered, refused, clock, excluded, come, stored } = await agents();
  const mail = (index: number) => new Mail({ kind: 'agent', type: 'counter', id: 'a' }, { index }, undefined);
  const spawned = local.spawn(wish());
  await clock.advance(50);
  for (let index = 0; index < 3; index++) local.deliver(KEY, mail(index));
  begun[0]?.go();
  await come(spawned);
  expect(delivered.map(({ message }) => message)).toEqual([{ index: 0 }, { index: 1 }, { index: 2 }]);

  const second = local.spawn(wish('b'));
  second.catch(() => undefined);
  await clock.advance(50);
  local.deliver('counter.b', mail(9));
  begun[1]?.go(new NexaError('internal', 'no room'));
  await expect(come(second)).rejects.toMatchObject({ message: 'no room' });
  await clock.advance(100);
  expect(refused).toEqual(['not-owner']);
  expect(excluded).toEqual(['counter.b']);
  expect(await stored('counter.b')).toMatchObject({ owner: undefined, desired: 'running' });
});

test('what waits for one activation is bounded', async () => {
  const { local, refused, clock } = await agents();
  local.spawn(wish()).catch(() => undefined);
  await clock.advance(50);
  for (let index = 0; index <= 1_000; index++) local.deliver(KEY, new Mail({ kind: 'agent', type: 'counter', id: 'a' }, {}, undefined));
  expect(refused).toEqual(['overloaded']);
});

test('64 activations are under way at most; the others follow', async () => {
  const { local, begun, clock } = await agents();
  for (let index = 0; index < 100; index++) local.spawn(wish(`a${index}`)).catch(() => undefined);
  await clock.advance(100);
  expect(begun).toHaveLength(64);
  for (const each of [...begun]) each.go();
  await clock.advance(100);
  expect(begun).toHaveLength(100);
});

test('one that finishes, or gives up, while it is about to begin is answered and written as it ended', async () => {
  for (const [error, desired] of [
    [undefined, 'stopped'],
    [new NexaError('crashed', 'it never starts'), 'quarantined'],
  ] as const) {
    const { local, begun, come, clock, stored } = await agents();
    const spawned = local.spawn(wish());
    spawned.catch(() => undefined);
    await clock.advance(50);
    if (error === undefined) begun[0]?.rules.onFinished();
    else begun[0]?.rules.onGaveUp(error);
    begun[0]?.go();
    if (error === undefined) expect(await come(spawned)).toMatchObject({ created: true });
    else await expect(come(spawned)).rejects.toBe(error);
    await clock.advance(100);
    expect(await stored()).toMatchObject({ desired, owner: undefined });
    expect(local.idle(KEY)).toBe(true);
  }
});

test('a later owner ends it this instant; an older record does not', async () => {
  const { local, begun, come, clock, killed } = await agents();
  const spawned = local.spawn(wish());
  await clock.advance(50);
  begun[0]?.go();
  const { epoch } = await come(spawned);
  local.superseded(KEY, epoch - 1);
  expect(local.acts(KEY)).toBe(true);
  local.superseded(KEY, epoch + 1);
  expect([local.acts(KEY), local.idle(KEY)]).toEqual([false, true]);
  expect(killed).toEqual([epoch]);
});

test('an agent that is released is given back, with whom it prefers, and leaves the table', async () => {
  const { local, begun, come, clock, stored } = await agents();
  for (const id of ['a', 'b']) {
    const spawned = local.spawn(wish(id));
    await clock.advance(50);
    begun.at(-1)?.go();
    await come(spawned);
  }
  for (const key of local.keys()) expect(local.release(key, { prefer: 'n2', why: 'drained', cause: 'drain' })).toBe(true);
  expect(local.release('counter.a', { prefer: 'n3', why: 'again', cause: 'drain' })).toBe(false);
  await clock.advance(50);
  for (const key of ['counter.a', 'counter.b'])
    expect(await stored(key)).toMatchObject({ owner: undefined, prefer: 'n2', desired: 'running', cause: 'drain' });
  expect(local.count).toBe(0);
});

test('when the incarnation is over everything ends, and whoever waits is told', async () => {
  const { local, begun, come, clock, killed } = await agents();
  const running = local.spawn(wish());
  await clock.advance(50);
  begun[0]?.go();
  await come(running);
  const waiting = local.spawn(wish('b'));
  waiting.catch(() => undefined);
  await clock.advance(50);
  local.over();
  expect(killed).toEqual([begun[0]?.epoch]);
  await expect(come(waiting)).rejects.toMatchObject({ code: 'fenced' });
  begun[1]?.go();
  await clock.advance(50);
  expect(killed).toEqual([begun[0]?.epoch, begun[1]?.epoch]);
});

test('whoever awaits an activation gets the one that begins, or hears that there is none', async () => {
  const { local, begun, come, clock } = await agents();
  await expect(local.awaken(KEY)).rejects.toMatchObject({ code: 'not-owner' });
  const spawned = local.spawn(wish());
  await clock.advance(50);
  const awaited = [local.awaken(KEY), local.awaken(KEY)];
  begun[0]?.go();
  await come(spawned);
  const [first, second] = await come(Promise.all(awaited));
  expect(first).toBe(second);
  expect(await local.awaken(KEY)).toBe(first);
  const failing = local.spawn(wish('b'));
  await clock.advance(50);
  const late = local.awaken('counter.b');
  begun[1]?.go(new NexaError('corrupt-record', 'no state'));
  await expect(come(failing)).rejects.toMatchObject({ code: 'corrupt-record' });
  await expect(come(late)).rejects.toMatchObject({ code: 'not-owner' });
});
