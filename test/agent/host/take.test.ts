import { expect, test } from 'vitest';
import { z } from 'zod';
import { command, defineAgent, internal, NexaError } from '../../../index.ts';
import { createSystem } from '../../../src/actor/system.ts';
import { agentHost } from '../../../src/agent/host/host.ts';
import type { Activation, ActivationRules } from '../../../src/cluster/hosting.ts';
import type { AgentRecord } from '../../../src/cluster/place.ts';
import { decodeState } from '../../../src/durable/fenced-state.ts';
import { nactEngine } from '../../../src/engine/nact/engine.ts';
import { codec, names, noReminders, outcome, storeWorld, TIME } from '../../cluster/stores.ts';

const calls: string[] = [];
const spec = {
  version: 1,
  commands: {
    add: command({ by: z.int() }, { refusals: { negative: z.object({}) } }),
    look: command({}),
    fail: command({}),
    never: command({}),
    later: command({}),
    open: command({}),
    secret: internal({}),
  },
  state: z.object({ value: z.int() }),
  initial: { value: 0 },
} as const;
const handlers = (storage: 'durable' | 'memory') => {
  let locked = true;
  return defineAgent({ type: `${storage}-sum`, storage, ...spec }).handle({
    add: ({ state }, { by }) => (by < 0 ? { refused: 'negative', details: {} } : { state: { value: state.value + by } }),
    look: ({ state }) => void calls.push(`sees ${state.value}`),
    fail() {
      throw new Error('broken');
    },
    never: () => new Promise<void>(() => undefined),
    later(context) {
      if (locked) context.stash();
      else calls.push('later');
    },
    open(context) {
      locked = false;
      context.unstashAll();
    },
    secret: () => void calls.push('secret'),
  });
};

async function hosted(storage: 'durable' | 'memory' = 'durable') {
  calls.length = 0;
  const { clock, random, network } = storeWorld();
  const { stores } = network.connect('n1');
  await outcome(clock, stores.ensure({ name: names.store('STATE'), kind: 'kv', replicas: 1 }, TIME));
  const system = createSystem({ engine: nactEngine({ onError: () => undefined }), clock, random, log: silent });
  const definition = handlers(storage);
  const host = agentHost({ system, definitions: [definition], stores, subjects: names, codec, storeMs: 500, onRefused: () => undefined });
  const record = { type: definition.type, id: 'a', config: undefined, restart: 'permanent' } as unknown as AgentRecord;
  const nothing = () => undefined;
  const rules: ActivationRules = {
    key: `${definition.type}.a`,
    owns: () => true,
    reminders: noReminders,
    onFinished: nothing,
    onFenced: nothing,
    onPassivate: nothing,
    onGaveUp: nothing,
  };
  const come = <T>(promise: Promise<T>): Promise<T> => outcome(clock, promise);
  const activate = (epoch: number): Promise<Activation> => come(host.activate(record, epoch, rules));
  const stored = async () => {
    const found = await come(stores.kv(names.store('STATE')).get(`${definition.type}.a`, TIME));
    return found === undefined ? undefined : decodeState(found.value, codec, 'a');
  };
  return { activate, come, stored, clock };
}
const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {}, child: () => silent };
const mail = (sequence: number) => ({ mail: { sequence, messageId: `m${sequence}` } });
const fired = { fired: { name: 'tick', declared: 'd', dueAtMs: 5 } };

test('what a source brings is stored with its effect, in one record', async () => {
  const { activate, come, stored } = await hosted();
  const agent = await activate(10);
  await come(agent.take({ type: 'add', by: 3 }, mail(7)));
  expect(await stored()).toMatchObject({ n: 2, state: { value: 3 }, kept: { floor: 7, messageIds: ['m7'] } });
  expect(agent.kept).toMatchObject({ floor: 7 });
});

