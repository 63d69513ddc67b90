import type { Clock } from '../../../../../src/ports/clock.ts';
import type { Act, Place } from '../../../../act.ts';
import type { Own } from '../../owner.ts';

/** What is done to machines: neither to processes nor to the ways between them. */
export type LimitAct = Extract<
  Act,
  {
    readonly act:
      | 'wall-jump'
      | 'clock-rate'
      | 'fill-disk'
      | 'free-disk'
      | 'descriptors'
      | 'memory'
      | 'cpu'
      | 'copy-store'
      | 'roll-back'
      | 'revoke'
      | 'grant'
      | 'heal';
  }
>;

/** The machines of a stage, as limits meet them. */
export interface Machines {
  /** Of the run; gone with it. A limit keeps its own files in a folder of its own name below it. */
  readonly folder: string;
  readonly clock: Clock;
  /** Whether the drill may ask for it: what costs something, or changes how programs are started, is prepared only then. */
  wants(act: LimitAct['act']): boolean;
  /** The stage has a mount namespace of its own: what is mounted here ends with it. */
  readonly ownMounts: boolean;
  /** The node's own process, or the server: as of now, if it runs. */
  pid(place: Place): number | undefined;
  /** Whether an act has stopped what runs there: then nothing else wakes it up. */
  isPaused(place: Place): boolean;
  /** Where a server's files are: `store` and `server.conf` below it. */
  serverFolder(server: Place): string;
  /** For what a limit makes, and servers and nodes are to change. */
  readonly own: Own;
  kill(server: Place): Promise<void>;
  /** Its configuration is written anew for it: `settings` are asked for again. */
  start(server: Place): Promise<void>;
  /** As it runs: `settings` are asked for again, written and told to it (SIGHUP). Nothing for one that does not run. */
  reload(server: Place): Promise<void>;
  /** Whether its monitor says that it is well; one that does not run or does not answer within 2 s is not. */
  isHealthy(server: Place): Promise<boolean>;
}

export type ActOf<Name extends LimitAct['act']> = Extract<LimitAct, { readonly act: Name }>;

/** One kind of limit, over all machines of a stage. It lives in the stage's process and ends with it. */
export interface Limit {
  readonly acts: readonly LimitAct['act'][];
  /** Why it cannot be done here; undefined: it can. */
  cannot(): string | undefined;
  /** For the next start of a node: launcher and process. */
  environment?(node: Place): Readonly<Record<string, string>>;
  /** Goes before the command line of a node, at its place and as its user. */
  under?(node: Place): readonly string[];
  /** For the next start of a server: in its own words, at the top of its configuration. */
  settings?(server: Place): Readonly<Record<string, unknown>>;
  /** Before `user:password@` in the URLs of a node. */
  credentials?(node: Place): { readonly user: string; readonly password: string } | undefined;
  /** Before the first start of a server: its folder is there and empty. */
  prepare?(server: Place): Promise<void>;
  /** A process of a node, or a server, was started: what holds for its place now holds for it. */
  started?(place: Place, pid: number): void;
  /** One of `acts`, or `heal`: idempotent. */
  apply(act: LimitAct): Promise<void>;
  /** All processes have ended. */
  close?(): Promise<void>;
}
