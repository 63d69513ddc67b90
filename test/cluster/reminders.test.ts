import fc from 'fast-check';
import { expect, test } from 'vitest';
import { silentLogger } from '../../src/actor/safe-logger.ts';
import type { Activation } from '../../src/cluster/hosting.ts';
import type { LocalAgents } from '../../src/cluster/local-agents.ts';
import { type Reminders, reminders } from '../../src/cluster/reminders.ts';
import { decodeState, FencedState } from '../../src/durable/fenced-state.ts';
import type { FixedSchedule } from '../../src/durable/schedule.ts';
import type { Source } from '../../src/durable/turn.ts';
import { NexaError } from '../../src/errors.ts';
import type { FaultSettings } from '../../src/memory/network.ts';
import type { Kv, Written } from '../../src/ports/stores.ts';
import { codec, outcome, storeWorld, TIME } from './stores.ts';

const KEY = 'watch.a';
interface Effect {
  readonly name: string;
  readonly declared: string;
  readonly dueAtMs: number;
  readonly missed: number;
}
interface Node {
  readonly name: string;
  readonly reminders: Reminders;
  epoch: number | undefined;
  activation: Activation | undefined;
  owns: boolean;
  readonly failing: { times: number; with?: NexaError };
  /** Stores that its writes do not reach any more. */
  readonly muted: Set<string>;
  /** Its handler's own doing, once. */
  during: (() => Promise<unknown>) | undefined;
  readonly abort: AbortController;
}

function muting(node: Pick<Node, 'muted'>, kv: Kv, store: string): Kv {
  const write = (go: () => Promise<Written>): Promise<Written> => (node.muted.has(store) ? new Promise(() => undefined) : go());
  return {
    ...kv,
    create: (...given) => write(() => kv.create(...given)),
    update: (...given) => write(() => kv.update(...given)),
    delete: (...given) => write(() => kv.delete(...given)),
  };
}

/** One agent and its owners, one after the other: real records, real fences, and who owns it is the test's. */
async function owners(faults: FaultSettings = {}) {
  const world = storeWorld(faults);
  const { random, network } = world;
  const wall = { aheadMs: 0 };
  const clock = { ...world.clock, wallMs: () => world.clock.wallMs() + wall.aheadMs };
  await world.bucket('REMINDERS');
  await world.bucket('STATE');
  const poisoned: string[] = [];
  let epochs = 0;
  const node = (name: string): Node => {
    const { stores } = network.connect(name);
    const muted = new Set<string>();
    const mine: Node = {
      ...{
        name,
        epoch: undefined,
        activation: undefined,
        owns: true,
        failing: { times: 0 },
        abort: new AbortController(),
        muted,
        during: undefined,
      },
      reminders: reminders({
        ...{ kv: muting({ muted }, stores.kv('REMINDERS'), 'REMINDERS'), codec, clock, random, storeMs: 500, log: silentLogger },
        locals: () =>
          ({
            epochOf: (key: string) => (key === KEY ? mine.epoch : undefined),
            awaken: async () => mine.activation ?? (await open(mine)),
          }) as unknown as LocalAgents,
        lookMs: 30_000,
        owns: () => mine.owns,
        onPoison: (envelope) => void poisoned.push(JSON.stringify(envelope.message)),
      }),
    };
    return mine;
  };
  const open = async (mine: Node): Promise<Activation> => {
    const { epoch, abort } = mine;
    if (epoch === undefined) throw new NexaError('not-owner', 'it does not run here');
    const kv = muting(mine, network.connect(mine.name).stores.kv('STATE'), 'STATE');
    const fence = { kv, key: KEY, codec, clock, random, storeMs: 500, epoch, version: 1, signal: abort.signal };
    const store = await FencedState.open(fence, (stored) => stored?.state ?? []);
    const take = async (_message: unknown, source: Source): Promise<void> => {
      if (mine.failing.times > 0) {
        mine.failing.times--;
        throw mine.failing.with ?? new NexaError('crashed', 'not now');
      }
      if (!('fired' in source)) throw new NexaError('internal', 'not a reminder');
      const { name, declared, dueAtMs, missed = 0 } = source.fired;
      const { during } = mine;
      mine.during = undefined;
      await during?.();
      const state = [...(store.state as readonly Effect[]), { name, declared, dueAtMs, missed }];
      await store.commit({ state, source });
    };
    const activation = {
      take,
      get kept() {
        return store.kept;
      },
    } as unknown as Activation;
    if (mine.epoch === epoch) mine.activation = activation;
    return activation;
  };
  const own = (mine: Node): void => {
    mine.epoch = ++epochs;
    mine.activation = undefined;
    mine.reminders.owned(KEY);
  };
  const by = (mine: Node) => {
    const { epoch = 0 } = mine;
    const standing = () => (mine.epoch !== epoch || mine.abort.signal.aborted ? ('over' as const) : ('holds' as const));
    return { type: 'watch', id: 'a', epoch, standing };
  };
  const effects = async (): Promise<readonly Effect[]> => {
    const found = await outcome(clock, network.connect('looker').stores.kv('STATE').get(KEY, TIME));
    return found === undefined ? [] : (decodeState(found.value, codec, KEY).state as readonly Effect[]);
  };
  const come = <T>(promise: Promise<T>): Promise<T> => outcome(clock, promise);
  return { ...world, clock, wall, node, own, by, effects, come, poisoned, startMs: clock.wallMs() };
}
const tick = (schedule: FixedSchedule, name = 'tick', message: unknown = { type: 'due' }) => ({
  ...{ name, schedule, message: codec.encode(message) },
});
const daily = { cron: '0 12 * * *', timeZone: 'Europe/Berlin' } as const;

