/**
 * A place in a drill: `n1` … a machine with one node and its launcher, `s1` … one with a nats-server, `client` where the workloads run.
 * A simulation has no servers, and one {@link STORE}.
 */
export type Place = string;

/** The place in a simulation where the records are. */
export const STORE: Place = 'store';

/**
 * One thing done to a world, with everything decided: names, strengths, directions. Plain data, so that it travels to the process that
 * does it and stands in the report as it was done. Each is idempotent: to kill what is dead, or to mend what is whole, is nothing.
 */
export type Act =
  /** SIGKILL of the node's process; its launcher sees it, says so, and starts the next. `silent`: the launcher dies with it, as when a machine is lost. */
  | { readonly act: 'kill-node'; readonly node: Place; readonly silent: boolean }
  /** SIGTERM of its launcher: it leaves; resolves when all of it has ended. */
  | { readonly act: 'stop-node'; readonly node: Place }
  /** Launcher and node, where neither runs; resolves when they were started, not when the node is up. A new name is a new machine. */
  | { readonly act: 'start-node'; readonly node: Place }
  /** SIGSTOP and SIGCONT of the node's process; with `launcher`, of both. */
  | { readonly act: 'pause-node'; readonly node: Place; readonly launcher: boolean }
  | { readonly act: 'resume-node'; readonly node: Place }
  | { readonly act: 'kill-server' | 'pause-server' | 'resume-server'; readonly server: Place }
  /** As an operator does it: the server is told first, and its clients go elsewhere (lame duck). Resolves when it has ended. */
  | { readonly act: 'stop-server'; readonly server: Place }
  /** On its old state; resolves when it was started, not when it has caught up. */
  | { readonly act: 'start-server'; readonly server: Place }
  /** Nothing from one reaches the other; one way. */
  | { readonly act: 'cut' | 'mend'; readonly from: Place; readonly to: Place }
  /** The cable of a place is pulled out, and put in again. */
  | { readonly act: 'link-down' | 'link-up'; readonly place: Place }
  /** So many of a hundred packets from one to the other are lost; 0 ends it. */
  | { readonly act: 'loss'; readonly from: Place; readonly to: Place; readonly percent: number }
  /** What goes from one to the other takes so much longer, plus up to `jitterMs`; 0 ends it. */
  | { readonly act: 'delay'; readonly from: Place; readonly to: Place; readonly ms: number; readonly jitterMs: number }
  /** It arrives in pieces of so many bytes; 0 ends it. */
  | { readonly act: 'slice'; readonly from: Place; readonly to: Place; readonly bytes: number }
  /** Connections between the two are reset, once. */
  | { readonly act: 'reset'; readonly from: Place; readonly to: Place }
  /** New connections between the two are accepted, and then nothing is said; established ones stay silent too. */
  | { readonly act: 'half-open'; readonly from: Place; readonly to: Place; readonly on: boolean }
  | { readonly act: 'wall-jump'; readonly node: Place; readonly byMs: number }
  /** 1 ends it. Of the wall clock; in a simulation of all its clocks. */
  | { readonly act: 'clock-rate'; readonly node: Place; readonly rate: number }
  | { readonly act: 'fill-disk' | 'free-disk'; readonly server: Place }
  /** Most file descriptors of the node's process; null ends it. */
  | { readonly act: 'descriptors'; readonly node: Place; readonly most: number | null }
  /** Beyond so many bytes the kernel kills the node's process; null ends it. */
  | { readonly act: 'memory'; readonly node: Place; readonly mostBytes: number | null }
  /** Share of one core that the node's process gets; null ends it. */
  | { readonly act: 'cpu'; readonly node: Place; readonly percent: number | null }
  /** Keeps a copy of a server's store as it is, and puts that copy back: the server is killed for it and started again. */
  | { readonly act: 'copy-store' | 'roll-back'; readonly server: Place }
  /** The node's credentials are taken back, and given again. */
  | { readonly act: 'revoke' | 'grant'; readonly node: Place }
  /** The store has no leader for so long: the simulation's own, where no server can be killed. */
  | { readonly act: 'election'; readonly ms: number }
  /** The simulation's own too: the node's server is cut off from the store; leaving that server cures it. */
  | { readonly act: 'strand' | 'unstrand'; readonly node: Place }
  /** Ends every cut, delay, loss, slicing, half-open link, pause, limit and full disk. Processes that are dead stay so. */
  | { readonly act: 'heal' };

export type ActName = Act['act'];
