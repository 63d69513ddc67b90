import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Overtime, type Timed } from '../../src/actor/cell/overtime.ts';
import { actor, type Kit, kit } from './kit.ts';

let world: Kit;
beforeEach(() => {
  world = kit();
});
afterEach(() => world[Symbol.asyncDispose]());

type Message = { readonly type: string };
const told = () => world.events.flatMap((event) => (event.event === 'slow-handler' ? [event] : []));
const logged = () => world.logged.filter(({ message }) => message === 'a handler takes too long').map(({ fields }) => fields);
/** An actor whose handler gets the time it is given, by whoever holds the gate. */
const spawn = (handler: () => unknown, handlerMs?: number) =>
  world.system.spawnCell<Message>(
    actor(() => handler()),
    'slow',
    handlerMs === undefined ? undefined : { handlerMs },
  );

describe('a handler that waits', () => {
  test('is told once when it passes its limit, while it runs, and again with its whole time when it is done', async () => {
    let finish = (): void => undefined;
    const cell = spawn(() => new Promise<void>((resolve) => (finish = resolve)), 200);
    cell.accept({ type: 'add' });
    await world.advance(199);
    expect(told()).toEqual([]);
    await world.advance(1);
    expect(told()).toMatchObject([{ address: cell.shown, type: 'add', tookMs: 200, heldLoopMs: 0, limitMs: 200, running: true }]);
    await world.advance(5_000);
    expect(told()).toHaveLength(1);
    finish();
    await world.settle();
    expect(told().slice(1)).toMatchObject([{ type: 'add', tookMs: 5_200, heldLoopMs: 0, running: false }]);
    expect(world.system.overtime.turnsOf(cell)).toBe(1);
  });

  test('within its limit says nothing, however many there are', async () => {
    const cell = spawn(() => new Promise<void>((resolve) => void world.clock.after(199, resolve)), 200);
    for (let count = 0; count < 10; count++) cell.accept({ type: 'add' });
    await world.advance(3_000);
    expect([told(), logged(), world.system.overtime.turnsOf(cell)]).toEqual([[], [], 0]);
  });

  test('that held the event loop for too long before is told at once', async () => {
    let finish = (): void => undefined;
    const cell = spawn(() => {
      world.clock.advance(300);
      return new Promise<void>((resolve) => (finish = resolve));
    }, 200);
    cell.accept({ type: 'add' });
    await world.settle();
    expect(told()).toMatchObject([{ tookMs: 300, heldLoopMs: 300, running: true }]);
    finish();
    await world.settle();
    expect(told()).toHaveLength(2);
  });

  test('of an actor that was given no time of its own has a second, and nobody says what held the loop', async () => {
    const cell = spawn(() => new Promise<void>((resolve) => void world.clock.after(1_500, resolve)));
    cell.accept({ type: 'add' });
    await world.advance(2_000);
    expect(told().map(({ tookMs, limitMs, running }) => [tookMs, limitMs, running])).toEqual([
      [1_000, 1_000, true],
      [1_500, 1_000, false],
    ]);
    expect(told().some((event) => 'heldLoopMs' in event)).toBe(false);
  });

  test('of such an actor is not timed when it is over at once: the clock is looked at once for many', async () => {
    const cell = spawn(async () => undefined);
    await world.settle();
    const looks = vi.spyOn(world.clock, 'monotonicMs');
    for (let count = 0; count < 100; count++) cell.accept({ type: 'add' });
    await world.settle();
    expect([cell.turns, looks.mock.calls.length]).toEqual([101, 1]);
  });

  test('of such an actor is not taken to have waited while something held the event loop before it began', () => {
    let nowMs = 0;
    const timers: (() => void)[] = [];
    const after = (_delayMs: number, run: () => void): (() => void) => {
      timers.push(run);
      return () => undefined;
    };
    const clock = { ...world.clock, monotonicMs: () => nowMs, after };
    const { log, events } = world.system;
    const overtime = new Overtime({ clock, log, events, limitMs: 1_000 });
    const turn: Timed = { shown: world.system.nobody, options: undefined, busy: true, message: { type: 'add' }, timed: undefined };
    overtime.waits(turn, undefined);
    nowMs = 5_000;
    timers.shift()?.();
    expect(told()).toEqual([]);
    nowMs = 5_995;
    timers.shift()?.();
    expect(told()).toMatchObject([{ tookMs: 1_005, running: true }]);
  });

  test('and was abandoned because its actor had to stop is not told about any more', async () => {
    const cell = spawn(() => new Promise<void>(() => undefined), 20_000);
    cell.accept({ type: 'add' });
    await world.settle();
    cell.requestStop();
    await world.advance(60_000);
    expect(told()).toEqual([]);
  });
});

describe('a handler that holds the event loop', () => {
  test('is told when it lets go of it', async () => {
    const cell = spawn(() => void world.clock.advance(250), 200);
    cell.accept({ type: 'add' });
    await world.settle();
    expect(told()).toMatchObject([{ type: 'add', tookMs: 250, heldLoopMs: 250, limitMs: 200, running: false }]);
  });

  test('and throws is told too', async () => {
    const cell = spawn(() => {
      world.clock.advance(250);
      throw new Error('on purpose');
    }, 200);
    cell.accept({ type: 'add' });
    await world.settle();
    expect(told()).toMatchObject([{ tookMs: 250, running: false }]);
  });
});

test('the log names a slow actor once a minute, and how often it was slow in between', async () => {
  const cell = spawn(() => void world.clock.advance(250), 200);
  for (let count = 0; count < 10; count++) cell.accept({ type: 'add' });
  await world.settle();
  expect([told().length, logged().length]).toEqual([10, 1]);
  expect(logged()[0]).toMatchObject({ actor: expect.stringContaining('slow'), type: 'add', tookMs: 250, limitMs: 200 });
  await world.advance(60_000);
  cell.accept({ type: 'add' });
  await world.settle();
  expect(logged().slice(1)).toMatchObject([{ unlogged: 9 }]);
});
