import { getEventListeners } from 'node:events';
import { expect, test } from 'vitest';
import type { Request, StreamRequest } from '../../src/actor/message.ts';
import { onAbort } from '../../src/ports/on-abort.ts';
import { actor, kit, outcome } from './kit.ts';

type Get = Request<{ readonly type: 'get' }, number>;
type Numbers = StreamRequest<{ readonly type: 'numbers' }, number>;

const MANY = 40;
const listeners = (signal: AbortSignal): number => getEventListeners(signal, 'abort').length;

test('many that wait for one signal are one listener, and none once the last has left', () => {
  const { signal } = new AbortController();
  const leave = Array.from({ length: MANY }, () => onAbort(signal, () => {}));
  expect(listeners(signal)).toBe(1);
  for (const each of leave.slice(1)) each();
  expect(listeners(signal)).toBe(1);
  leave[0]?.();
  leave[0]?.();
  expect(listeners(signal)).toBe(0);
  onAbort(signal, () => {});
  expect(listeners(signal)).toBe(1);
});

test('everybody who waits is called once and in order, but not who has left, be it because of one who was called before', () => {
  const controller = new AbortController();
  const called: string[] = [];
  onAbort(controller.signal, () => {
    called.push('a');
    leaveC();
  });
  const leaveB = onAbort(controller.signal, () => called.push('b'));
  const leaveC = onAbort(controller.signal, () => called.push('c'));
  onAbort(controller.signal, () => called.push('d'));
  leaveB();
  controller.abort();
  expect(called).toEqual(['a', 'd']);
  expect(listeners(controller.signal)).toBe(0);
});

test('an actor that asks many at once under its own signal is one listener there, and none once all are answered', async () => {
  await using world = kit();
  const target = world.system.spawn(
    actor<Get>(async (context, message) => {
      await new Promise<void>((resolve) => void world.clock.after(10, resolve));
      context.reply(message, 1);
    }),
  );
  let signal = new AbortController().signal;
  let answers: readonly Promise<unknown>[] = [];
  world.system
    .spawn(
      actor<{ readonly type: 'go' }>((context) => {
        signal = context.signal;
        answers = Array.from({ length: MANY }, () => outcome(target.ask({ type: 'get' }, { timeoutMs: 1_000, signal })));
      }),
    )
    .tell({ type: 'go' });
  await world.settle();
  expect(listeners(signal)).toBe(1);
  await world.advance(MANY * 10);
  expect(new Set(await Promise.all(answers))).toEqual(new Set([1]));
  expect(listeners(signal)).toBe(0);
});

test('a signal cancels every ask that was given it', async () => {
  await using world = kit();
  const silent = world.system.spawn(actor<Get>(() => new Promise<void>((resolve) => void world.clock.after(5_000, resolve))));
  const controller = new AbortController();
  const { signal } = controller;
  const answers = Array.from({ length: MANY }, () => outcome(silent.ask({ type: 'get' }, { timeoutMs: 1_000, signal })));
  await world.settle();
  controller.abort();
  expect(new Set(await Promise.all(answers))).toEqual(new Set(['cancelled']));
  expect(listeners(signal)).toBe(0);
});

test('an actor that consumes many streams under its own signal is one listener there, and none once all have ended', async () => {
  await using world = kit();
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  const source = world.system.spawn(
    actor<Numbers>((context, message) =>
      context.replyStream(message, async function* () {
        await opened;
        yield 1;
      }),
    ),
  );
  let signal = new AbortController().signal;
  let read: readonly Promise<unknown>[] = [];
  world.system
    .spawn(
      actor<{ readonly type: 'go' }>((context) => {
        signal = context.signal;
        read = Array.from({ length: MANY }, async () => {
          let sum = 0;
          for await (const value of source.stream({ type: 'numbers' }, { idleTimeoutMs: 1_000, signal })) sum += value;
          return sum;
        });
      }),
    )
    .tell({ type: 'go' });
  await world.settle();
  expect(listeners(signal)).toBe(1);
  open();
  await world.settle();
  expect(new Set(await Promise.all(read))).toEqual(new Set([1]));
  expect(listeners(signal)).toBe(0);
});
