import { receive } from '../../src/actor/behavior.ts';
import type { Context } from '../../src/actor/context.ts';
import type { RuntimeEvent } from '../../src/actor/events.ts';
import type { Props } from '../../src/actor/props.ts';
import { createSystem, type System, type SystemOptions } from '../../src/actor/system.ts';
import { nactEngine } from '../../src/engine/nact/engine.ts';
import { type VirtualClock, virtualClock } from '../../src/memory/virtual-clock.ts';
import type { Logger } from '../../src/ports/logger.ts';
import type { Random } from '../../src/ports/random.ts';

/** A system whose time stands still until a test moves it, and which remembers what happened in it. */
export interface Kit extends AsyncDisposable {
  readonly system: System;
  readonly clock: VirtualClock;
  readonly events: RuntimeEvent[];
  readonly logged: { readonly level: string; readonly fields: object; readonly message: string }[];
  /** Lets everything happen that is due now. */
  settle(): Promise<void>;
  /** Moves time, settling after each timer. */
  advance(ms: number): Promise<void>;
  deadLetters(): readonly string[];
}

export function kit(options: Partial<SystemOptions> = {}): Kit {
  const clock = virtualClock();
  const logged: { level: string; fields: object; message: string }[] = [];
  const log: Logger = {
    debug: (fields, message) => void logged.push({ level: 'debug', fields, message }),
    info: (fields, message) => void logged.push({ level: 'info', fields, message }),
    warn: (fields, message) => void logged.push({ level: 'warn', fields, message }),
    error: (fields, message) => void logged.push({ level: 'error', fields, message }),
    child: () => log,
  };
  const engine =
    options.engine ??
    nactEngine({
      onError: (error) => {
        throw error;
      },
    });
  const system = createSystem({ clock, random: seededRandom(1), log, ...options, engine });
  const events: RuntimeEvent[] = [];
  system.events.subscribe((event) => events.push(event));
  const settle = async () => {
    for (let calm = 0; calm < 3; ) {
      await new Promise((resolve) => setImmediate(resolve));
      calm = engine.idle() ? calm + 1 : 0;
    }
  };
  return {
    system,
    clock,
    events,
    logged,
    settle,
    async advance(ms) {
      await settle();
      let left = ms;
      for (let next = clock.nextInMs; next !== undefined && next <= left; next = clock.nextInMs) {
        left -= next;
        clock.step();
        await settle();
      }
      clock.advance(left);
      await settle();
    },
    deadLetters: () => system.deadLetters.list().map((letter) => letter.reason),
    async [Symbol.asyncDispose]() {
      const stopping = system.stop().catch(() => {});
      for (let round = 0; round < 100 && system.actors > 0; round++) {
        await settle();
        clock.step();
      }
      await settle();
      clock.step();
      await stopping;
    },
  };
}

export function seededRandom(seed: number): Random {
  let state = seed;
  const next = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  let ids = 0;
  return { next, id: () => `id-${seed}-${++ids}` };
}

/** An actor that is one function. */
export const actor = <M>(handler: (context: Context<M>, message: M) => unknown, rest: Partial<Props<M>> = {}): Props<M> => ({
  ...rest,
  behavior: () => receive<M>((context, message) => handler(context, message) as undefined),
});

/** What a promise came to. */
export const outcome = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    (value) => value,
    (error: { readonly code?: string }) => error.code ?? error,
  );

export interface Gatekeeper {
  isOpen: boolean;
  readonly held: (() => void)[];
}
