import { describe, expect, test } from 'vitest';
import type { StreamRequest } from '../../src/actor/message.ts';
import type { ActorRef, StreamOptions } from '../../src/actor/ref.ts';
import { answersWithStream } from '../../src/actor/stream/streams.ts';
import { clientOver } from '../../src/client.ts';
import { clientInbox } from '../../src/cluster/subject.ts';
import type { PublicHandlers } from '../../src/edge/handlers.ts';
import { NexaError } from '../../src/errors.ts';
import type { Inbound, Subject } from '../../src/ports/transport.ts';
import { codec, edgeWorld, names } from './world.ts';

/** An edge before an agent that counts, a bare reader, and a client. */
function streaming(items: number, given: Partial<PublicHandlers> = {}) {
  const seen: string[] = [];
  let pulled = 0;
  const one = edgeWorld({
    ask: async (_type, _id, command, _options, signal) => {
      if ((command as { readonly type: string }).type === 'count') throw answersWithStream({ command: 'counter/count' });
      return new Promise((_, reject) =>
        signal?.addEventListener('abort', () => {
          seen.push('ask aborted');
          reject(new NexaError('cancelled', 'given up'));
        }),
      );
    },
    stream: async function* (_type, _id, _command, { window }, signal) {
      seen.push(`window ${window}`);
      try {
        for (; pulled < items && !signal.aborted; pulled++) yield { n: pulled };
      } finally {
        seen.push(signal.aborted ? 'aborted' : 'returned');
      }
    },
    ...given,
  });
  const { transport } = one.network.connect('reader');
  const inbox = clientInbox('reader');
  const got: { readonly body: Record<string, unknown>; readonly flow: string | undefined }[] = [];
  transport.subscribe(inbox.all, (message: Inbound) => {
    if (message.noResponders) got.push({ body: { noResponders: true }, flow: undefined });
    else got.push({ body: codec.decodeJson(message.payload) as Record<string, unknown>, flow: message.headers.get('Nexa-Flow') });
  });
  const reply = inbox.reply('r1');
  const say = async (subject: string, body: object, headers: Record<string, string> = {}, ms = 20) => {
    transport.publish(subject as Subject, Buffer.from(JSON.stringify(body)), { reply, headers: new Map(Object.entries(headers)) });
    await one.clock.advance(ms);
  };
  const client = clientOver({ transport: one.network.connect('client').transport, subjects: names, clock: one.clock, random: one.random });
  const ref = client.agent({ type: 'counter', version: 1, commands: {} }, 'alice') as unknown as ActorRef<
    StreamRequest<{ readonly type: 'count' }, { readonly n: number }>
  >;
  const reading = (options: StreamOptions, most = Number.POSITIVE_INFINITY) => {
    const streamed = { items: [] as number[], end: '' };
    void (async () => {
      try {
        for await (const { n } of ref.stream({ type: 'count' }, options)) if (streamed.items.push(n) >= most) break;
        streamed.end = 'done';
      } catch (error) {
        streamed.end = (error as NexaError).code;
      }
    })();
    return streamed;
  };
  return {
    ...{ one, got, say, reply, seen, client, ref, reading, clock: one.clock },
    get pulled() {
      return pulled;
    },
  };
}
const alice = names.agent('counter', 'alice');
const count = (to: number) => Array.from({ length: to }, (_, n) => n);

describe('a stranger', () => {
  test('gets the items one by one, numbered, and the end; the first answer names where it says how far it is', async () => {
    const { say, got, seen } = streaming(3);
    await say(alice, { type: 'count' });
    expect(got.map(({ body }) => body)).toEqual([
      { ok: true, item: { n: 0 }, seq: 0 },
      { ok: true, item: { n: 1 }, seq: 1 },
      { ok: true, item: { n: 2 }, seq: 2 },
      { ok: true, end: true, seq: 3 },
    ]);
    expect(got.map(({ flow }) => flow)).toEqual([names.flowNode('n1'), undefined, undefined, undefined]);
    expect(seen).toEqual(['window 1024', 'returned']);
  });

  test('gets no more than its window before it pulls, and is given up after 30 s', async () => {
    const world = streaming(1_000);
    const { say, got, clock } = world;
    await say(alice, { type: 'count' }, { 'Nexa-Window': '4' });
    expect(got).toHaveLength(4);
    await say(names.flowNode('n1'), { type: 'pull', upTo: 6 });
    await say(names.flowNode('n1'), { type: 'pull', upTo: 6 });
    expect(got.map(({ body }) => body.seq)).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(got.at(-1)?.body).toEqual({ ok: true, seq: 6 });
    for (const wrong of [{ type: 'pull', upTo: 0 }, { type: 'pull' }, { type: 'push' }, [], 5])
      await say(names.flowNode('n1'), wrong as object);
    await clock.advance(29_000);
    expect(got).toHaveLength(7);
    await clock.advance(2_000);
    expect(got.at(-1)?.body).toMatchObject({ ok: false, error: { code: 'ask-timeout' } });
    expect(world.pulled).toBeLessThan(8);
    await say(names.flowNode('n1'), { type: 'pull', upTo: 9 });
    expect(got.at(-1)?.body).toMatchObject({ ok: false, error: { code: 'stream-broken' } });
  });

  test('ends it by a cancel, to the node or to all', async () => {
    for (const to of [names.flowNode('n1'), names.flow]) {
      const { say, got, seen, one } = streaming(1_000);
      await say(alice, { type: 'count' }, { 'Nexa-Window': '2' });
      await say(to, { type: 'cancel' });
      expect(got.at(-1)?.body).toMatchObject({ ok: false, error: { code: 'cancelled' } });
      expect(seen).toEqual(['window 2', 'aborted']);
      expect(await one.edge.idle({ timeoutMs: 1 })).toBe(0);
    }
  });

  test('that understands one answer only is refused, and nothing happens', async () => {
    const { say, got, seen } = streaming(3);
    await say(alice, { type: 'count' }, { 'Nexa-Window': '0' });
    expect(got.map(({ body }) => body)).toMatchObject([{ ok: false, error: { code: 'invalid-message', definite: true } }]);
    for (const window of ['-1', '1025', 'x', '99999']) await say(alice, { type: 'count' }, { 'Nexa-Window': window });
    expect(got.slice(1).map(({ body }) => (body.error as NexaError).code)).toEqual(Array(4).fill('invalid-message'));
    expect(seen).toEqual([]);
  });

  test('hears what went wrong behind the items before it, also of an item that does not fit', async () => {
    const failing = streaming(0, {
      stream: async function* () {
        yield 'one';
        throw new NexaError('stream-broken', 'its producer has ended');
      },
    });
    await failing.say(alice, { type: 'count' });
    expect(failing.got.map(({ body }) => body.item ?? (body.error as NexaError).code)).toEqual(['one', 'stream-broken']);
    const large = streaming(0, {
      stream: async function* () {
        yield 'one';
        yield 'x'.repeat(1_100_000);
        yield 'never';
      },
    });
    await large.say(alice, { type: 'count' });
    expect(large.got.map(({ body }) => body.item ?? (body.error as NexaError).code)).toEqual(['one', 'payload-too-large']);
  });

  test('has one stream to a reply subject, and ends with the node', async () => {
    const { say, got, one, clock } = streaming(1_000);
    await say(alice, { type: 'count' }, { 'Nexa-Window': '1' });
    await say(alice, { type: 'count' }, { 'Nexa-Window': '1' });
    expect(got.at(-1)?.body).toMatchObject({ error: { code: 'conflict' } });
    const closing = one.edge.close({ timeoutMs: 100 });
    await clock.advance(100);
    expect(await closing).toBe(0);
    expect(got.at(-1)?.body).toMatchObject({ error: { code: 'stream-broken' } });
  });
});