test('also where its handler changes nothing, refuses, or is not asked at all', async () => {
  const { activate, come, stored } = await hosted();
  const agent = await activate(10);
  await come(agent.take({ type: 'look' }, mail(1)));
  await come(agent.take({ type: 'add', by: -1 }, mail(2)));
  await come(agent.skip(mail(3)));
  await come(agent.take({ type: 'secret' }, fired));
  expect(calls).toEqual(['sees 0', 'secret']);
  expect(await stored()).toMatchObject({
    n: 5,
    state: { value: 0 },
    kept: { floor: 3, fired: new Map([['tick', { declared: 'd', dueAtMs: 5 }]]) },
  });
});

test('a handler that throws leaves everything as it was, its actor goes on, and it may be brought again', async () => {
  const { activate, come, stored } = await hosted();
  const agent = await activate(10);
  for (let tries = 0; tries < 20; tries++)
    await expect(come(agent.take({ type: 'fail' }, mail(1)))).rejects.toMatchObject({ code: 'crashed' });
  expect(await stored()).toMatchObject({ n: 1, kept: { floor: 0 } });
  expect(agent.restarts).toBe(0);
  await come(agent.take({ type: 'add', by: 1 }, mail(2)));
  expect(await stored()).toMatchObject({ n: 2, state: { value: 1 } });
});

test('what does not fit, and what only the agent itself may send, is never handled', async () => {
  const { activate, come, stored } = await hosted();
  const agent = await activate(10);
  for (const message of [{ type: 'add', by: 'x' }, { type: 'nothing' }, 'text', undefined, { type: 'secret' }])
    await expect(come(agent.take(message, mail(1)))).rejects.toMatchObject({ category: 'protocol' });
  expect(calls).toEqual([]);
  expect(await stored()).toMatchObject({ n: 1 });
});

test('a stashed one is settled when it is handled', async () => {
  const { activate, come, stored, clock } = await hosted();
  const agent = await activate(10);
  let done = false;
  const later = agent.take({ type: 'later' }, mail(1)).then(() => {
    done = true;
  });
  await clock.advance(100);
  expect(done).toBe(false);
  expect(await stored()).toMatchObject({ kept: { floor: 0 } });
  await come(agent.take({ type: 'open' }, fired));
  await come(later);
  expect(calls).toEqual(['later']);
  expect(await stored()).toMatchObject({ kept: { floor: 1 } });
});

test('when the activation ends, what it did not settle is another one’s', async () => {
  const { activate, come } = await hosted();
  const agent = await activate(10);
  const begun = agent.take({ type: 'never' }, mail(1));
  const waiting = agent.take({ type: 'look' }, mail(2));
  agent.kill(new NexaError('fenced', 'over'));
  await expect(come(waiting)).rejects.toMatchObject({ code: 'not-owner' });
  await expect(come(begun)).rejects.toMatchObject({ code: 'not-owner' });
  await expect(come(agent.take({ type: 'look' }, mail(3)))).rejects.toMatchObject({ code: 'not-owner' });
});

test('a later owner is heard of as fenced, and nothing of the older one is stored', async () => {
  const { activate, come, stored } = await hosted();
  const old = await activate(10);
  const other = await activate(20);
  await expect(come(old.take({ type: 'add', by: 9 }, mail(1)))).rejects.toMatchObject({ code: 'not-owner' });
  await come(other.take({ type: 'add', by: 1 }, mail(1)));
  expect(await stored()).toMatchObject({ epoch: 20, state: { value: 1 } });
});

test('without durable state it is handled, and nothing is remembered', async () => {
  const { activate, come, stored } = await hosted('memory');
  const agent = await activate(10);
  await come(agent.take({ type: 'add', by: 2 }, mail(1)));
  await come(agent.take({ type: 'look' }, mail(2)));
  expect(calls).toEqual(['sees 2']);
  expect(agent.kept).toBeUndefined();
  expect(await stored()).toBeUndefined();
});