test('thirty days of a daily cron expression are thirty effects a day apart, whoever owns it by then', async () => {
  const { node, own, by, effects, come, clock } = await owners();
  const nodes = [node('n1'), node('n2')] as const;
  own(nodes[0]);
  await come(nodes[0].reminders.declare(by(nodes[0]), tick(daily)));
  for (let day = 0; day < 30; day++) {
    await clock.advance(86_400_000);
    const [from, to] = day % 2 === 0 ? nodes : [nodes[1], nodes[0]];
    from.epoch = undefined;
    own(to);
  }
  const due = (await effects()).map(({ dueAtMs }) => dueAtMs);
  expect(due).toEqual([...Array(30).keys()].map((day) => Date.UTC(2026, 0, 1 + day, 11)));
});

test.each([
  ['before its effect is stored', 'STATE'],
  ['after its effect was stored, before the entry is advanced', 'REMINDERS'],
])('its owner is lost %s: the due time is one effect', async (_when, store) => {
  const { node, own, by, effects, come, clock, network, startMs } = await owners();
  const [first, second] = [node('n1'), node('n2')];
  own(first);
  await come(first.reminders.declare(by(first), tick({ everyMs: 10_000 })));
  await clock.advance(9_000);
  first.muted.add(store);
  await clock.advance(2_000);
  network.faults.crash('n1');
  first.epoch = undefined;
  own(second);
  await clock.advance(12_000);
  expect((await effects()).map(({ dueAtMs, missed }) => [dueAtMs - startMs, missed])).toEqual([
    [10_000, 0],
    [20_000, 0],
  ]);
});

test('a failure is tried again with growing pauses, and given up at last; what does not fit is given up at once', async () => {
  const { node, own, by, effects, come, clock, poisoned, startMs } = await owners();
  const only = node('n1');
  own(only);
  await come(only.reminders.declare(by(only), tick({ everyMs: 60_000 })));
  only.failing.times = 7;
  await clock.advance(90_000);
  expect(await effects()).toHaveLength(1);
  only.failing.times = 8;
  await clock.advance(60_000);
  expect(poisoned).toEqual(['{"type":"due"}']);
  await clock.advance(60_000);
  expect((await effects()).map(({ dueAtMs, missed }) => [dueAtMs - startMs, missed])).toMatchObject([
    [60_000, 0],
    [180_000, 0],
  ]);
});

