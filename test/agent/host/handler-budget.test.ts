import { afterEach, expect, test } from 'vitest';
import { z } from 'zod';
import { command, defineAgent, type NexaNode, startNode } from '../../../index.ts';
import type { RuntimeEvent } from '../../../src/actor/events.ts';

const HANDLER_MS = 100;
let release = (): void => undefined;

const slow = defineAgent({
  type: 'slow',
  version: 1,
  commands: { hold: command({}), wait: command({}), quick: command({}) },
  state: z.object({}),
  initial: {},
  storage: 'memory',
  limits: { handlerMs: HANDLER_MS },
}).handle({
  hold() {
    for (const until = performance.now() + HANDLER_MS + 1; performance.now() < until; );
  },
  wait: () => new Promise<undefined>((resolve) => (release = () => resolve(undefined))),
  quick: () => undefined,
});

let node: NexaNode;
afterEach(() => node.stop());

test('the time a type gives its handlers is what one of its agents is measured by, held or waited', async () => {
  node = await startNode({ nats: 'memory', agents: [slow] });
  const told: Extract<RuntimeEvent, { event: 'slow-handler' }>[] = [];
  let heard = (): void => undefined;
  node.system.events.subscribe((event) => {
    // How long the first message takes is the machine's affair.
    if (event.event !== 'slow-handler' || !['hold', 'wait'].includes(event.type)) return;
    told.push(event);
    heard();
  });
  const { ref } = await node.spawn(slow, { id: 'a' });
  const address = { kind: 'agent', type: 'slow', id: 'a' };
  await ref.ask({ type: 'quick' }, { timeoutMs: 5_000 });
  await ref.ask({ type: 'hold' }, { timeoutMs: 5_000 });
  expect(told).toMatchObject([{ address, type: 'hold', limitMs: HANDLER_MS, running: false }]);
  expect(told[0]?.heldLoopMs).toBeGreaterThanOrEqual(HANDLER_MS);

  const waits = ref.ask({ type: 'wait' }, { timeoutMs: 60_000 });
  await new Promise<void>((resolve) => (heard = resolve));
  expect(told.slice(1)).toMatchObject([{ address, type: 'wait', limitMs: HANDLER_MS, running: true }]);
  const done = new Promise<void>((resolve) => (heard = resolve));
  release();
  await Promise.all([waits, done]);
  expect(told.slice(2)).toMatchObject([{ type: 'wait', running: false }]);
  expect(told[2]?.heldLoopMs).toBeLessThan(HANDLER_MS);
});
