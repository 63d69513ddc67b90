import nact from 'nact';
import systemMap from 'nact/lib/system-map.js';
import { describe, expect, test } from 'vitest';
import type { Engine, Handle, Turnable } from '../../src/actor/engine.ts';
import { nactEngine } from '../../src/engine/nact/engine.ts';

/** A cell that only counts: `work` messages wait. */
function cell(name: string, log: string[], work = 0, options: { readonly onTurn?: (self: { work: number }) => void } = {}) {
  const self = {
    name,
    children: new Map<string, { readonly handle: Handle }>(),
    work,
    turn(limit: number): number {
      const taken = Math.min(limit, self.work);
      self.work -= taken;
      log.push(`${name} ${taken}`);
      options.onTurn?.(self);
      if (self.work > 0) self.handle?.schedule('user');
      return taken;
    },
    accept: (message: unknown) => void log.push(`${name} accepts ${String(message)}`),
    requestStop: () => void log.push(`${name} is to stop`),
    handle: undefined as ReturnType<Engine['start']> | undefined,
  };
  return self;
}
/** Runs nothing by itself. */
function manual() {
  const soon: (() => void)[] = [];
  const later: (() => void)[] = [];
  const run = (queue: (() => void)[]) => {
    const next = queue.shift();
    next?.();
    return next !== undefined;
  };
  return {
    soon,
    later,
    hooks: { microtask: (task: () => void) => void soon.push(task), defer: (task: () => void) => void later.push(task), now: () => 0 },
    runSoon: () => run(soon),
    runLater: () => run(later),
  };
}
const start = (engine: Engine, turnable: ReturnType<typeof cell>, parent?: ReturnType<Engine['start']>) => {
  turnable.handle = engine.start(turnable as Turnable, parent);
  return turnable.handle;
};

describe('the engine', () => {
  test('gives one actor at most 64 messages back to back, and the next actor its turn', () => {
    const { hooks, runSoon } = manual();
    const engine = nactEngine({ ...hooks, sliceMs: Number.POSITIVE_INFINITY });
    const log: string[] = [];
    start(engine, cell('a', log, 150)).schedule('user');
    start(engine, cell('b', log, 10)).schedule('user');
    runSoon();
    expect(log).toEqual(['a 64', 'b 10', 'a 64', 'a 22']);
    expect(engine.idle()).toBe(true);
    engine.stop();
  });

  test('lets I/O in after its budget of messages, and does not begin as a microtask again before the loop went round', () => {
    const { hooks, runSoon, runLater, soon, later } = manual();
    const engine = nactEngine({ ...hooks, budget: 128, sliceMs: Number.POSITIVE_INFINITY });
    const log: string[] = [];
    const handle = start(engine, cell('a', log, 300));
    handle.schedule('user');
    runSoon();
    expect(log).toEqual(['a 64', 'a 64']);
    expect([soon.length, later.length]).toEqual([0, 2]);
    runLater();
    runLater();
    expect(log).toEqual(['a 64', 'a 64', 'a 64', 'a 64']);
    runLater();
    expect(engine.idle()).toBe(true);
    engine.stop();
  });

  test('lets I/O in after its slice of time', () => {
    let now = 0;
    const { hooks, runSoon } = manual();
    const engine = nactEngine({ ...hooks, now: () => (now += 3), sliceMs: 4 });
    const log: string[] = [];
    start(engine, cell('a', log, 10_000)).schedule('user');
    runSoon();
    expect(log.length).toBeLessThanOrEqual(4);
    engine.stop();
  });

  test('turns those with a system message first', () => {
    const { hooks, runSoon } = manual();
    const engine = nactEngine(hooks);
    const log: string[] = [];
    for (const name of ['a', 'b', 'c']) start(engine, cell(name, log, 1)).schedule('user');
    start(engine, cell('d', log, 1)).schedule('system');
    runSoon();
    expect(log).toEqual(['d 1', 'a 1', 'b 1', 'c 1']);
    engine.stop();
  });

  test('in immediate mode never begins before I/O', () => {
    const { hooks, soon, later } = manual();
    const engine = nactEngine({ ...hooks, mode: 'immediate' });
    start(engine, cell('a', [], 1)).schedule('user');
    expect([soon.length, later.length]).toEqual([0, 1]);
    engine.stop();
  });

  test('survives a turn that throws, and says so', () => {
    const errors: unknown[] = [];
    const { hooks, runSoon } = manual();
    const engine = nactEngine({ ...hooks, onError: (error) => errors.push(error) });
    const log: string[] = [];
    const bad = cell('bad', log, 1, {
      onTurn() {
        throw new Error('a defect');
      },
    });
    start(engine, bad).schedule('user');
    start(engine, cell('good', log, 1)).schedule('user');
    runSoon();
    expect(log).toEqual(['bad 1', 'good 1']);
    expect(errors).toEqual([new Error('a defect')]);
    engine.stop();
  });

  test('makes every cell a node of its own tree of nact, which nact can reach and which leaves nothing behind', () => {
    const known = (systemMap as unknown as { find(name: string, reference?: object): unknown }).find;
    const { hooks, runSoon } = manual();
    const engine = nactEngine(hooks);
    const log: string[] = [];
    const top = cell('parent', log);
    const parent = start(engine, top);
    const handle = start(engine, cell('child with ä=', log), parent);
    top.children.set('child with ä=', { handle });
    const child = handle as unknown as {
      readonly reference: { readonly path: { readonly parts: string[] }; readonly system: { readonly name: string } };
    };
    expect(child.reference.path.parts).toEqual(['parent', 'child$20with$20$e4$3d']);
    nact.dispatch(child.reference as never, 'hello' as never);
    nact.stop(child.reference as never);
    expect(log).toEqual(['child with ä= accepts hello', 'child with ä= is to stop']);
    (child as unknown as { remove(): void }).remove();
    nact.dispatch(child.reference as never, 'late' as never);
    expect(log).toHaveLength(2);
    (child as unknown as { schedule(lane: string): void }).schedule('user');
    runSoon();
    expect(log).toHaveLength(2);
    const { name } = child.reference.system;
    expect(known(name)).toMatchObject({ name });
    engine.stop();
    expect(known(name)).toBeUndefined();
  });
});
