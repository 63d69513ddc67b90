import { clockCheck } from '../src/clock-check.ts';
import { memoryNetwork } from '../src/memory/network.ts';
import { connectNats, type NatsLink } from '../src/nats/connection.ts';
import { loginOf } from '../src/nats/login.ts';
import type { Check } from '../src/ports/check.ts';
import type { Clock } from '../src/ports/clock.ts';
import type { Logger } from '../src/ports/logger.ts';
import type { Random } from '../src/ports/random.ts';
import type { Stores } from '../src/ports/stores.ts';
import type { Traffic, Transport } from '../src/ports/transport.ts';
import { natsChecks } from './broker-checks.ts';

/** What the checks of a start need to know besides the servers. */
export interface CheckedStore {
  /** In force: known once the check `formation` is through. */
  readonly replicas: () => number;
  /** One that is there then. */
  readonly bucket: string;
  /** Undefined: no monitor of the servers is known. */
  readonly durability: { readonly wanted: 'quorum' | 'fsync'; readonly seen: 'quorum' | 'fsync' | 'unverified' } | undefined;
}

/** What a node stands on: two ways to one broker, and what is known of its servers. */
export interface Broker {
  readonly control: { readonly transport: Transport; readonly stores: Stores };
  readonly data: { readonly transport: Transport };
  /** `memory`, or the server's version. */
  readonly server: string;
  readonly servers: readonly string[];
  /** Whether state can be kept there: what a start looks at. */
  checks(store: CheckedStore): readonly Check[];
  /** Names of stores that reads and watches of this node found missing. */
  missingStores(): readonly string[];
  /** Of both ways; in memory nothing is counted. */
  traffic(): Traffic;
  close(): Promise<void>;
}

interface BrokerOptions {
  readonly name: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

const NONE: Traffic = { messagesIn: 0, messagesOut: 0, bytesIn: 0, bytesOut: 0 };
const sum = (a: Traffic, b: Traffic): Traffic => ({
  messagesIn: a.messagesIn + b.messagesIn,
  messagesOut: a.messagesOut + b.messagesOut,
  bytesIn: a.bytesIn + b.bytesIn,
  bytesOut: a.bytesOut + b.bytesOut,
});

/** @throws NexaError `disconnected`, `denied`. */
export async function natsBroker(servers: readonly string[], options: BrokerOptions): Promise<Broker> {
  const open = (role: 'control' | 'data'): Promise<NatsLink> => connectNats({ ...options, servers, name: `${options.name} ${role}`, role });
  const opened = await Promise.allSettled([open('control'), open('data')]);
  const links = opened.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
  const [control, data] = links;
  if (control === undefined || data === undefined) {
    await Promise.all(links.map((link) => link.close()));
    throw (opened.find((each) => each.status === 'rejected') as PromiseRejectedResult).reason;
  }
  return {
    control: { transport: control.transport(), stores: control.stores() },
    data: { transport: data.transport() },
    server: control.info()?.version ?? 'unknown',
    servers: loginOf(servers).servers,
    checks: (store) => natsChecks(control, { ...options, ...store, servers }),
    missingStores: () => control.jetStream.missing(),
    traffic: () => sum(control.traffic(), data.traffic()),
    close: async () => {
      await Promise.all([data.close(), control.close()]);
    },
  };
}

/** One process, no server: what is stored is lost with it. */
export function memoryBroker({ name, clock, random, log }: BrokerOptions): Broker {
  const network = memoryNetwork({ clock, random, log, defer: (run) => void setImmediate(run) });
  return brokerIn(network, name, clock);
}

/** A further node on a network in memory. */
export function brokerIn(network: ReturnType<typeof memoryNetwork>, name: string, clock: Clock): Broker {
  const control = network.connect(name);
  const data = network.connect(name);
  return {
    control,
    data,
    server: 'memory',
    servers: [],
    checks: () => [
      {
        name: 'durability',
        required: true,
        timeoutMs: 1_000,
        run: async () => ({ verdict: 'ok', message: 'class memory: nothing survives this process' }),
      },
      clockCheck(clock),
    ],
    missingStores: () => [],
    traffic: () => NONE,
    close: async () => {
      await Promise.all([data.transport.close(), control.transport.close()]);
    },
  };
}
