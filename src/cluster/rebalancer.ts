import type { NodeId } from '../actor/address.ts';
import type { Clock } from '../ports/clock.ts';
import type { Logger } from '../ports/logger.ts';
import type { Random } from '../ports/random.ts';
import { balance, type Movable, type NodeLoad, skew } from './balance.ts';
import type { ClusterTimes } from './config.ts';
import type { HandOff } from './hand-off.ts';
import { inParallel } from './in-parallel.ts';
import type { Ledger } from './ledger.ts';
import type { LocalAgents } from './local-agents.ts';
import type { Member } from './member.ts';
import type { MoveCause } from './move.ts';
import type { AgentRecord } from './place.ts';
import { eligible, rendezvous } from './placement.ts';

export interface Rebalanced {
  readonly moved: number;
  /** The fullest node's load over its fair share, as this node saw it. */
  readonly skewBefore: number;
  readonly skewAfter: number;
}

export interface Rebalancer {
  /** An agent begins to run here, for that reason. */
  arrived(key: string, cause: MoveCause): void;
  stop(): void;
}

/** Hand-offs of one node under way at once: rebalancing is never urgent. */
const WIDTH = 8;
/** An agent that came here to even things out does not go on for the same reason before this: several rounds, of everybody. */
const REST_MS = 10_000;

/**
 * Gives this node's surplus to those who carry less (C10). What it sees are hints: beats say what each node carries, and a wrong
 * one costs a needless move at worst. It waits until the membership has rested for a whole round.
 */
export function rebalancer(options: {
  readonly self: { readonly node: NodeId };
  readonly locals: LocalAgents;
  readonly ledger: Ledger;
  readonly members: { all(): readonly Member[]; carries(node: NodeId): number };
  readonly handOff: HandOff;
  readonly keepsState: (type: string) => boolean;
  /** May give agents: up, holding its lease, not cordoned, not leaving. */
  readonly takesPart: () => boolean;
  readonly onRebalanced: (done: Rebalanced) => void;
  readonly clock: Clock;
  readonly random: Random;
  readonly times: ClusterTimes;
  readonly log: Logger;
}): Rebalancer {
  const { self, locals, ledger, clock, random, times } = options;
  const rested = new Map<string, number>();
  let stopped = false;
  let seen = '';

  const party = (): readonly Member[] =>
    options.members.all().filter(
      (member) =>
        member.state === 'up' &&
        !member.cordoned &&
        !member.suspended &&
        !member.suspect &&
        // Who is full takes nothing, and gives all the more.
        (member.admits || member.node === self.node) &&
        member.capacity > 0,
    );
  const loads = (members: readonly Member[]): readonly NodeLoad[] =>
    members.map(({ node, capacity }) => ({ node, capacity, load: node === self.node ? ledger.total : options.members.carries(node) }));

  const takersOf = (record: AgentRecord, members: readonly Member[]): ReadonlySet<NodeId> => {
    const { strategy, node, labels } = record.placement;
    if (!options.keepsState(record.type) || strategy === 'local' || node === self.node) return new Set();
    const wish = labels === undefined ? {} : { labels };
    const able = eligible({ type: record.type, id: record.id, version: record.version, wish }, members);
    // By rendezvous it goes where its name says, and nowhere else.
    const takers = strategy === 'rendezvous' ? rendezvous(record, able).slice(0, 1) : able;
    return new Set(takers.flatMap((member) => (member.node === self.node ? [] : [member.node])));
  };
  const movables = (members: readonly Member[]): readonly Movable[] => {
    const nowMs = clock.monotonicMs();
    for (const [key, untilMs] of rested) if (untilMs <= nowMs || locals.running(key) === undefined) rested.delete(key);
    return locals.keys().flatMap((key): Movable[] => {
      const running = locals.running(key);
      if (running === undefined || rested.has(key)) return [];
      const takers = takersOf(running.record, members);
      return takers.size === 0 ? [] : [{ key, cost: ledger.costOf(key), takers }];
    });
  };

  const round = async (): Promise<void> => {
    ledger.look(clock.monotonicMs());
    const members = options.takesPart() ? party() : [];
    const picture = members.map(({ node, incarnation }) => `${node}.${incarnation}`).join();
    const settled = picture === seen;
    seen = picture;
    if (!settled || members.length < 2) return;
    const before = loads(members);
    const transfers = balance(self.node, before, movables(members));
    if (transfers.length === 0) return;
    let moved = 0;
    await inParallel(transfers, WIDTH, async ({ key, to }) => {
      if (stopped || !options.takesPart()) return;
      if (await options.handOff.give(key, { prefer: to, why: `node ${self.node} carried more than its share`, cause: 'rebalance' }))
        moved++;
    });
    // Those who took them say so with their next beats.
    await new Promise<void>((resolve) => void clock.after(2 * times.beatMs, resolve));
    options.onRebalanced({ moved, skewBefore: skew(before), skewAfter: skew(loads(party())) });
  };
  const again = (): void => {
    if (stopped) return;
    void round()
      .catch((error) => options.log.warn({ error: String(error) }, 'a round of rebalancing failed'))
      .finally(() => {
        if (!stopped) cancel = clock.after(times.rebalanceMs * (0.75 + random.next() / 2), again);
      });
  };
  let cancel = clock.after(times.rebalanceMs * (0.5 + random.next() / 2), again);
  return {
    arrived(key, cause) {
      if (cause === 'rebalance') rested.set(key, clock.monotonicMs() + REST_MS);
    },
    stop() {
      stopped = true;
      cancel();
    },
  };
}