test.each([
  ['the store is full', new NexaError('quota-exceeded', 'it takes no more', { where: { store: 'STATE' } })],
  ['the node sheds load', new NexaError('overloaded', 'no memory is left')],
  ['somebody it needs is away', new NexaError('unavailable', 'its node is suspended')],
])('while %s a due time is tried again with growing pauses and never given up', async (_why, error) => {
  const { node, own, by, effects, come, clock, poisoned, startMs } = await owners();
  const only = node('n1');
  own(only);
  await come(only.reminders.declare(by(only), tick({ everyMs: 60_000 })));
  Object.assign(only.failing, { times: 1_000, with: error });
  await clock.advance(600_000);
  const tries = 1_000 - only.failing.times;
  // Seven pauses up to ten seconds, then one every ten.
  expect(tries).toBe(7 + 53);
  only.failing.times = 0;
  await clock.advance(30_000);
  expect(poisoned).toEqual([]);
  expect((await effects()).map(({ dueAtMs, missed }) => [dueAtMs - startMs, missed])).toEqual([[600_000, 9]]);
});

test('what its handler itself has no room for is given up', async () => {
  const { node, own, by, come, clock, poisoned } = await owners();
  const only = node('n1');
  own(only);
  await come(only.reminders.declare(by(only), tick({ everyMs: 60_000 })));
  Object.assign(only.failing, { times: 1_000, with: new NexaError('quota-exceeded', 'the state would take 9 bytes, its limit is 8') });
  await clock.advance(90_000);
  expect(poisoned).toEqual(['{"type":"due"}']);
});

test('of 64 reminders each comes, one more is refused, and one that was forgotten makes room', async () => {
  const { node, own, by, effects, come, clock, startMs } = await owners();
  const only = node('n1');
  own(only);
  const declare = (name: string) => come(only.reminders.declare(by(only), tick({ atMs: startMs + 60_000 }, name)));
  for (let n = 0; n < 64; n++) await declare(`r${n}`);
  await expect(declare('one more')).rejects.toMatchObject({ code: 'quota-exceeded', definite: true, where: { reminder: 'one more' } });
  await declare('r7');
  await come(only.reminders.forget(by(only), 'r9'));
  await declare('one more');
  await clock.advance(70_000);
  expect((await effects()).map(({ name }) => name).sort()).toEqual(
    [...Array(64).keys()]
      .flatMap((n) => (n === 9 ? [] : [`r${n}`]))
      .concat('one more')
      .sort(),
  );
  expect(await come(only.reminders.list('watch', 'a'))).toEqual([]);
  expect(only.reminders.count).toBe(0);
});

test('an earlier owner that writes late is refused by the epoch that it finds, and by the revision that it expects', async () => {
  const { node, own, by, come, network } = await owners();
  const [old, next] = [node('n1'), node('n2')];
  own(old);
  const past = by(old);
  await come(old.reminders.declare(past, tick({ everyMs: 10_000 })));
  own(next);
  await come(next.reminders.declare(by(next), tick({ everyMs: 20_000 })));
  await expect(come(old.reminders.declare(past, tick({ everyMs: 30_000 })))).rejects.toMatchObject({ code: 'fenced', definite: true });
  await expect(come(old.reminders.forget(past, 'tick'))).rejects.toMatchObject({ code: 'fenced' });
  expect(await come(next.reminders.list('watch', 'a'))).toMatchObject([{ schedule: { everyMs: 20_000 } }]);
  // One that had read before, and writes after: what stays as it was is written again, so that this is refused.
  const kv = network.connect('n1').stores.kv('REMINDERS');
  const read = await come(kv.get(`${KEY}.tick`, TIME));
  own(old);
  await come(old.reminders.declare(by(old), tick({ everyMs: 20_000 })));
  expect(await come(kv.update(`${KEY}.tick`, read?.value ?? new Uint8Array(), read?.revision ?? 0, TIME))).toEqual({ written: 'no' });
});

