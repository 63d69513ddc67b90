import type { StoreName } from '../src/cluster/subject.ts';
import type { Place } from './act.ts';

/** Whom a fault meets: a kind of place, drawn from the seed when it happens, or one by name. */
export type Target = 'node' | 'server' | 'store-leader' | 'store-follower' | Place;
/** How many of them at once. `majority` and `minority` are strict. */
export type Many = 'one' | 'minority' | 'majority' | 'all';

/**
 * Something that goes wrong, as a plan says it. Faults happen one after the other; one with `forMs` (milliseconds) ends by itself after
 * so long, and only then the next begins. Without it, what was killed is started again by whoever supervises it, or by `heal`.
 * F1 … F30 are the numbers of docs/drills.md.
 */
export type Fault =
  /** F1, F2. `silent`: nobody sees it die, as when a machine is lost. */
  | {
      readonly fault: 'kill';
      readonly target: Target;
      readonly many?: Many;
      readonly silent?: boolean;
      readonly forMs?: number;
    }
  /** F3, F4: SIGSTOP. */
  | { readonly fault: 'pause'; readonly target: Target; readonly many?: Many; readonly forMs?: number }
  /** F23: SIGTERM and a new start; `rolling` one after the other, each when the one before is up again. */
  | { readonly fault: 'restart'; readonly target: Target; readonly many?: Many; readonly rolling?: boolean; readonly forMs?: number }
  /**
   * F5 … F8. Of nodes: `minority` and `halves` cut them, and their ways to the servers, in two; `isolate` one from everything; `one-way` what one
   * node sends; `partial` two nodes from each other; `ring`: each reaches its neighbours; `bridge`: two halves meet in one node. Of servers:
   * `servers` cuts one from its peers while its clients reach it; `stranded` one server and one node together from the rest.
   */
  | {
      readonly fault: 'partition';
      readonly shape: 'halves' | 'minority' | 'isolate' | 'one-way' | 'partial' | 'ring' | 'bridge' | 'servers' | 'stranded';
      readonly forMs: number;
    }
  /** F9, F10, F11: of the ways between nodes and servers. */
  | { readonly fault: 'loss'; readonly percent: number; readonly target?: Target; readonly forMs: number }
  | { readonly fault: 'delay'; readonly delayMs: number; readonly jitterMs?: number; readonly target?: Target; readonly forMs: number }
  | { readonly fault: 'slice'; readonly bytes: number; readonly target?: Target; readonly forMs: number }
  | { readonly fault: 'reset'; readonly target?: Target }
  | { readonly fault: 'half-open' | 'link-down'; readonly target: Target; readonly forMs: number }
  /** F12: a subscriber that does not read, and an agent that is slower than what it is told. */
  | { readonly fault: 'slow-consumer'; readonly forMs: number }
  /** F13. */
  | { readonly fault: 'clock-jump'; readonly target?: Target; readonly byMs: number }
  | { readonly fault: 'clock-rate'; readonly target?: Target; readonly rate: number; readonly forMs: number }
  /** F15 … F19. */
  | { readonly fault: 'disk-full'; readonly target: Target; readonly many?: Many; readonly forMs: number }
  | { readonly fault: 'no-descriptors' | 'block-loop'; readonly target?: Target; readonly forMs: number }
  | { readonly fault: 'out-of-memory'; readonly target?: Target; readonly forMs: number }
  | { readonly fault: 'starve'; readonly percent: number; readonly target?: Target; readonly forMs: number }
  /** F20, F21: garbage on every public and internal subject; frames of nodes again, later and in another order. */
  | { readonly fault: 'garbage'; readonly count: number }
  | { readonly fault: 'duplicates'; readonly forMs: number }
  /** F22: what a node asks of the servers is done, and no answer comes back. */
  | { readonly fault: 'lost-answers'; readonly target?: Target; readonly forMs: number }
  /** F24: a node is killed and started again and again; so many new nodes join at once, and leave. */
  | { readonly fault: 'flap'; readonly target?: Target; readonly times: number; readonly everyMs: number }
  | { readonly fault: 'join-storm'; readonly count: number; readonly forMs: number }
  /** F25: a durable message that ends its handler each time, and an agent that crashes at every message. */
  | { readonly fault: 'poison' }
  /** F26: reported, not judged: a quorum does not tolerate amnesia. */
  | { readonly fault: 'roll-back'; readonly target: Target }
  /** F28: of one of the cluster's stores. */
  | { readonly fault: 'delete-stream' | 'change-stream'; readonly stream: StoreName }
  /** F29. */
  | { readonly fault: 'revoke'; readonly target?: Target; readonly forMs: number }
  /** F30: all at once; ends when the last of them does. */
  | { readonly fault: 'together'; readonly faults: readonly Fault[] }
  /** Nothing, for so long. */
  | { readonly fault: 'wait'; readonly forMs: number }
  /** Everything is mended and started again, and the cluster gets the time to recover. */
  | { readonly fault: 'heal' };

export type FaultName = Fault['fault'];
