import { formatAddress } from '../../src/actor/address.ts';
import { receive } from '../../src/actor/behavior.ts';
import type { ActorRef, AnyRef } from '../../src/actor/ref.ts';
import type { Terminated } from '../../src/actor/signal.ts';
import type { System } from '../../src/actor/system.ts';
import { NexaError } from '../../src/errors.ts';
import { milliseconds } from './given.ts';
import type { Pump } from './pump.ts';
import type { SimWorld } from './world.ts';

/** An actor of the test itself: others tell it things, and the test says what it expects. */
export interface Probe<M> {
  readonly ref: ActorRef<M>;
  /**
   * The next message, or the next that fits; the others stay for later. Virtual time is advanced up to `withinMs` (default 3,000).
   * @throws NexaError `ask-timeout`, naming what came instead.
   */
  expect(matches?: (message: M) => boolean, withinMs?: number): Promise<M>;
  /** Lets so much virtual time pass. @throws NexaError `conflict` if a message or the end of a watched one came, or had come unexpected. */
  expectNothing(forMs: number): Promise<void>;
  /** Watches it if that was not done yet. @throws NexaError `ask-timeout`. */
  expectTerminated(target: AnyRef, withinMs?: number): Promise<Terminated>;
  watch(target: AnyRef): void;
}

const WITHIN_MS = 3_000;
/** What of a message a failure shows. */
const SHOWN = 200;

class Watch {
  readonly target: AnyRef;
  constructor(target: AnyRef) {
    this.target = target;
  }
}
type Arrived<M> = { readonly message: M } | { readonly terminated: Terminated };

export function startProbe<M>(options: {
  readonly system: System;
  readonly world: SimWorld;
  readonly pump: Pump;
  readonly name: string | undefined;
}): Probe<M> {
  const { system, world, pump, name } = options;
  const arrived: Arrived<M>[] = [];
  const watched = new Set<string>();
  const ref = system.spawn<M | Watch>(
    {
      behavior: () =>
        receive(
          (context, message) => {
            if (message instanceof Watch) context.watch(message.target);
            else arrived.push({ message });
          },
          (_context, signal) => {
            if (signal.signal === 'terminated') arrived.push({ terminated: signal });
          },
        ),
    },
    name,
  );
  const watch = (target: AnyRef): void => {
    const text = formatAddress(target.address);
    if (watched.has(text)) return;
    watched.add(text);
    ref.tell(new Watch(target));
  };
  const taken = <T>(find: (each: Arrived<M>) => T | undefined): T | undefined => {
    for (const [index, each] of arrived.entries()) {
      const found = find(each);
      if (found === undefined) continue;
      arrived.splice(index, 1);
      return found;
    }
    return undefined;
  };
  const next = <T>(what: string, withinMs: number, find: (each: Arrived<M>) => { readonly found: T } | undefined): Promise<T> =>
    pump.move(async () => {
      milliseconds('withinMs', withinMs);
      let hit: { readonly found: T } | undefined;
      const missing = (): boolean => {
        hit ??= taken(find);
        return hit === undefined;
      };
      await world.runWhile(missing, withinMs);
      if (hit !== undefined) return hit.found;
      throw new NexaError('ask-timeout', `${what} within ${withinMs} virtual ms; there is ${shown(arrived)}; ${pump.replay}`, {
        where: { probe: formatAddress(ref.address) },
      });
    });

  return {
    ref: ref as ActorRef<M>,
    watch,
    expect: (matches = () => true, withinMs = WITHIN_MS) =>
      next('no message came that was expected', withinMs, (each) =>
        'message' in each && matches(each.message) ? { found: each.message } : undefined,
      ),
    expectTerminated(target, withinMs = WITHIN_MS) {
      const text = formatAddress(target.address);
      watch(target);
      return next(`${text} did not end`, withinMs, (each) =>
        'terminated' in each && formatAddress(each.terminated.ref.address) === text ? { found: each.terminated } : undefined,
      ).then((terminated) => {
        watched.delete(text);
        return terminated;
      });
    },
    expectNothing: (forMs) =>
      pump.move(async () => {
        await world.runWhile(() => arrived.length === 0, milliseconds('forMs', forMs));
        if (arrived.length > 0)
          throw new NexaError('conflict', `nothing was expected, and there is ${shown(arrived)}; ${pump.replay}`, {
            where: { probe: formatAddress(ref.address) },
          });
      }),
  };
}

function shown(arrived: readonly Arrived<unknown>[]): string {
  if (arrived.length === 0) return 'nothing';
  const texts = arrived.map((each) => {
    if ('terminated' in each) return `the end of ${formatAddress(each.terminated.ref.address)} (${each.terminated.reason})`;
    try {
      return JSON.stringify(each.message) ?? String(each.message);
    } catch {
      return 'a message that has no JSON';
    }
  });
  return texts
    .map((text) => text.slice(0, SHOWN))
    .slice(0, 5)
    .join(', ');
}
