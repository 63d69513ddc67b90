import { afterAll, beforeAll, expect, test } from 'vitest';
import { exactlyOnceCounter } from '../../chaos/checkers/exactly-once-counter.ts';
import { linearizable } from '../../chaos/checkers/linearizable.ts';
import { type CounterOp, type CounterResult, type RegisterOp, type RegisterResult, registerModel } from '../../chaos/checkers/models.ts';
import { recordHistory } from '../../chaos/history.ts';
import { counterWorkload } from '../../chaos/workloads/counter.ts';
import type { Ask } from '../../chaos/workloads/drive.ts';
import { registerWorkload } from '../../chaos/workloads/register.ts';
import { createCodec } from '../../src/cluster/codec.ts';
import { agentKey, subjects } from '../../src/cluster/subject.ts';
import { FencedState } from '../../src/durable/fenced-state.ts';
import { errorFrom, NexaError } from '../../src/errors.ts';
import { seededRandom } from '../../src/memory/random.ts';
import { connectNats } from '../../src/nats/connection.ts';
import { realClock, realRandom, recordingLogger } from '../support/real.ts';
import { eventually, type LiveCluster, liveCluster, report, send } from './support.ts';

let live: LiveCluster;
beforeAll(async () => {
  live = await liveCluster();
});
afterAll(() => live?.stop());

const KEYS = 6;
const TIMEOUT_MS = 1_500;

/** What the caller of an agent sees; what only its own client says is indefinite. */
const askAs =
  <Op extends object, Result>(type: string): Ask<Op, Result> =>
  async (key, op, { timeoutMs, requestId }) => {
    const answer = await live.client.ask(`agent.${type}.k${key}`, op, { timeoutMs, requestId });
    if (answer.ok) return answer.reply as Result;
    if (answer.error.code === 'no-responders') throw new NexaError('unavailable', 'nobody listens', { definite: true });
    if (answer.error.code === 'timeout') throw new NexaError('ask-timeout', 'no answer', { definite: false });
    throw errorFrom(answer.error);
  };

/** In the eyes of anybody else. */
async function isGone(name: string): Promise<boolean> {
  const answer = await live.client.ask('ctl', { type: 'nodes' }, { timeoutMs: 1_000 });
  return (
    answer.ok &&
    answer.reply.nodes.some((row: { readonly node: string; readonly state: string }) => row.node === name && row.state === 'gone')
  );
}

test('C2, C3: while nodes sleep around their lease and wake, counters keep each addition once and registers stay linearizable', async () => {
  for (let key = 0; key < KEYS; key++) {
    for (const type of ['counter', 'register']) {
      expect(await live.client.insist('spawn', { type, id: `k${key}`, placement: { strategy: 'rendezvous' } })).toMatchObject({ ok: true });
    }
  }
  const counters = recordHistory<CounterOp, CounterResult>({ clock: realClock });
  const registers = recordHistory<RegisterOp, RegisterResult>({ clock: realClock });
  const ended = new AbortController();
  const shared = {
    clock: realClock,
    random: (key: number) => seededRandom(key + 1),
    keys: KEYS,
    perSecond: 15,
    timeoutMs: TIMEOUT_MS,
    signal: ended.signal,
  };
  const load = Promise.all([
    counterWorkload({ ...shared, history: counters, ask: askAs('counter') }),
    registerWorkload({ ...shared, history: registers, ask: askAs('register') }),
  ]);
  // Just under the lease, around it, and beyond it: the last two nodes wake up to find that they are over.
  const naps = [
    ['n1', 4_300],
    ['n2', 5_200],
    ['n3', 7_500],
  ] as const;
  const from = live.events.length;
  for (const [node, ms] of naps) {
    const pid = live.pid(node);
    send(pid, 'SIGSTOP');
    await new Promise((resolve) => setTimeout(resolve, ms));
    // The last one sleeps until it is over, however late the others look.
    if (node === 'n3') await eventually('n3 is over', 60_000, () => isGone(node));
    send(pid, 'SIGCONT');
    await new Promise((resolve) => setTimeout(resolve, 800));
  }
  ended.abort();
  await load;
  await live.heard('exited', 'n3', from);
  const over = live.events.slice(from).flatMap((event) => (event.event === 'exited' ? [`${event.node} ${event.code}`] : []));
  const finals = new Map<number, number>();
  for (let key = 0; key < KEYS; key++) {
    const answer = await eventually(`counter k${key} answers`, 90_000, async () => {
      const read = await live.client.ask(`agent.counter.k${key}`, { type: 'get' }, { timeoutMs: TIMEOUT_MS });
      return read.ok && read;
    });
    finals.set(key, answer.reply.value);
  }
  const outcomes = { ok: 0, fail: 0, info: 0 };
  for (const { outcome } of [...counters.operations(), ...registers.operations()]) outcomes[outcome]++;
  report(`${KEYS} counters and ${KEYS} registers under naps of ${naps.map(([, ms]) => ms)} ms: ${JSON.stringify(outcomes)}; over: ${over}`);
  expect(exactlyOnceCounter(counters.operations(), finals)).toEqual({ verdict: 'ok' });
  expect(linearizable(registerModel, registers.operations())).toEqual({ verdict: 'ok' });
  expect(outcomes.ok).toBeGreaterThan(200);
  for (const exit of over) expect(exit).toMatch(/ 75$/);
  expect(over).toContain('n3 75');
});

test('C3: a write of an older epoch is refused by the store, however late it comes, and nothing of it is seen', async () => {
  await live.settled();
  const link = await connectNats({
    servers: live.urls,
    name: 'an owner of the past',
    role: 'control',
    clock: realClock,
    random: realRandom,
    log: recordingLogger(),
  });
  try {
    const past = await FencedState.open(
      {
        kv: link.stores().kv(subjects(live.cluster).store('STATE')),
        key: agentKey('counter', 'fenced'),
        codec: createCodec(),
        clock: realClock,
        random: realRandom,
        storeMs: 2_000,
        epoch: 1,
        version: 1,
        signal: new AbortController().signal,
      },
      () => ({ value: 5 }),
    );
    await past.commit({ state: { value: 6 } });
    expect(await live.client.insist('spawn', { type: 'counter', id: 'fenced' })).toMatchObject({ ok: true });
    expect(await live.client.insist('agent.counter.fenced', { type: 'add', by: 1 })).toEqual({ ok: true, reply: { value: 7 } });
    await expect(past.commit({ state: { value: 99 } })).rejects.toMatchObject({ code: 'fenced' });
    expect(await live.client.insist('agent.counter.fenced', { type: 'add', by: 1 })).toEqual({ ok: true, reply: { value: 8 } });
  } finally {
    await link.close();
  }
});
