import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Tier } from '../../../../chaos/plan.ts';
import { type Choice, chooseTier } from '../../../../chaos/worlds/processes/net/choose-tier.ts';
import { until } from '../../../support/real.ts';
import { HeldNet, type Listener } from './held-net.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

/** One after the other: whichever this machine has, with and without relays where that is a choice. */
const nets: readonly { readonly name: string; readonly tier: Tier; readonly proxied: boolean }[] = [
  { name: 'namespaces', tier: 'namespaces', proxied: false },
  { name: 'namespaces with relays', tier: 'namespaces', proxied: true },
  { name: 'sudo', tier: 'sudo', proxied: false },
  { name: 'sudo with relays', tier: 'sudo', proxied: true },
  { name: 'proxies', tier: 'proxies', proxied: false },
];
const choices = new Map<Tier, Choice | string>();
for (const tier of ['namespaces', 'sudo', 'proxies'] as const) {
  choices.set(tier, await chooseTier({ env: process.env }, tier).catch(({ message }: Error) => message));
}

for (const { name, tier, proxied } of nets) {
  const choice = choices.get(tier);
  if (typeof choice === 'string' || choice === undefined) {
    describe.skip(`${name}: ${choice}`, () => test('is not here'));
    continue;
  }
  describe(name, () => {
    let net: HeldNet;
    let at: Readonly<Record<'s1' | 's2', Listener>>;
    beforeAll(async () => {
      net = await HeldNet.open(choice, { proxied });
      await net.add('client', 's1', 's2', 'n1');
      at = { s1: await net.listen('s1'), s2: await net.listen('s2') };
    });
    afterEach(() => net.act({ act: 'heal' }));
    afterAll(() => net.close());
    const called = async (from: string, to: 's1' | 's2') => {
      const call = await net.dial(from, at[to]);
      await call.echo('hello');
      return call;
    };

    test('a program reaches another, also at a place that is made later, and each time by the same address', async () => {
      await called('n1', 's1');
      await called('client', 's2');
      await called('s1', 's2');
      await called('s1', 's1');
      await net.add('n2', 'n2');
      await called('n2', 's1');
      const reach = () => net.ask('reach', { from: 'n2', to: 's1', port: at.s1.port });
      expect(await reach()).toBe(await reach());
    });

    test('a cut one way is heard the other way, and what was said meanwhile arrives when it is mended', async () => {
      const [call, other] = [await called('n1', 's1'), await called('client', 's1')];
      await net.act({ act: 'cut', from: 's1', to: 'n1' });
      await call.say('out;');
      await until(() => net.heardAt(at.s1, 'out;'), 20_000);
      await other.echo('later');
      expect(call.heard).toBe('hello');
      await net.act({ act: 'mend', from: 's1', to: 'n1' });
      await call.hears('out;');

      await net.act({ act: 'cut', from: 'n1', to: 's1' });
      await call.say('kept;');
      await other.echo('later still');
      expect(net.heardAt(at.s1, 'kept;')).toBe(false);
      await net.act({ act: 'mend', from: 'n1', to: 's1' });
      await call.hears('kept;');
    });

    test('a cut keeps new connections from coming about and touches no other way', async () => {
      await net.both('cut', 'n1', 's1');
      const call = await net.dial('n1', at.s1);
      await call.say('through?');
      await called('n1', 's2');
      await called('client', 's1');
      expect(net.heardAt(at.s1, 'through?')).toBe(false);
      // Where packets are dropped the program waits; a proxy’s kernel has answered before the proxy is asked.
      if (tier !== 'proxies' && !proxied) expect(call.open).toBe(false);
      await net.both('mend', 'n1', 's1');
      await call.hears('through?');
    });

    test('the end of a program is not heard across a cut', async () => {
      const [call, other] = [await called('n1', 's1'), await called('client', 's1')];
      const ends = () => net.seen.filter(({ place, event }) => place === 's1' && event === 'ended').length;
      const before = ends();
      await net.both('cut', 'n1', 's1');
      await call.end();
      await other.echo('after the end');
      expect(ends()).toBe(before);
      await net.act({ act: 'heal' });
      await until(() => ends() === before + 1, 20_000);
    });

    test('what is lost comes late, in order and whole; all of it lost is a cut', async () => {
      const [call, other] = [await called('n1', 's1'), await called('client', 's1')];
      await net.act({ act: 'loss', from: 'n1', to: 's1', percent: 20 });
      await net.act({ act: 'loss', from: 's1', to: 'n1', percent: 20 });
      const numbers = Array.from({ length: 50 }, (_, index) => `${index};`);
      for (const number of numbers) await call.say(number);
      await call.hears(numbers.join(''));
      await net.act({ act: 'loss', from: 's1', to: 'n1', percent: 0 });
      await net.act({ act: 'loss', from: 'n1', to: 's1', percent: 100 });
      await call.say('all lost');
      await other.echo('later');
      expect(net.heardAt(at.s1, 'all lost')).toBe(false);
      await net.act({ act: 'loss', from: 'n1', to: 's1', percent: 0 });
      await call.hears('all lost');
    });

    test('a reset is seen at both ends of what is connected, and the next connection stands', async () => {
      const [call, other] = [await called('n1', 's1'), await called('client', 's1')];
      const resets = () => net.seen.filter(({ place, event }) => place === 's1' && event === 'error').length;
      const before = resets();
      await net.act({ act: 'reset', from: 'n1', to: 's1' });
      await until(() => call.reset && resets() > before, 20_000);
      await other.echo('untouched');
      await called('n1', 's1');
    });

    test('a half-open link accepts and says nothing, until it is whole', async () => {
      const [call, other] = [await called('n1', 's1'), await called('client', 's1')];
      await net.act({ act: 'half-open', from: 'n1', to: 's1', on: true });
      const late = await net.dial('n1', at.s1);
      await until(() => late.open, 20_000);
      await late.say('silence');
      await call.say('silence');
      await other.echo('later');
      expect(net.heardAt(at.s1, 'silence')).toBe(false);
      expect(call.reset || late.reset).toBe(false);
      await net.act({ act: 'half-open', from: 'n1', to: 's1', on: false });
      await Promise.all([late.hears('silence'), call.hears('silence')]);
    });

    test('a cable that is out cuts a place from all others, and from none once it is in', async () => {
      const [one, two, other] = [await called('n1', 's1'), await called('n1', 's2'), await called('client', 's1')];
      await net.act({ act: 'link-down', place: 'n1' });
      await net.act({ act: 'link-down', place: 'n1' });
      await one.say('out?');
      await two.say('out?');
      await other.echo('later');
      expect(net.heardAt(at.s1, 'out?') || net.heardAt(at.s2, 'out?')).toBe(false);
      await net.act({ act: 'link-up', place: 'n1' });
      await Promise.all([one.hears('out?'), two.hears('out?')]);
    });

    test.runIf(proxied || tier === 'proxies')('a delay holds each direction back for its time, and keeps the order', async () => {
      const call = await called('n1', 's1');
      await net.act({ act: 'delay', from: 'n1', to: 's1', ms: 60, jitterMs: 40 });
      await net.act({ act: 'delay', from: 's1', to: 'n1', ms: 40, jitterMs: 40 });
      const startMs = performance.now();
      const numbers = Array.from({ length: 30 }, (_, index) => `${index};`);
      for (const number of numbers) await call.say(number);
      await call.hears('0;');
      expect(performance.now() - startMs).toBeGreaterThan(99);
      await call.hears(numbers.join(''));
      const late = await net.dial('n1', at.s1);
      await late.echo('new ones too');
      await net.act({ act: 'delay', from: 'n1', to: 's1', ms: 0, jitterMs: 0 });
    });

    test.runIf(proxied || tier === 'proxies')('what is sliced arrives in pieces, and whole', async () => {
      const call = await called('n1', 's1');
      const text = Array.from({ length: 40 }, (_, index) => `piece ${index};`).join('');
      await net.act({ act: 'slice', from: 's1', to: 'n1', bytes: 5 });
      await call.echo(text);
      expect(call.pieces.length).toBeGreaterThan(5);
    });

    test.runIf(tier !== 'proxies' && !proxied)('without relays nothing delays or slices, and that is said', async () => {
      expect(await net.cannot('delay')).toMatch(/relays/);
      await expect(net.act({ act: 'slice', from: 'n1', to: 's1', bytes: 5 })).rejects.toMatchObject({ code: 'unavailable' });
      expect(await net.cannot('cut')).toBeNull();
    });

    test('a heal ends everything at once', async () => {
      const call = await called('n1', 's1');
      await net.both('cut', 'n1', 's1');
      await net.act({ act: 'cut', from: 'n1', to: 's1' });
      await net.act({ act: 'loss', from: 's1', to: 'n1', percent: 50 });
      await net.act({ act: 'half-open', from: 'n1', to: 's1', on: true });
      await net.act({ act: 'link-down', place: 's1' });
      await call.say('at last');
      await net.act({ act: 'heal' });
      await call.hears('at last');
      await called('n1', 's1');
    });

    test('a place that is none, and a strength that is none, are refused', async () => {
      await expect(net.act({ act: 'cut', from: 'n1', to: 's9' })).rejects.toMatchObject({ code: 'invalid-message' });
      await expect(net.ask('add', { place: '../x' })).rejects.toMatchObject({ code: 'invalid-message' });
      await expect(net.act({ act: 'loss', from: 'n1', to: 's1', percent: 101 })).rejects.toMatchObject({ code: 'invalid-message' });
      await expect(net.act({ act: 'delay', from: 'n1', to: 's1', ms: -1, jitterMs: 0 })).rejects.toMatchObject({
        code: 'invalid-message',
      });
    });
  });

  describe(`${name}: the end`, () => {
    test('a net that is closed keeps no relay, no handle and no port', async () => {
      const net = await HeldNet.open(choice, { proxied });
      try {
        await net.add('client', 's1', 'n1');
        const listener = await net.listen('s1');
        await (await net.dial('n1', listener)).echo('hello');
        const address = String(await net.ask('reach', { from: 'n1', to: 's1', port: listener.port }));
        // What stays is the holder, what holds it in namespaces, and the three peers.
        expect(await net.ask('close')).toBe(false);
        await until(async () => !(await commandLines(net)).some((line) => line.includes('relay-program')), 20_000);
        if (tier === 'proxies') await expect(refused(address)).resolves.toBe(true);
      } finally {
        await net.close();
      }
    });

    test.runIf(tier === 'sudo')('programs at the places run as the user who is asked for', async () => {
      const net = await HeldNet.open(choice, { proxied, as: { uid: 65_534, gid: 65_534 } });
      try {
        await net.add('client', 's1');
        await (await net.dial('client', await net.listen('s1'))).echo('hello');
        for (const place of ['client', 's1']) expect(await net.ask('uid', { place })).toBe('65534');
      } finally {
        await net.close();
      }
    });

    test('nothing outlives a holder that is killed', async () => {
      const net = await HeldNet.open(choice, { proxied });
      await net.add('client', 's1', 'n1');
      const listener = await net.listen('s1');
      await (await net.dial('n1', listener)).echo('hello');
      net.kill();
      await net.close();
    });
  });
}

async function commandLines(net: HeldNet): Promise<readonly string[]> {
  return Promise.all((await net.processes()).map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')));
}

const refused = (address: string) =>
  new Promise<boolean>((resolve) => {
    const [host = '', port] = address.split(':');
    const socket = connect({ host, port: Number(port) }, () => resolve(false));
    socket.on('error', () => resolve(true));
    socket.on('connect', () => socket.destroy());
  });
