import { afterEach, beforeEach, expect, test } from 'vitest';
import { receive } from '../../../src/actor/behavior.ts';
import type { Context } from '../../../src/actor/context.ts';
import type { Engine } from '../../../src/actor/engine.ts';
import type { Request } from '../../../src/actor/message.ts';
import type { Props } from '../../../src/actor/props.ts';
import { silentLogger } from '../../../src/actor/safe-logger.ts';
import { oneForOne, restForOne } from '../../../src/actor/strategy.ts';
import { createSystem, type System } from '../../../src/actor/system.ts';
import { nactEngine } from '../../../src/engine/nact/engine.ts';
import { seededRandom } from '../../../src/memory/random.ts';
import { type VirtualClock, virtualClock } from '../../../src/memory/virtual-clock.ts';
import { childRef, supervise, type Tree } from '../../../supervisors/supervise.ts';
import { nodeTree } from '../../../supervisors/trees/node-tree.ts';

type Victim = Request<{ readonly type: 'name' }, string> | { readonly type: 'crash' };
interface Needs {
  readonly started: string[];
}
const victim =
  (name: string) =>
  ({ started }: Needs): Props<Victim> => ({
    behavior: () => {
      started.push(name);
      return receive((context: Context<Victim>, message: Victim) => {
        if (message.type === 'crash') throw new Error(`${name} was told to crash`);
        context.reply(message, name);
      });
    },
  });
const table = (strategy: Tree<Needs, never>['strategy']): Tree<Needs, { a: Victim; b: Victim; c: Victim }> => ({
  name: 'table',
  strategy,
  children: { a: victim('a'), b: victim('b'), c: victim('c') },
});

let clock: VirtualClock;
let engine: Engine;
let system: System;
let started: string[];
beforeEach(() => {
  clock = virtualClock();
  engine = nactEngine({ sliceMs: Number.POSITIVE_INFINITY, now: () => 0 });
  system = createSystem({ engine, clock, random: seededRandom(1), log: silentLogger, node: 'n1', incarnation: 3 });
  started = [];
});
afterEach(() => engine.stop());
const settle = async (): Promise<void> => {
  do await new Promise<void>((resolve) => setImmediate(resolve));
  while (!engine.idle());
};
const run = async (ms: number): Promise<void> => {
  const untilMs = clock.monotonicMs() + ms;
  await settle();
  while (clock.step(untilMs - clock.monotonicMs())) await settle();
};
const childrenOf = (name: string) => system.snapshot().children.find((child) => child.name === name)?.children ?? [];

test('a table starts its children in order, and gives a ref of each by its name', async () => {
  const refs = supervise(system, table(oneForOne()), { started });
  expect(Object.keys(refs)).toEqual(['a', 'b', 'c']);
  await settle();
  expect(started).toEqual(['a', 'b', 'c']);
  expect(childrenOf('table').map(({ name }) => name)).toEqual(['a', 'b', 'c']);
  const asked = refs.b.ask({ type: 'name' }, { timeoutMs: 1_000 });
  await settle();
  expect(await asked).toBe('b');
});

test('with one-for-one the child that crashed is restarted alone, and its ref and its reason are kept', async () => {
  const refs = supervise(system, table(oneForOne()), { started });
  await settle();
  refs.b.tell({ type: 'crash' });
  await run(1_000);
  expect(started).toEqual(['a', 'b', 'c', 'b']);
  const [a, b] = childrenOf('table');
  expect(b).toMatchObject({ restarts: 1, state: 'running' });
  expect(b?.lastReason).toContain('b was told to crash');
  expect(a?.restarts).toBe(0);
  const asked = refs.b.ask({ type: 'name' }, { timeoutMs: 1_000 });
  await settle();
  expect(await asked).toBe('b');
});

test('with rest-for-one those started after it are restarted too', async () => {
  const refs = supervise(system, table(restForOne()), { started });
  await settle();
  refs.b.tell({ type: 'crash' });
  await run(1_000);
  expect(started).toEqual(['a', 'b', 'c', 'b', 'c']);
});

test('past its intensity the whole table is started anew, and refs by place still reach the children', async () => {
  const refs = supervise(system, table(oneForOne({ maxRestarts: 1, withinMs: 60_000 })), { started });
  await settle();
  for (let count = 0; count < 2; count++) {
    refs.b.tell({ type: 'crash' });
    await run(1_000);
  }
  expect(started).toEqual(['a', 'b', 'c', 'b', 'a', 'b', 'c']);
  const asked = refs.c.ask({ type: 'name' }, { timeoutMs: 1_000 });
  await settle();
  expect(await asked).toBe('c');
});

test('two trees of one name cannot be started', () => {
  supervise(system, table(oneForOne()), { started });
  expect(() => supervise(system, table(oneForOne()), { started })).toThrow(expect.objectContaining({ code: 'conflict' }));
});

test('a child is addressed by its place, here and on any other node', () => {
  expect(childRef(system, nodeTree, 'registry').toJSON()).toBe('nexa://n1.3/system/registry#0');
  expect(childRef(system, nodeTree, 'registry', { node: 'n2', incarnation: 9 }).toJSON()).toBe('nexa://n2.9/system/registry#0');
});

test('the node’s own actors never fell it: their restarts have no bound, only a longest wait', () => {
  expect(nodeTree.strategy).toMatchObject({ scope: 'one', maxRestarts: Number.POSITIVE_INFINITY, backoff: { maxMs: 10_000 } });
});
