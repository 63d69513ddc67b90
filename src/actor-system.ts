import { silentLogger } from './actor/safe-logger.ts';
import { type ActorSystem, createSystem } from './actor/system.ts';
import { nactEngine } from './engine/nact/engine.ts';
import type { Clock } from './ports/clock.ts';
import type { Logger } from './ports/logger.ts';
import type { Random } from './ports/random.ts';
import { systemClock } from './system-clock.ts';
import { systemRandom } from './system-random.ts';

/** Actors in this process, without a cluster. Nothing is logged unless a log is given. */
export function actorSystem(
  options: { readonly name?: string; readonly clock?: Clock; readonly random?: Random; readonly log?: Logger } = {},
): ActorSystem {
  const { name, clock = systemClock, random = systemRandom, log = silentLogger } = options;
  const engine = nactEngine({ onError: (error) => log.error({ error }, 'a turn of the runtime itself failed') });
  return createSystem({ engine, clock, random, log, ...(name === undefined ? {} : { node: name }) });
}
