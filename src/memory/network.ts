import type { Clock } from '../ports/clock.ts';
import type { Logger } from '../ports/logger.ts';
import type { Random } from '../ports/random.ts';
import type { Stores } from '../ports/stores.ts';
import type { Transport } from '../ports/transport.ts';
import { Endpoint } from './endpoint.ts';
import { type DelayRange, type FaultSettings, type NetworkFaults, NOTICED_MS, Weather } from './faults.ts';
import { batched, type Soon } from './link.ts';
import type { Log } from './log.ts';
import { memoryStores } from './stores.ts';
import { SubjectTree } from './subject-tree.ts';
import { memoryTransport, type Subscription } from './transport.ts';

export type { DelayRange, FaultSettings, LinkFaults, NetworkFaults, StoreFaults } from './faults.ts';

export interface MemoryNetworkOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** Payload and headers of one message, or one record; default 1 MiB. */
  readonly maxPayloadBytes?: number;
  /** What may wait for one endpoint before messages to it are lost, and from one before it is refused; default 64 MiB. */
  readonly pendingLimitBytes?: number;
  /** What one store may hold before it refuses; default 256 MiB. */
  readonly storeLimitBytes?: number;
  /** How a turn without delay is made; default `clock.after(0, …)`. In a process of its own `setImmediate` is faster. */
  readonly defer?: Soon;
  /** Where a listener's exception goes; without it, up to whoever runs the clock, which is what a test wants. */
  readonly log?: Logger;
  readonly faults?: FaultSettings;
}

export interface MemoryConnection {
  readonly transport: Transport;
  readonly stores: Stores;
}

/** One broker in this process: what several nodes, or one alone, share instead of a NATS cluster. Lost with the process. */
export interface MemoryNetwork {
  readonly faults: NetworkFaults;
  /** An endpoint under a name; several connections may have the same name and then share its faults. */
  connect(name: string): MemoryConnection;
}

/** What the parts of one network share. */
export interface Broker {
  readonly clock: Clock;
  readonly random: Random;
  readonly weather: Weather;
  readonly maxPayloadBytes: number;
  readonly pendingLimitBytes: number;
  readonly storeLimitBytes: number;
  readonly log: Logger | undefined;
  readonly soon: Soon;
  readonly interest: SubjectTree<Subscription>;
  readonly records: Map<string, Log>;
  /** Called when a store came into being or a way to the stores opened again. */
  readonly onStoreReady: Set<() => void>;
  happens(probability: number): boolean;
  delay(range: DelayRange): number;
  /** Runs a listener of the user: its exception harms nobody else's message. */
  guarded(run: () => void): void;
}

export function memoryNetwork(options: MemoryNetworkOptions): MemoryNetwork {
  const { clock, random } = options;
  const weather = new Weather(options.faults);
  const endpoints = new Set<Endpoint>();
  const broker: Broker = {
    clock,
    random,
    weather,
    maxPayloadBytes: options.maxPayloadBytes ?? 1_048_576,
    pendingLimitBytes: options.pendingLimitBytes ?? 67_108_864,
    storeLimitBytes: options.storeLimitBytes ?? 268_435_456,
    log: options.log,
    soon: batched(options.defer ?? ((run) => void clock.after(0, run))),
    interest: new SubjectTree(),
    records: new Map(),
    onStoreReady: new Set(),
    happens: (probability) => probability > 0 && random.next() < probability,
    delay: ([minMs, maxMs]) => (maxMs > minMs ? minMs + Math.floor(random.next() * (maxMs - minMs + 1)) : minMs),
    guarded: (run) => {
      if (options.log === undefined) return run();
      try {
        run();
      } catch (error) {
        options.log.error({ error }, 'a listener failed');
      }
    },
  };
  const named = (name: string): Endpoint[] => [...endpoints].filter((endpoint) => endpoint.name === name);
  const storeReady = (): void => {
    for (const listener of [...broker.onStoreReady]) listener();
  };
  const faults: NetworkFaults = {
    link: weather.link,
    store: weather.store,
    setLink: (from, to, own) => weather.setLink(from, to, own),
    cut: (from, to) => weather.cut(from, to),
    isolate: (name) => {
      weather.isolated.add(name);
      clock.after(NOTICED_MS, () => {
        if (weather.isolated.has(name)) for (const endpoint of named(name)) endpoint.setUp(false);
      });
    },
    cutStore: (name) => weather.cutStore(name),
    cutAnswers: (name) => weather.cutAnswers(name),
    mend: (from, to) => weather.mend(from, to),
    mendStore: (name) => {
      weather.mendStore(name);
      storeReady();
    },
    strand: (name) => void weather.stranded.add(name),
    heal: (name) => {
      weather.heal(name);
      for (const endpoint of endpoints) if (name === undefined || endpoint.name === name) endpoint.setUp(true);
      storeReady();
    },
    election: (durationMs) => {
      const nowMs = clock.monotonicMs();
      weather.electionUntilMs = Math.max(weather.electionUntilMs, nowMs + durationMs);
      clock.after(weather.electionUntilMs - nowMs, storeReady);
    },
    pause: (name) => {
      for (const endpoint of named(name)) endpoint.pause();
    },
    resume: (name) => {
      for (const endpoint of named(name)) endpoint.resume();
      broker.soon(storeReady);
    },
    crash: (name) => {
      for (const endpoint of named(name)) endpoint.end();
    },
  };
  return {
    faults,
    connect: (name) => {
      const endpoint = new Endpoint(broker, name);
      endpoints.add(endpoint);
      endpoint.onEnd(() => endpoints.delete(endpoint));
      const transport = memoryTransport(broker, endpoint, storeReady);
      return { transport, stores: memoryStores(broker, endpoint, { storeReady, reconnect: transport.reconnect }) };
    },
  };
}
