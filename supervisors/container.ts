import 'reflect-metadata';
import { container, type InjectionToken, instanceCachingFactory } from 'tsyringe';
import type { ProcessRunner } from '../actors/index.ts';
import type { Engine } from '../src/actor/engine.ts';
import type { RuntimeEvent } from '../src/actor/events.ts';
import { silentLogger } from '../src/actor/safe-logger.ts';
import { createCodec, type MessageCodec } from '../src/cluster/codec.ts';
import { nactEngine } from '../src/engine/nact/engine.ts';
import type { Clock } from '../src/ports/clock.ts';
import type { Logger } from '../src/ports/logger.ts';
import type { Random } from '../src/ports/random.ts';
import { systemClock } from '../src/system-clock.ts';
import { systemRandom } from '../src/system-random.ts';
import { type Broker, memoryBroker, natsBroker } from './broker.ts';
import { plainEnvironment } from './config.ts';
import type { ProcessConfig } from './config-schema.ts';
import { processRunner } from './process-runner.ts';

/** What a node is made of. Whoever asked for it ends it: the broker by `close`, the engine by `stop`. */
export interface Services {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** Of records: refs in messages need the codec of the member. */
  readonly codec: MessageCodec;
  readonly broker: Broker;
  readonly engine: Engine;
  readonly processes: ProcessRunner;
}
export interface ContainerOptions {
  /** What the servers show of this node's connections. */
  readonly name: string;
  /** Server URLs, or `memory`. */
  readonly nats: 'memory' | readonly string[];
  readonly clock?: Clock | undefined;
  readonly random?: Random | undefined;
  readonly log?: Logger | undefined;
  /** One that is shared, or of a test. */
  readonly broker?: Broker | undefined;
  /** What process agents may run (default: nothing), and where what happens to it is told. */
  readonly processes?: Readonly<Record<string, ProcessConfig>>;
  readonly publish?: (event: RuntimeEvent) => void;
}

const CLOCK: InjectionToken<Clock> = Symbol('clock');
const RANDOM: InjectionToken<Random> = Symbol('random');
const LOG: InjectionToken<Logger> = Symbol('log');
const CODEC: InjectionToken<MessageCodec> = Symbol('codec');
const BROKER: InjectionToken<Promise<Broker>> = Symbol('broker');
const ENGINE: InjectionToken<Engine> = Symbol('engine');
const PROCESSES: InjectionToken<ProcessRunner> = Symbol('processes');

/**
 * The composition root: makes the services of one node, each once. A container of its own per node, so that several nodes live in
 * one process and share nothing. @throws NexaError `disconnected`, `denied`.
 */
export async function nodeContainer(options: ContainerOptions): Promise<Services> {
  const node = container.createChildContainer();
  const make = <T>(token: InjectionToken<T>, factory: () => T): void =>
    void node.register(token, { useFactory: instanceCachingFactory(factory) });
  make(CLOCK, () => options.clock ?? systemClock);
  make(RANDOM, () => options.random ?? systemRandom);
  make(LOG, () => options.log ?? silentLogger);
  make(CODEC, () => createCodec());
  make(BROKER, async () => {
    const { name, nats } = options;
    const parts = { name, clock: node.resolve(CLOCK), random: node.resolve(RANDOM), log: node.resolve(LOG) };
    return options.broker ?? (nats === 'memory' ? memoryBroker(parts) : natsBroker(nats, parts));
  });
  make(ENGINE, () => {
    const log = node.resolve(LOG);
    return nactEngine({ onError: (error) => log.error({ error: String(error) }, 'a turn of the runtime itself failed') });
  });
  make(PROCESSES, () =>
    processRunner({
      processes: options.processes ?? {},
      environment: plainEnvironment(),
      clock: node.resolve(CLOCK),
      publish: options.publish ?? (() => undefined),
    }),
  );
  const broker = await node.resolve(BROKER);
  return {
    clock: node.resolve(CLOCK),
    random: node.resolve(RANDOM),
    log: node.resolve(LOG),
    codec: node.resolve(CODEC),
    broker,
    engine: node.resolve(ENGINE),
    processes: node.resolve(PROCESSES),
  };
}
