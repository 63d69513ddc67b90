import { z } from 'zod';
import { command } from '../../src/agent/command.ts';
import { defineEventSourced } from '../../src/agent/define-event-sourced.ts';

/** An event-sourced list; a test may hold it between a command and its outcome. */
export function ledgers(options: { readonly version?: number; readonly stateBytes?: number; readonly snapshotEvery?: number } = {}) {
  const waiting: (() => void)[] = [];
  const { version = 1, stateBytes = 100_000, snapshotEvery = 200 } = options;
  const agent = defineEventSourced({
    type: 'ledger',
    version,
    commands: {
      add: command({ item: z.string() }, { reply: z.object({ count: z.int(), epoch: z.int() }) }),
      hold: command({ item: z.string() }),
      read: command({}, { reply: z.object({ items: z.array(z.string()), epoch: z.int() }) }),
      spoil: command({}),
      leave: command({}),
    },
    events: { added: { item: z.string() }, spoilt: {} },
    state: z.object({ items: z.array(z.string()) }),
    initial: { items: [] },
    limits: { stateBytes },
    snapshotEvery: { events: snapshotEvery },
    ...(version === 1
      ? {}
      : { upcast: { 1: (event) => (event.type === 'added' ? [event, event] : [event]) }, upcastState: { 1: (state) => state } }),
  })
    .apply({
      added: ({ items }, { item }) => ({ items: [...items, item] }),
      spoilt: () => {
        throw new Error('on purpose');
      },
    })
    .handle({
      add: ({ epoch }, { item }) => ({ events: [{ type: 'added', item }], reply: ({ items }) => ({ count: items.length, epoch }) }),
      async hold(_context, { item }) {
        await new Promise<void>((resolve) => {
          waiting.push(resolve);
        });
        return { events: [{ type: 'added', item }] };
      },
      read: ({ state: { items }, epoch }) => ({ reply: { items: [...items], epoch } }),
      spoil: () => ({ events: [{ type: 'spoilt' }] }),
      leave: () => ({ next: 'passivate' }),
    });
  return { agent, go: (): void => waiting.shift()?.() };
}
