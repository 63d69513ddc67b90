import { expect, test } from 'vitest';
import { silentLogger } from '../../src/actor/safe-logger.ts';
import { storeSpec } from '../../src/cluster/formation.ts';
import { encodeMail } from '../../src/durable/mail.ts';
import { MailPump, type MailPumpOptions, readers } from '../../src/durable/mail-pump.ts';
import { NexaError } from '../../src/errors.ts';
import { codec, names, outcome, storeWorld, TIME } from '../cluster/stores.ts';

const AGENT = { type: 'sum', id: 'a', key: 'sum.a' };

/** The stores of a cluster of one, and what a pump needs of its node. */
async function world() {
  const { clock, network, random } = storeWorld();
  const { stores } = network.connect('n1');
  for (const store of ['MAILBOX', 'DEAD'] as const)
    await outcome(clock, stores.ensure(storeSpec(names, store, { replicas: 1, firstSequence: 1 }), { timeoutMs: 60_000 }));
  const [mailbox, dead] = [stores.stream(names.store('MAILBOX')), stores.stream(names.store('DEAD'))];
  const options: MailPumpOptions = {
    ...{ mailbox, dead, subjects: names, codec, clock, random, log: silentLogger, storeMs: 500 },
    ...{ triesOf: () => 5, mostBytes: () => 500_000, inTurn: readers(1), onEmpty: () => undefined, onDead: () => undefined },
  };
  /** One message for it. */
  const store = async (): Promise<void> => {
    const record = encodeMail({ messageId: 'm', storedAtMs: 1, traceparent: undefined, message: { type: 'add' } }, codec);
    await outcome(clock, mailbox.append(names.record('mailbox', AGENT.type, AGENT.id), record, { recordId: 'm', ...TIME }));
  };
  return { clock, options, store };
}

/** A mailbox with one message, and an agent that fails it with `failure` as long as there is one. */
async function failing(failure: NexaError) {
  const { clock, options, store } = await world();
  await store();
  const seen = { tries: 0, handled: 0, dead: [] as string[] };
  const agent: { failure: NexaError | undefined } = { failure };
  const taker = {
    take: async () => {
      seen.tries++;
      if (agent.failure !== undefined) throw agent.failure;
      seen.handled++;
    },
    skip: async () => undefined,
    kept: undefined,
  };
  const onDead: MailPumpOptions['onDead'] = (_type, _id, _message, { code }) => void seen.dead.push(code);
  const pump = new MailPump({ ...options, onDead }, AGENT, taker, true);
  pump.look();
  return { agent, seen, clock, pump };
}
const where = { store: 'STATE' };

test.each([
  new NexaError('quota-exceeded', 'it takes no more', { where }),
  new NexaError('overloaded', 'no memory is left'),
  new NexaError('unavailable', 'its node is suspended'),
])('while it is $code a message is brought again with growing pauses, and never put aside', async (failure) => {
  const { agent, seen, clock, pump } = await failing(failure);
  await clock.advance(600_000);
  // Four pauses up to ten seconds, then about one every ten.
  expect(seen.tries).toBeGreaterThan(50);
  expect(seen.tries).toBeLessThan(80);
  agent.failure = undefined;
  await clock.advance(13_000);
  expect(seen).toMatchObject({ handled: 1, dead: [] });
  expect(pump.busy).toBe(false);
});

test('what no room that is made later helps is put aside after its tries', async () => {
  const { seen, clock, pump } = await failing(new NexaError('payload-too-large', 'it never fits', { where }));
  await clock.advance(60_000);
  expect(seen).toEqual({ tries: 5, handled: 0, dead: ['payload-too-large'] });
  expect(pump.busy).toBe(false);
});

test('one that has found nothing says so once it is at rest, one that has does not', async () => {
  const { clock, options: common, store } = await world();
  const handled: unknown[] = [];
  const empty: MailPump[] = [];
  const options: MailPumpOptions = { ...common, onEmpty: (pump) => void empty.push(pump) };
  const taker = { take: async (message: unknown) => void handled.push(message), skip: async () => undefined, kept: undefined };
  const pump = new MailPump(options, AGENT, taker, true);
  pump.look();
  await clock.advance(1_000);
  expect(empty).toEqual([pump]);
  await store();
  pump.look();
  await clock.advance(1_000);
  expect(handled).toEqual([{ type: 'add' }]);
  expect(empty).toHaveLength(1);
});

test.each(Array.from({ length: 12 }, (_, steps) => steps))('what is stored %i steps after its last read is brought', async (steps) => {
  const { clock, options: common, store } = await world();
  await store();
  let reads = 0;
  const late = async (): Promise<void> => {
    for (let step = 0; step < steps; step++) await undefined;
    pump.look();
  };
  const { mailbox } = common;
  const lagging: typeof mailbox = Object.assign(Object.create(mailbox), {
    next: (...given: Parameters<typeof mailbox.next>) => {
      if (reads++ > 0) return mailbox.next(...given);
      void late();
      return Promise.resolve(undefined);
    },
  });
  let handled = 0;
  const taker = { take: async () => void handled++, skip: async () => undefined, kept: undefined };
  const pump = new MailPump({ ...common, mailbox: lagging }, AGENT, taker, true);
  pump.look();
  await clock.advance(1_000);
  expect(handled).toBe(1);
});
