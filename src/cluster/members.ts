import type { NodeId } from '../actor/address.ts';
import type { ClusterTimes } from './config.ts';
import type { Copy } from './copy.ts';
import { type Member, type MemberRecord, provesGone } from './member.ts';

/** What a node says of itself every beat. Hints: they stop routing and placing, they never move an agent. */
export interface Beat {
  readonly node: NodeId;
  readonly incarnation: number;
  readonly suspended: boolean;
  /** Whether it takes new agents. */
  readonly admits: boolean;
  readonly agents: number;
  /** Event loop lag, 99th percentile since the last beat. */
  readonly lagMs: number;
  readonly pid: number;
  /** What its agents cost (ledger.ts): at least one each. */
  readonly load: number;
}

/** Beats missed until a member counts as suspect. */
const MISSED = 4;
/** Incarnations remembered as gone after their record moved on. */
const BURNT = 10_000;

/** Everybody in the cluster as this node sees it now: the watched copy of the records, and the last beat of each. */
export interface Members {
  all(): readonly Member[];
  find(node: NodeId): Member | undefined;
  beatOf(node: NodeId): Beat | undefined;
  /** Only a record that was read proves it; it stays proven. */
  isGone(node: NodeId, incarnation: number): boolean;
  heard(beat: Beat): void;
  /** Agents per node for placing: the beat's count plus what was placed there since. */
  load(node: NodeId): number;
  placed(node: NodeId): void;
  /** As {@link load}, by what the agents cost. */
  carries(node: NodeId): number;
}

export function membersOf(options: {
  readonly copy: () => Copy<MemberRecord>;
  readonly times: ClusterTimes;
  readonly nowMs: () => number;
  readonly self: NodeId;
  /** Of this node itself: known, not heard. */
  readonly admits: () => boolean;
  readonly suspended: () => boolean;
}): Members {
  const beats = new Map<NodeId, { beat: Beat; atMs: number; placed: number }>();
  const burnt = new Map<NodeId, number>();
  const memberOf = (node: NodeId, record: MemberRecord): Member => {
    const heard = beats.get(node);
    const beat = heard?.beat.incarnation === record.incarnation ? heard : undefined;
    const silent = beat === undefined ? record.state === 'up' : options.nowMs() - beat.atMs > MISSED * options.times.beatMs;
    // Field by field, since every node makes one of every member each beat: a spread takes five times as long.
    return {
      incarnation: record.incarnation,
      state: record.state,
      cordoned: record.cordoned,
      labels: record.labels,
      capacity: record.capacity,
      version: record.version,
      wireVersions: record.wireVersions,
      types: record.types,
      node,
      suspect: node !== options.self && silent,
      suspended: node === options.self ? options.suspended() : (beat?.beat.suspended ?? false),
      admits: node === options.self ? options.admits() : (beat?.beat.admits ?? false),
    };
  };
  return {
    all: () => [...options.copy().entries()].map(({ key, value }) => memberOf(key, value)),
    find(node) {
      const entry = options.copy().get(node);
      return entry === undefined ? undefined : memberOf(node, entry.value);
    },
    beatOf: (node) => beats.get(node)?.beat,
    isGone(node, incarnation) {
      const entry = options.copy().get(node);
      if (entry !== undefined && provesGone(entry.value, incarnation)) {
        const until = entry.value.state === 'gone' ? entry.value.incarnation : entry.value.incarnation - 1;
        if ((burnt.get(node) ?? 0) < until) {
          burnt.delete(node);
          burnt.set(node, until);
          const oldest = burnt.keys().next();
          if (burnt.size > BURNT && oldest.done !== true) burnt.delete(oldest.value);
        }
        return true;
      }
      return (burnt.get(node) ?? 0) >= incarnation;
    },
    heard(beat) {
      // Only of incarnations that a record knows: the table is bounded by the membership, and nobody is talked over by a made-up one.
      if (options.copy().get(beat.node)?.value.incarnation !== beat.incarnation) return;
      beats.set(beat.node, { beat, atMs: options.nowMs(), placed: 0 });
    },
    load(node) {
      const heard = beats.get(node);
      return heard === undefined ? 0 : heard.beat.agents + heard.placed;
    },
    carries(node) {
      const heard = beats.get(node);
      return heard === undefined ? 0 : heard.beat.load + heard.placed;
    },
    placed(node) {
      const heard = beats.get(node);
      if (heard !== undefined) heard.placed++;
    },
  };
}
