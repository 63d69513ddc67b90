import type { Act, Place } from '../../act.ts';
import type { Tier } from '../../plan.ts';

/** What is done to ways, not to processes. */
export type NetAct = Extract<
  Act,
  { readonly act: 'cut' | 'mend' | 'link-down' | 'link-up' | 'loss' | 'delay' | 'slice' | 'reset' | 'half-open' | 'heal' }
>;

/**
 * The ways between the places of a drill on one machine, and how they are cut: namespaces and packet filters, or a TCP proxy for each way. It
 * lives in the process that holds the stage, and whatever it makes ends with that process.
 */
export interface Net {
  readonly tier: Tier;
  /** Makes a place; idempotent. At most 30. */
  add(place: Place): Promise<void>;
  /** What a program at that place listens on. */
  hostOf(place: Place): string;
  /** What goes before the command line of a program at that place; the program then has the pid that was spawned. */
  at(place: Place): readonly string[];
  /** Where a program at `from` dials a port of `to`: `host:port`, the same for the life of the net. */
  reach(from: Place, to: Place, port: number): Promise<string>;
  /** Why it cannot be done here; undefined: it can. */
  cannot(act: NetAct['act']): string | undefined;
  act(act: NetAct): Promise<void>;
  close(): Promise<void>;
}
