import type { NodeId } from '../actor/address.ts';
import type { System } from '../actor/system.ts';
import type { Clock } from '../ports/clock.ts';
import type { Logger } from '../ports/logger.ts';
import type { Random } from '../ports/random.ts';
import type { ClusterTimes } from './config.ts';
import { type Drainer, drainer } from './drain.ts';
import { type HandOff, handOff } from './hand-off.ts';
import type { AgentHost } from './hosting.ts';
import { loadLedger } from './ledger.ts';
import type { LocalAgents } from './local-agents.ts';
import type { Members } from './members.ts';
import type { AgentRecord } from './place.ts';
import { rebalancer } from './rebalancer.ts';
import { agentKey } from './subject.ts';

/** Everything that makes agents move on purpose: hand-offs, and the two that ask for them. */
export interface Moving {
  readonly drains: Drainer;
  /** What the agents of this node cost: its beats say it. */
  readonly load: number;
  /** What the copy shows. */
  readonly changed: HandOff['changed'];
  /** An agent begins to run here. */
  arrived(record: AgentRecord, epoch: number): void;
  stop(): void;
}

export function moving(options: {
  readonly self: { readonly node: NodeId; readonly incarnation: number };
  readonly system: System;
  readonly locals: LocalAgents;
  readonly members: Members;
  readonly host: AgentHost;
  /** Up, holding its lease, neither cordoned nor leaving. */
  readonly takesPart: () => boolean;
  /** The incarnation is over. */
  readonly over: () => boolean;
  readonly clock: Clock;
  readonly random: Random;
  readonly times: ClusterTimes;
  readonly log: Logger;
}): Moving {
  const { self, system, locals, members, clock, log } = options;
  const { keepsState } = options.host;
  const hand = handOff({ self, locals, clock });
  const ledger = loadLedger(locals);
  const evening = rebalancer({
    ...options,
    ledger,
    keepsState,
    handOff: hand,
    onRebalanced: (done) => {
      log.info({ node: self.node, ...done }, 'gave agents to nodes that carry less');
      system.events.publish({ event: 'rebalanced', node: self.node, ...done });
    },
  });
  return {
    drains: drainer({ self, locals, members, handOff: hand, keepsState, clock, over: options.over }),
    get load() {
      return ledger.total;
    },
    changed: hand.changed,
    arrived({ type, id, cause, why, moves }, epoch) {
      evening.arrived(agentKey(type, id), cause);
      const from = moves.at(-2);
      if (from === undefined || cause === 'spawn') return;
      system.events.publish({ event: 'moved', address: { kind: 'agent', type, id }, from: from.node, to: self.node, epoch, cause, why });
    },
    stop: evening.stop,
  };
}
