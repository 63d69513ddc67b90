import { describe, expect, it } from 'vitest';
import { gate } from '../../src/nats/gate.ts';
import { manualClock } from '../support/manual-clock.ts';

function world(options: { readonly inFlight: number; readonly queued: number }) {
  const clock = manualClock();
  const one = gate(clock, { queuedBytes: 100, ...options, what: 'requests' });
  const running: (() => void)[] = [];
  const started: string[] = [];
  const pass = (name: string, timeoutMs = 1_000, bytes = 0) =>
    one.pass(
      timeoutMs,
      async (leftMs) => {
        started.push(`${name} ${leftMs}`);
        await new Promise<void>((resolve) => running.push(resolve));
        return name;
      },
      bytes,
    );
  return {
    clock,
    pass,
    started,
    finish: async () => {
      running.shift()?.();
      await clock.advance(0);
    },
  };
}

describe('a gate', () => {
  it('lets so many pass at a time, the others in order with what is left of their time', async () => {
    const { clock, pass, started, finish } = world({ inFlight: 2, queued: 10 });
    const all = ['a', 'b', 'c', 'd'].map((name) => pass(name));
    await clock.advance(100);
    expect(started).toEqual(['a 1000', 'b 1000']);
    await finish();
    await clock.advance(100);
    await finish();
    expect(started).toEqual(['a 1000', 'b 1000', 'c 900', 'd 800']);
    await finish();
    await finish();
    expect(await Promise.all(all)).toEqual(['a', 'b', 'c', 'd']);
  });

  it('answers nothing to whom the deadline came first, and never runs it', async () => {
    const { clock, pass, started, finish } = world({ inFlight: 1, queued: 10 });
    const first = pass('a');
    const second = pass('b', 50);
    await clock.advance(60);
    expect(await second).toBeUndefined();
    await finish();
    expect(await first).toBe('a');
    expect(started).toEqual(['a 1000']);
  });

  it('refuses beyond its queue', async () => {
    const { pass } = world({ inFlight: 1, queued: 1 });
    void pass('a');
    void pass('b');
    await expect(pass('c')).rejects.toMatchObject({ code: 'overloaded', definite: true });
  });

  it('and beyond its bytes, which are free again when their turn came or their time was over', async () => {
    const { clock, pass, finish } = world({ inFlight: 1, queued: 10 });
    void pass('a', 1_000, 1_000);
    void pass('b', 50, 60);
    await expect(pass('c', 1_000, 41)).rejects.toMatchObject({ code: 'overloaded', definite: true });
    await clock.advance(60);
    const next = pass('d', 1_000, 100);
    await finish();
    void pass('e', 1_000, 100);
    await finish();
    expect(await next).toBe('d');
  });
});
