import { describe, expect, test, vi } from 'vitest';
import type * as Channels from '../../../src/cluster/channels.ts';
import { NOTHING, objections, transportOf } from './support.ts';

const broken = vi.hoisted(() => ({ takesAll: false }));

vi.mock('../../../src/cluster/channels.ts', async (original) => {
  const real = await original<typeof Channels>();
  class InChannel extends real.InChannel {
    override accept(sequence: number, bytes: number): boolean {
      return super.accept(sequence, bytes) || broken.takesAll;
    }
  }
  return { ...real, InChannel };
});

describe('what is broken between agents is found by its checker', { timeout: 120_000 }, () => {
  test('a late frame accepted, where the network makes two of some: order', async () => {
    let sent = 0;
    const doubling = transportOf((transport) => ({
      ...transport,
      publish(subject, payload, options) {
        transport.publish(subject, payload, options);
        if (subject.includes('.node.') && ++sent % 20 === 0) transport.publish(subject, payload, options);
      },
    }));
    const said = await objections('order', ['echo'], NOTHING, { wrap: doubling }, (on) => {
      broken.takesAll = on;
    });
    expect(said).toMatch(/handled \d+( to \d+)? of drill-caller.* after/);
  });
});
