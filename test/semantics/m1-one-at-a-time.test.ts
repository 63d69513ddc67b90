import { expect, test } from 'vitest';
import { actor, kit } from '../actor/kit.ts';

test('M1: an actor handles one message at a time, and an async handler holds it until it settles', async () => {
  await using world = kit();
  const { clock } = world;
  const trace: string[] = [];
  const slow = world.system.spawn(
    actor<{ readonly type: 'work'; readonly name: string; readonly ms: number }>(async (_, { name, ms }) => {
      trace.push(`begin ${name}`);
      if (ms > 0) await new Promise<void>((resolve) => void clock.after(ms, resolve));
      trace.push(`end ${name}`);
    }),
  );
  const quick = world.system.spawn(actor<{ readonly type: 'note'; readonly name: string }>((_, { name }) => void trace.push(name)));
  slow.tell({ type: 'work', name: 'a', ms: 100 });
  slow.tell({ type: 'work', name: 'b', ms: 0 });
  slow.tell({ type: 'work', name: 'c', ms: 50 });
  await world.settle();
  expect(trace).toEqual(['begin a']);
  quick.tell({ type: 'note', name: 'another actor goes on' });
  await world.advance(99);
  expect(trace).toEqual(['begin a', 'another actor goes on']);
  await world.advance(1);
  expect(trace.slice(2)).toEqual(['end a', 'begin b', 'end b', 'begin c']);
  await world.advance(50);
  expect(trace.at(-1)).toBe('end c');
});

test('M1: a message sent to itself is handled after the turn, never inside it', async () => {
  await using world = kit();
  const trace: string[] = [];
  const ref = world.system.spawn(
    actor<{ readonly type: 'first' | 'second' }>((context, { type }) => {
      trace.push(`begin ${type}`);
      if (type === 'first') context.self.tell({ type: 'second' });
      trace.push(`end ${type}`);
    }),
  );
  ref.tell({ type: 'first' });
  await world.settle();
  expect(trace).toEqual(['begin first', 'end first', 'begin second', 'end second']);
});
