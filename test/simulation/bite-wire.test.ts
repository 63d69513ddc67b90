import { expect, test, vi } from 'vitest';
import type * as Channels from '../../src/cluster/channels.ts';
import type { MemoryConnection } from '../../src/memory/network.ts';
import type { Subject } from '../../src/ports/transport.ts';
import { bitten } from './bite.ts';

const broken = vi.hoisted(() => ({ takesAll: false }));

vi.mock('../../src/cluster/channels.ts', async (original) => {
  const real = await original<typeof Channels>();
  class InChannel extends real.InChannel {
    override accept(sequence: number, bytes: number): boolean {
      return super.accept(sequence, bytes) || broken.takesAll;
    }
  }
  return { ...real, InChannel };
});

test('a late frame accepted: what the network made two of is handled twice', { timeout: 300_000 }, async () => {
  const { found, objections } = await bitten({
    ...{ bug: 'a late frame accepted', faults: ['one way'], loads: ['notes', 'churn'], seeds: 10, weather: { duplicate: 50 } },
    broken: async (run) => {
      broken.takesAll = true;
      await run().finally(() => {
        broken.takesAll = false;
      });
    },
  });
  expect(found).toBeGreaterThan(0);
  expect(objections).toMatch(/more than once|handled after/);
});

test('no incarnation in the inbox: a node that has started anew gets the mail of the one before', { timeout: 300_000 }, async () => {
  /** `….node.n1.1767225600001` and `….reply.n1.1767225600001.7`, as if a node had one life. */
  const anonymous = (subject: string): Subject => subject.replace(/\.(node|reply)\.(n\d)\.\d+/, '.$1.$2.0') as Subject;
  const breaks = (_node: string, { transport, stores }: MemoryConnection): MemoryConnection => ({
    stores,
    transport: {
      ...transport,
      publish: (subject, payload, options) =>
        transport.publish(anonymous(subject), payload, {
          ...options,
          ...(options?.reply === undefined ? {} : { reply: anonymous(options.reply) }),
        }),
      subscribe: (subject, onMessage, options) => transport.subscribe(anonymous(subject), onMessage, options),
    },
  });
  const { found, objections } = await bitten({
    ...{ bug: 'no incarnation in the inbox', faults: ['crash with proof', 'store cut'], loads: ['counters', 'lists', 'notes'], seeds: 20 },
    weather: { watchMs: 800, drop: 50 },
    breaks,
  });
  expect(found).toBeGreaterThan(0);
  expect(objections).toMatch(/was handed a message for/);
});