test('a handler that declares its own reminder anew is not undone when its due time is closed', async () => {
  const { node, own, by, effects, come, clock, startMs } = await owners();
  const only = node('n1');
  own(only);
  await come(only.reminders.declare(by(only), tick({ atMs: startMs + 5_000 })));
  only.during = () => only.reminders.declare(by(only), tick({ atMs: startMs + 1_000 }));
  await clock.advance(10_000);
  expect((await effects()).map(({ dueAtMs }) => dueAtMs - startMs)).toEqual([5_000, 1_000]);
});

test('a read that lags behind what is known here decides nothing', async () => {
  const { node, own, by, effects, come, clock, network } = await owners({ store: {} });
  const only = node('n1');
  own(only);
  const declaration = tick({ everyMs: 5_000 });
  await come(only.reminders.declare(by(only), declaration));
  await come(only.reminders.forget(by(only), 'tick'));
  network.faults.store.staleRead = 0.9;
  await come(only.reminders.declare(by(only), declaration));
  await come(only.reminders.declare(by(only), tick({ everyMs: 50_000 })));
  await come(only.reminders.forget(by(only), 'tick'));
  await come(only.reminders.declare(by(only), declaration));
  network.faults.store.staleRead = 0;
  await clock.advance(11_000);
  expect(await effects()).toHaveLength(2);
});

test('the wall clock is looked at every half minute: what a jump made due comes then', async () => {
  const { node, own, by, effects, come, clock, wall } = await owners();
  const only = node('n1');
  own(only);
  await come(only.reminders.declare(by(only), tick({ everyMs: 3_600_000 })));
  wall.aheadMs = 3 * 3_600_000;
  await clock.advance(31_000);
  expect((await effects()).map(({ missed }) => missed)).toEqual([2]);
  wall.aheadMs = 0;
  await clock.advance(3 * 3_600_000 - 60_000);
  expect(await effects()).toHaveLength(1);
});

test('while the lease is not held nothing fires; with it, what came due meanwhile', async () => {
  const { node, own, by, effects, come, clock } = await owners();
  const only = node('n1');
  own(only);
  await come(only.reminders.declare(by(only), tick({ everyMs: 1_000 })));
  only.owns = false;
  await clock.advance(5_500);
  expect(await effects()).toEqual([]);
  only.owns = true;
  only.reminders.resume();
  await clock.advance(300);
  expect((await effects()).map(({ missed }) => missed)).toEqual([4]);
});

test('a record that cannot be read is left alone, and the others come', async () => {
  const { node, own, by, effects, come, clock, network, startMs } = await owners();
  const only = node('n1');
  own(only);
  const kv = network.connect('vandal').stores.kv('REMINDERS');
  for (const [name, bytes] of [
    ['rubbish', new Uint8Array([0xc1, 0xff])],
    ['late', codec.encode([9, 'of a later layout'])],
    ['odd', codec.encode([1, 0, 'd', { cron: 'not cron', timeZone: 'UTC' }, codec.encode({ type: 'due' }), startMs + 5_000, null])],
  ] as const)
    await come(kv.create(`${KEY}.${name}`, bytes, TIME));
  await come(only.reminders.declare(by(only), tick({ atMs: startMs + 6_000 })));
  await clock.advance(20_000);
  expect((await effects()).map(({ name }) => name)).toEqual(['tick']);
  expect((await come(kv.get(`${KEY}.rubbish`, TIME)))?.value).toEqual(new Uint8Array([0xc1, 0xff]));
});

