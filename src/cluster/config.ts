/**
 * The cluster's times and bounds, in one place so that a reader sees how they hang together and a simulation can shorten them.
 * Sources: a JetStream election takes 4–9 s, so suspending is cheap and dying is slow; a renewal costs one CAS a second a node.
 */
export interface ClusterTimes {
  /** A lease lives this long after the send of its last successful renewal. */
  readonly ttlMs: number;
  /** What clock rates may differ by, as a share of the ttl: owners stop that much earlier, judges wait that much longer. */
  readonly margin: number;
  /** The watchdog, the looks at the clocks and at agents without a place are multiples of it. */
  readonly renewMs: number;
  /** Not renewed for this long: the incarnation is over. Never under 30 s, so that no election ends a node. */
  readonly overMs: number;
  /** Of the pulses of a channel too. */
  readonly beatMs: number;
  readonly reconcileMs: number;
  /** Rendezvous rank k claims an orphan after k × this. */
  readonly rankMs: number;
  /** A joining node claims nothing for this long. */
  readonly settleMs: number;
  /** Longest single store operation; its outcome is then unknown. */
  readonly storeMs: number;
  /** A stopped agent's record is kept this long, for repeats of its spawn id (C8). */
  readonly keepStoppedMs: number;
  /** A gone member's record is kept this long, and longer while an agent names it. */
  readonly keepGoneMs: number;
  /** A node on which an activation failed for a local reason is not asked again for this long. */
  readonly excludeMs: number;
  /** Each node looks this often whether it carries more than its share. */
  readonly rebalanceMs: number;
}

export const DEFAULT_TIMES: ClusterTimes = {
  ttlMs: 5_000,
  margin: 0.1,
  renewMs: 1_000,
  overMs: 60_000,
  beatMs: 500,
  reconcileMs: 10_000,
  rankMs: 300,
  settleMs: 1_000,
  storeMs: 1_000,
  keepStoppedMs: 3_600_000,
  keepGoneMs: 86_400_000,
  excludeMs: 30_000,
  rebalanceMs: 2_000,
};

/** Everything that a node does by itself again and again, at another pace: for clusters under virtual time that live for months. */
export const pacedTimes = (leaseMs: number, times: ClusterTimes = DEFAULT_TIMES): ClusterTimes => {
  const pace = leaseMs / times.ttlMs;
  return {
    ...times,
    ttlMs: leaseMs,
    renewMs: times.renewMs * pace,
    overMs: times.overMs * pace,
    beatMs: times.beatMs * pace,
    reconcileMs: times.reconcileMs * pace,
    rebalanceMs: times.rebalanceMs * pace,
  };
};

/** How long after a renewal was sent its sender may act. */
export const ownedForMs = (times: ClusterTimes): number => times.ttlMs * (1 - times.margin);
/** How much observed silence ends a member. */
export const silenceMs = (times: ClusterTimes): number => times.ttlMs * (1 + times.margin);
