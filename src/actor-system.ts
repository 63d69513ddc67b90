import { silentLogger } from './actor/safe-logger.ts';
import { type ActorSystem, createSystem, type System } from './actor/system.ts';
import { topicAddress } from './actor/system-topic.ts';
import type { TopicBus } from './actor/topic.ts';
import { createCodec } from './cluster/codec.ts';
import { subjects } from './cluster/subject.ts';
import { topicsOver } from './cluster/topics.ts';
import { nactEngine } from './engine/nact/engine.ts';
import { localReceptionist } from './local-receptionist.ts';
import { memoryNetwork } from './memory/network.ts';
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
  const system = createSystem({ engine, clock, random, log, ...(name === undefined ? {} : { node: name }) });
  system.topics = localTopics(system);
  system.services = localReceptionist(system);
  return system;
}

/** Topics over a broker in this process: what a subscriber gets is as it would be in a cluster, a copy and never the publisher's object. */
function localTopics(system: System): TopicBus {
  const { transport } = memoryNetwork({
    clock: system.clock,
    random: system.random,
    log: system.log,
    defer: (run) => void setImmediate(run),
  }).connect(system.node);
  return topicsOver({
    transport,
    subjects: subjects('local'),
    codec: createCodec({ refOf: (address) => system.unsafeRef(address) }),
    log: system.log,
    onDeadLetter: (topic, letter, reason, error) => system.deadLetter({ ...letter, to: topicAddress(system, topic) }, reason, error),
  });
}