const happening = fc.oneof(
  { weight: 6, arbitrary: fc.record({ wait: fc.integer({ min: 100, max: 20_000 }) }) },
  { weight: 2, arbitrary: fc.record({ owner: fc.nat(2), zombie: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ lost: fc.nat(2) }) },
  { weight: 1, arbitrary: fc.record({ election: fc.integer({ min: 100, max: 5_000 }) }) },
  { weight: 1, arbitrary: fc.record({ failing: fc.integer({ min: 1, max: 4 }) }) },
  { weight: 1, arbitrary: fc.record({ mute: fc.constantFrom('STATE', 'REMINDERS') }) },
  { weight: 2, arbitrary: fc.constant({ again: true } as const) },
);

test('through any order of owners, losses, elections and failures every due time is taken once, alone or together with others', async () => {
  let coalesced = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(happening, { minLength: 3, maxLength: 25 }), async (happenings) => {
      const store = { unknownApplied: 0.05, unknownLost: 0.05, late: 0.03, staleRead: 0.1, watchReset: 0.02 };
      const { node, own, by, effects, come, clock, network, startMs } = await owners({
        store: { ...store, delayMs: [0, 20], watchDelayMs: [0, 200], lateMs: [0, 3_000] },
      });
      const nodes = ['n1', 'n2', 'n3'].map(node);
      let incarnations = 0;
      /** A process whose writes never came back is over; another one takes its name. */
      const at = (index: number): Node => {
        const there = nodes[index] as Node;
        if (there.muted.size === 0) return there;
        const fresh = node(`${there.name}-${++incarnations}`);
        nodes[index] = fresh;
        return fresh;
      };
      let owner = at(0);
      const lose = (): void => {
        owner.epoch = undefined;
        owner.activation = undefined;
      };
      own(owner);
      const declaration = tick({ everyMs: 3_000 });
      await come(owner.reminders.declare(by(owner), declaration));
      const declaredMs = clock.wallMs();
      for (const each of happenings) {
        if ('wait' in each) await clock.advance(each.wait);
        else if ('owner' in each) {
          // A zombie goes on as the owner that it was: only the fences stop it.
          if (!each.zombie || owner === nodes[each.owner]) lose();
          owner = at(each.owner);
          own(owner);
        } else if ('lost' in each) {
          if (owner === nodes[each.lost]) lose();
        } else if ('election' in each) network.faults.election(each.election);
        else if ('failing' in each) owner.failing.times = each.failing;
        else if ('mute' in each) owner.muted.add(each.mute);
        else if (owner.epoch !== undefined && owner.muted.size === 0) {
          const declaring = owner.reminders.declare(by(owner), declaration);
          declaring.catch(() => undefined);
          await clock.advance(50);
        }
      }
      Object.assign(network.faults.store, { unknownApplied: 0, unknownLost: 0, late: 0, staleRead: 0, watchReset: 0 });
      lose();
      owner = at(0);
      owner.failing.times = 0;
      own(owner);
      await clock.advance(30_000);
      const taken = await effects();
      const due = taken.map(({ dueAtMs }) => dueAtMs);
      expect(new Set(taken.map(({ declared }) => declared)).size).toBe(1);
      expect(new Set(due).size).toBe(due.length);
      expect(due).toEqual([...due].sort((a, b) => a - b));
      const missed = taken.reduce((sum, each) => sum + each.missed, 0);
      coalesced += missed;
      const firstMs = (taken[0] as Effect).dueAtMs - (taken[0] as Effect).missed * 3_000;
      expect(firstMs).toBeGreaterThanOrEqual(startMs + 3_000);
      expect(firstMs).toBeLessThanOrEqual(declaredMs + 3_000);
      expect(due.length + missed).toBe(((due.at(-1) as number) - firstMs) / 3_000 + 1);
      expect(clock.wallMs() - (due.at(-1) as number)).toBeLessThan(3_500);
    }),
    { numRuns: 200, seed: 7 },
  );
  expect(coalesced).toBeGreaterThan(0);
}, 60_000);
