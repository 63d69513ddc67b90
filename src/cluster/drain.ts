import type { NodeId } from '../actor/address.ts';
import type { Clock } from '../ports/clock.ts';
import type { HandOff } from './hand-off.ts';
import { inParallel } from './in-parallel.ts';
import type { LocalAgents } from './local-agents.ts';
import type { Member } from './member.ts';
import type { MoveCause } from './move.ts';
import type { AgentRecord } from './place.ts';
import { eligible, emptiest } from './placement.ts';

/** What became of the agents of a node that was to be emptied. */
export interface Drained {
  readonly moved: number;
  /** Still here: nobody may take them, or the time was over. */
  readonly left: number;
  /** Of those that moved: their state was in memory only, and began anew. */
  readonly lostMemory: number;
  /** One of those that nobody may take. */
  readonly blocked: AgentRecord | undefined;
}

/** Hand-offs under way at once: enough to fill the store's pipe, few enough that each pause stays short. */
const WIDTH = 32;
const AGAIN_MS = 20;

export interface Drainer {
  /** Whether at least one agent of this node could go somewhere, or there is none. */
  possible(): boolean;
  /** `leaving`: what nobody may take is given back all the same, since its node ends. */
  drain(options: {
    readonly timeoutMs: number;
    readonly cause: MoveCause;
    readonly why: string;
    readonly leaving: boolean;
  }): Promise<Drained>;
}

export function drainer(options: {
  readonly self: { readonly node: NodeId };
  readonly locals: LocalAgents;
  readonly members: { all(): readonly Member[]; load(node: NodeId): number };
  readonly handOff: HandOff;
  /** Whether a move keeps what the agent knows. */
  readonly keepsState: (type: string) => boolean;
  readonly clock: Clock;
  /** The incarnation is over. */
  readonly over: () => boolean;
}): Drainer {
  const { self, locals, members, clock } = options;
  const takers = (record: AgentRecord): readonly Member[] => {
    // A named node is a wish of the spawn, not a chain.
    const { node: _named, ...wish } = record.placement;
    const others = members.all().filter((member) => member.node !== self.node);
    return eligible({ type: record.type, id: record.id, version: record.version, wish }, others);
  };
  const running = (): readonly (readonly [string, AgentRecord])[] =>
    locals.keys().flatMap((key) => {
      const found = locals.running(key);
      return found === undefined ? [] : [[key, found.record] as const];
    });
  return {
    possible() {
      const here = running();
      return here.length === 0 || here.some(([, record]) => takers(record).length > 0);
    },
    async drain({ timeoutMs, cause, why, leaving }) {
      const untilMs = clock.monotonicMs() + timeoutMs;
      const assigned = new Map<NodeId, number>();
      const load = new Map(members.all().map(({ node }) => [node, members.load(node)]));
      const stuck = new Set<string>();
      let blocked: AgentRecord | undefined;
      let moved = 0;
      let lostMemory = 0;
      const give = async ([key, record]: readonly [string, AgentRecord]): Promise<void> => {
        if (options.over() || clock.monotonicMs() >= untilMs) return;
        const to = emptiest(record, takers(record), (node) => (load.get(node) ?? 0) + (assigned.get(node) ?? 0))?.node;
        if (to === undefined) {
          blocked ??= record;
          if (leaving) locals.release(key, { prefer: undefined, why, cause });
          else stuck.add(key);
          return;
        }
        assigned.set(to, (assigned.get(to) ?? 0) + 1);
        if (await options.handOff.give(key, { prefer: to, why, cause })) {
          moved++;
          if (!options.keepsState(record.type)) lostMemory++;
        }
      };
      while (!options.over() && clock.monotonicMs() < untilMs) {
        const keys = locals.keys();
        if (keys.length === stuck.size && keys.every((key) => stuck.has(key))) break;
        const next = running().filter(([key]) => !stuck.has(key));
        const movedBefore = moved;
        await inParallel(next, WIDTH, give);
        // The others are just being started, written or handed off: they are here in a moment, or gone.
        if (moved === movedBefore) await new Promise<void>((resolve) => void clock.after(AGAIN_MS, resolve));
      }
      return { moved, left: locals.keys().length, lostMemory, blocked };
    },
  };
}
