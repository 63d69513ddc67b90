import { beforeAll, expect, it } from 'vitest';
import type { Inbound, Transport } from '../../src/ports/transport.ts';
import { bytes, realRandom, subject, text, until } from '../support/real.ts';
import { overBothParts, type Part } from './parts.ts';

overBothParts('a transport', (part: Part) => {
  let a: Transport;
  let b: Transport;
  let base = '';
  const at = (name: string) => subject(`${base}.${name}`);
  beforeAll(async () => {
    a = (await part.connect('a')).transport;
    b = (await part.connect('b')).transport;
    base = `t${realRandom.id().replaceAll('-', '_')}`;
  });
  /** What was published by `to` before is known everywhere once its own message came back. */
  const settled = async (to: Transport): Promise<void> => {
    const mark = subject(`${base}.mark.${realRandom.id()}`);
    let seen = false;
    const cancel = to.subscribe(mark, () => {
      seen = true;
    });
    to.publish(mark, bytes(''));
    await until(() => seen);
    cancel();
  };

  it('delivers payload, headers and reply, and never on the publisher’s stack', async () => {
    const got: Inbound[] = [];
    b.subscribe(at('one'), (message) => got.push(message));
    a.subscribe(at('self'), (message) => got.push(message));
    await settled(b);
    a.publish(at('self'), bytes('self'));
    expect(got).toEqual([]);
    a.publish(at('one'), bytes('hello'), { reply: at('answer'), headers: new Map([['Nexa-Request-Id', 'r 1']]) });
    await until(() => got.length === 2);
    const message = got.find((one) => one.subject === at('one'));
    expect(text(message?.payload)).toBe('hello');
    expect(message?.reply).toBe(at('answer'));
    expect([...(message?.headers ?? [])]).toEqual([['Nexa-Request-Id', 'r 1']]);
    expect(message?.noResponders).toBe(false);
    expect(got.find((one) => one.subject === at('self'))?.reply).toBeUndefined();
  });

  it('after a flush a subscription is in force for everybody at that server', async () => {
    for (let round = 0; round < 50; round++) {
      let got = 0;
      const cancel = b.subscribe(at(`flushed.${round}`), () => got++);
      await b.flush({ timeoutMs: 5_000 });
      a.publish(at(`flushed.${round}`), bytes(''));
      await until(() => got === 1);
      cancel();
    }
  });

  it('keeps the order from one publisher to one subscriber', async () => {
    const got: number[] = [];
    b.subscribe(at('order.*'), (message) => got.push(Number(text(message.payload))));
    await settled(b);
    for (let index = 0; index < 2_000; index++) a.publish(at(`order.${index % 3}`), bytes(String(index)));
    await until(() => got.length === 2_000);
    expect(got).toEqual(Array.from({ length: 2_000 }, (_, index) => index));
  });

  it('matches * to one token and > to the rest', async () => {
    const got: string[] = [];
    for (const pattern of ['w.*', 'w.*.c', 'w.>', 'w.b.c'])
      b.subscribe(at(pattern), (message) => got.push(`${pattern} ${message.subject.slice(base.length + 1)}`));
    await settled(b);
    for (const name of ['w', 'w.b', 'w.b.c', 'w.b.c.d']) a.publish(at(name), bytes(''));
    await until(() => got.length >= 6);
    await settled(a);
    await settled(b);
    expect(got.sort()).toEqual(['w.* w.b', 'w.*.c w.b.c', 'w.> w.b', 'w.> w.b.c', 'w.> w.b.c.d', 'w.b.c w.b.c']);
  });

  it('gives a message to one member of a queue group and to everybody outside it', async () => {
    const got = { one: 0, other: 0, outside: 0 };
    a.subscribe(at('group'), () => got.one++, { group: 'nexa' });
    b.subscribe(at('group'), () => got.other++, { group: 'nexa' });
    b.subscribe(at('group'), () => got.outside++);
    await settled(a);
    await settled(b);
    for (let index = 0; index < 200; index++) a.publish(at('group'), bytes(''));
    await until(
      () => got.one + got.other === 200 && got.outside === 200,
      20_000,
      () => got,
    );
    expect(got.one).toBeGreaterThan(20);
    expect(got.other).toBeGreaterThan(20);
  });

  it('says at once that nobody listens, to the one who asked only', async () => {
    const got: Inbound[] = [];
    let elsewhere = 0;
    a.subscribe(at('replies.*'), (message) => got.push(message));
    b.subscribe(at('replies.*'), () => elsewhere++);
    await settled(a);
    await settled(b);
    a.publish(at('nobody'), bytes('?'), { reply: at('replies.7') });
    await until(() => got.length === 1);
    expect(got[0]).toMatchObject({ subject: at('replies.7'), noResponders: true });
    expect(got[0]?.payload).toHaveLength(0);
    await settled(b);
    expect(elsewhere).toBe(0);
  });

  it('delivers nothing after a cancel, not even what was under way', async () => {
    let count = 0;
    const cancel = a.subscribe(at('cancelled'), () => {
      count++;
      cancel();
    });
    await settled(a);
    for (let index = 0; index < 10; index++) a.publish(at('cancelled'), bytes(''));
    await settled(a);
    expect(count).toBe(1);
    cancel();
  });

  it('goes on when a listener unsubscribes another one', async () => {
    const got: string[] = [];
    const cancels = [a.subscribe(at('many'), () => got.push('first')), a.subscribe(at('many'), () => got.push('second'))];
    await settled(a);
    cancels[0]?.();
    a.publish(at('many'), bytes(''));
    await settled(a);
    expect(got).toEqual(['second']);
  });

  it('refuses a payload beyond its limit at the sender, headers counted', async () => {
    expect(a.maxPayloadBytes).toBe(1_048_576);
    expect(() => a.publish(at('big'), new Uint8Array(1_048_577))).toThrow(
      expect.objectContaining({ code: 'payload-too-large', definite: true }),
    );
    expect(() => a.publish(at('big'), new Uint8Array(1_048_570), { headers: new Map([['h', 'a value']]) })).toThrow(
      expect.objectContaining({ code: 'payload-too-large' }),
    );
    let sizeBytes = 0;
    a.subscribe(at('big'), (message) => {
      sizeBytes = message.payload.length;
    });
    a.publish(at('big'), new Uint8Array(1_048_576));
    await until(() => sizeBytes === 1_048_576);
  });

  it.each(['a b', 'a\r\nPUB x 0', 'a\tb', '', 'a.*', 'a.>', 'a\u0000b'])('refuses to publish to %j', (name) => {
    expect(() => a.publish(subject(name), bytes(''))).toThrow(expect.objectContaining({ code: 'bad-id' }));
    expect(() => a.publish(at('ok'), bytes(''), { reply: subject(name) })).toThrow(expect.objectContaining({ code: 'bad-id' }));
  });

  it.each(['a b', 'a\r\nPUB x 0', ''])('refuses to subscribe to %j, or to such a group', (name) => {
    expect(() => a.subscribe(subject(name), () => undefined)).toThrow(expect.objectContaining({ code: 'bad-id' }));
    expect(() => a.subscribe(at('ok'), () => undefined, { group: name })).toThrow(expect.objectContaining({ code: 'bad-id' }));
  });

  it('copies the headers it was given', async () => {
    const got: (string | undefined)[] = [];
    b.subscribe(at('headers'), (message) => got.push(message.headers.get('k')));
    await settled(b);
    const headers = new Map([['k', 'before']]);
    a.publish(at('headers'), bytes(''), { headers });
    headers.set('k', 'after');
    await until(() => got.length === 1);
    expect(got).toEqual(['before']);
  });

  it('says down and up when it leaves its server, and keeps its subscriptions', async () => {
    const { transport } = await part.connect('mover');
    const got: string[] = [];
    transport.onStatus((status) => got.push(status));
    transport.subscribe(at('moved'), () => got.push('message'));
    await settled(transport);
    transport.reconnect();
    await until(
      () => got.includes('up'),
      20_000,
      () => got,
    );
    transport.publish(at('moved'), bytes(''));
    await until(
      () => got.includes('message'),
      20_000,
      () => got,
    );
    expect(got).toEqual(['down', 'up', 'message']);
    await transport.close();
  });

  it('sends what was published before a close, and refuses after it', async () => {
    const { transport } = await part.connect('short');
    let got = 0;
    b.subscribe(at('last'), () => got++);
    await settled(b);
    for (let index = 0; index < 100; index++) transport.publish(at('last'), bytes(''));
    await transport.close();
    await transport.close();
    await until(
      () => got === 100,
      20_000,
      () => got,
    );
    expect(() => transport.publish(at('last'), bytes(''))).toThrow(expect.objectContaining({ code: 'disconnected' }));
    expect(() => transport.subscribe(at('last'), () => undefined)).toThrow(expect.objectContaining({ code: 'disconnected' }));
    await expect(transport.flush({ timeoutMs: 1_000 })).rejects.toMatchObject({ code: 'disconnected' });
  });

  it('lets nobody answer for a closed connection', async () => {
    const { transport } = await part.connect('gone');
    transport.subscribe(at('gone'), () => undefined);
    await settled(transport);
    await transport.close();
    const got: Inbound[] = [];
    a.subscribe(at('answer.gone'), (message) => got.push(message));
    await settled(a);
    a.publish(at('gone'), bytes(''), { reply: at('answer.gone') });
    await until(() => got.length === 1);
    expect(got[0]?.noResponders).toBe(true);
  });

  it('has nothing buffered when everything was sent', async () => {
    for (let index = 0; index < 100; index++) a.publish(at('buffered'), new Uint8Array(1_000));
    await until(() => a.bufferedBytes() === 0);
  });
});