describe('a client', () => {
  test('reads through any window', async () => {
    for (const window of [1, 2, 5, 16, 1_024]) {
      const world = streaming(100);
      const read = world.reading({ idleTimeoutMs: 1_000, window });
      await world.clock.advance(5_000);
      expect([read.end, read.items]).toEqual(['done', count(100)]);
      expect(world.seen).toEqual([`window ${window}`, 'returned']);
    }
  });

  test('that leaves, or aborts, aborts the producer', async () => {
    const left = streaming(1_000);
    const read = left.reading({ idleTimeoutMs: 1_000, window: 4 }, 2);
    await left.clock.advance(100);
    expect([read.end, read.items, left.seen]).toEqual(['done', [0, 1], ['window 4', 'aborted']]);
    const gaveUp = new AbortController();
    const never = streaming(0, {
      stream: async function* (_type, _id, _command, _options, signal) {
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
        never.seen.push('aborted before an item');
      },
    });
    const waits = never.reading({ idleTimeoutMs: 60_000, signal: gaveUp.signal });
    await never.clock.advance(100);
    gaveUp.abort();
    await never.clock.advance(100);
    expect([waits.end, never.seen]).toEqual(['cancelled', ['aborted before an item']]);
  });

  test('that gives an ask up has it given up at the node', async () => {
    const { client, clock, seen } = streaming(0);
    const gaveUp = new AbortController();
    const counter = client.agent({ type: 'counter', version: 1, commands: {} }, 'alice') as unknown as {
      ask(message: object, options: object): Promise<unknown>;
    };
    const asked = counter.ask({ type: 'wait' }, { timeoutMs: 60_000, signal: gaveUp.signal }).catch((error) => error.code);
    await clock.advance(100);
    gaveUp.abort();
    await clock.advance(100);
    expect([await asked, seen]).toEqual(['cancelled', ['ask aborted']]);
  });

  test('that asks what is answered with a stream is refused, definitely', async () => {
    const { client, clock } = streaming(3);
    const asked = client.askRaw('counter', 'alice', { type: 'count' }, { timeoutMs: 1_000 });
    asked.catch(() => undefined);
    await clock.advance(100);
    await expect(asked).rejects.toMatchObject({ code: 'invalid-message', definite: true, where: { answers: 'stream' } });
  });

  test('sees that items are missing, that nobody is there, and that the node has left', async () => {
    const lossy = streaming(100);
    lossy.one.network.faults.setLink('n1', 'client', { drop: 0.3 });
    const read = lossy.reading({ idleTimeoutMs: 1_500, window: 8 });
    await lossy.clock.advance(20_000);
    expect(['stream-broken', 'ask-timeout']).toContain(read.end);
    expect(read.items).toEqual(count(read.items.length));
    const alone = streaming(1);
    alone.one.edge.shut();
    const nobody = alone.reading({ idleTimeoutMs: 1_000 });
    await alone.clock.advance(100);
    expect(nobody.end).toBe('unavailable');
    const leaving = streaming(0, {
      stream: async function* (_type, _id, _command, _options, signal) {
        yield { n: 0 };
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
      },
    });
    const cut = leaving.reading({ idleTimeoutMs: 60_000 });
    await leaving.clock.advance(100);
    void leaving.one.edge.close({ timeoutMs: 10 });
    await leaving.clock.advance(3_000);
    expect([cut.end, cut.items]).toEqual(['stream-broken', [0]]);
  });
});
