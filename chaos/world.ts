import type { Client } from '../src/client.ts';
import type { Clock } from '../src/ports/clock.ts';
import type { Stores } from '../src/ports/stores.ts';
import type { Transport } from '../src/ports/transport.ts';
import type { Act, ActName, Place } from './act.ts';
import type { Tier } from './plan.ts';

/** A cluster to do things to: real servers and processes, or all of it in this thread under virtual time. Nothing of it outlives `close`. */
export interface World {
  readonly kind: 'simulation' | 'processes';
  /** Undefined in a simulation. */
  readonly tier: Tier | undefined;
  /** Its name; a fresh one for each run. */
  readonly cluster: string;
  /** n1 …, and those that a drill added. */
  readonly nodes: readonly Place[];
  /** s1 …; none in a simulation. */
  readonly servers: readonly Place[];
  /** Where a program outside dials its servers, each `nats://…`; none in a simulation. */
  readonly urls: readonly string[];
  /** The only clock that a drill knows; virtual or the process's own. */
  readonly clock: Clock;
  /** Of what takes part: `node`, `nexa`, `nats-server`, `kernel`. */
  readonly versions: Readonly<Record<string, string>>;

  /** Runs a drill to its end: under virtual time somebody has to move the time. Everything below is called from inside it. */
  run<T>(drill: () => Promise<T>): Promise<T>;
  /** Why such an act cannot be done here; undefined: it can. */
  cannot(act: ActName): string | undefined;
  /** @throws NexaError `unavailable` when it cannot be done here, `invalid-message` for a place that is none. */
  act(act: Act): Promise<void>;
  /** The server that leads the streams of the cluster's records; undefined when nobody knows, and in a simulation. */
  leader(): Promise<Place | undefined>;
  /**
   * A connection of a program outside, at the place `client`: to the server of that number first (0 …), to others when that is gone.
   * @throws NexaError `disconnected`.
   */
  link(name: string, at?: number): Promise<Link>;
  /** What has ended so far, and when on this world's clock. */
  readonly exits: readonly Exit[];
  /** Ends everything; what was left behind all the same: processes, ports, files. Idempotent. */
  close(): Promise<readonly string[]>;
}

export interface Link {
  readonly transport: Transport;
  readonly stores: Stores;
  /** Over the same connection; not listed by the cluster. */
  readonly client: Client;
  close(): Promise<void>;
}

/** A process of a node or a server that ended. */
export interface Exit {
  readonly place: Place;
  /** Of what supervises the node's process, not of that. */
  readonly launcher?: true;
  readonly atMs: number;
  readonly code: number | null;
  readonly signal: string | null;
}

/** What both worlds are opened with. */
export interface WorldOptions {
  readonly seed: number;
  readonly nodes: number;
  readonly servers: number;
  /** A folder for what processes logged, copied there when the world is closed. Default: it is not kept. */
  readonly logs?: string;
  /** What is being done, for whoever waits. */
  readonly onProgress?: (line: string) => void;
  /** Gives up. */
  readonly signal?: AbortSignal;
}
