import { expect, it } from 'vitest';
import type { Status, Wire } from '../../src/nats/connection.ts';
import { Gate } from '../../src/nats/gate.ts';
import { ReplyMux } from '../../src/nats/reply-mux.ts';
import { manualClock } from '../support/manual-clock.ts';

type Callback = (error: null, message: { readonly subject: string; readonly data: Uint8Array }) => void;

function world({ inFlight }: { readonly inFlight: number }) {
  const clock = manualClock();
  const sent: { readonly subject: string; readonly reply: string }[] = [];
  const state = { connected: true, down: (_status: Status): void => undefined, deliver: (() => undefined) as Callback };
  const wire = {
    clock,
    inbox: 'inbox',
    connected: () => state.connected,
    onStatus: (listener: (status: Status) => void) => {
      state.down = listener;
    },
    onClose: () => undefined,
    log: { warn: () => undefined, error: () => undefined },
    connection: {
      publish: (subject: string, _payload: Uint8Array, { reply }: { readonly reply: string }) => void sent.push({ subject, reply }),
      subscribe: (_subject: string, { callback }: { readonly callback: Callback }) => {
        state.deliver = callback;
      },
    },
  } as unknown as Wire;
  const mux = new ReplyMux(wire);
  const gate = new Gate({ inFlight, queued: 10, queuedBytes: 1_000, what: 'requests' });
  const request = (subject: string, timeoutMs = 1_000) => mux.request(subject, new Uint8Array(1), { gate, timeoutMs });
  const answer = (index: number) => state.deliver(null, { subject: sent[index]?.reply ?? '', data: Uint8Array.of(index) });
  return { clock, sent, request, answer, state };
}

it('each gets the answer to its own request, and one that comes twice or late gets to nobody', async () => {
  const { clock, request, answer } = world({ inFlight: 10 });
  const [a, b, c] = [request('a'), request('b'), request('c', 50)];
  answer(1);
  answer(1);
  answer(0);
  await clock.advance(60);
  answer(2);
  expect(await Promise.all([a, b, c])).toMatchObject([
    { message: { data: Uint8Array.of(0) } },
    { message: { data: Uint8Array.of(1) } },
    { why: 'timeout' },
  ]);
});

it('the time of a request counts while it waits for its turn: it is never sent after it', async () => {
  const { clock, sent, request, answer } = world({ inFlight: 1 });
  const first = request('a');
  const [late, patient] = [request('b', 50), request('c', 500)];
  await clock.advance(60);
  expect(await late).toEqual({ why: 'timeout' });
  answer(0);
  await first;
  expect(sent.map(({ subject }) => subject)).toEqual(['a', 'c']);
  await clock.advance(500);
  expect(await patient).toEqual({ why: 'timeout' });
});

it('a broken connection ends those under way and those that wait, and nothing is sent', async () => {
  const { sent, request, state } = world({ inFlight: 1 });
  const all = ['a', 'b', 'c'].map((subject) => request(subject));
  state.connected = false;
  state.down('down');
  expect(await Promise.all(all)).toEqual([{ why: 'disconnected' }, { why: 'disconnected' }, { why: 'disconnected' }]);
  expect(await request('d')).toEqual({ why: 'disconnected' });
  expect(sent).toHaveLength(1);
});
