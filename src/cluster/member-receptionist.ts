import type { ClusterOptions } from './cluster-contract.ts';
import type { Members } from './members.ts';
import { rendezvous } from './placement.ts';
import type { Places } from './places.ts';
import { type NodeReceptionist, receptionistOver } from './receptionist.ts';
import { agentKey } from './subject.ts';

/** The receptionist of a member: what it knows of the life of others comes from the records of members and agents. */
export function memberReceptionist(
  options: Pick<ClusterOptions, 'self' | 'subjects' | 'control' | 'system' | 'codec' | 'clock' | 'times' | 'log'> & {
    readonly members: Members;
    readonly places: Places;
    /** Up, and holding its lease. */
    readonly runs: () => boolean;
    /** When the last renewal succeeded. */
    readonly renewedAtMs: () => number;
  },
): NodeReceptionist {
  const { self, subjects, control, system, codec, clock, times, log, members, places } = options;
  const receptionist = receptionistOver({
    ...{ kv: control.stores.kv(subjects.store('SERVICES')), system, codec, times, log },
    ended: (address) =>
      address.kind === 'incarnation'
        ? members.isGone(address.node, address.nodeIncarnation)
        : places.get(agentKey(address.type, address.id))?.value.desired !== 'running',
    lookUp: async (address) => {
      if (address.kind === 'agent') await places.refresh(agentKey(address.type, address.id));
    },
    rank: (at) => {
      if (!options.runs()) return undefined;
      const able = members.all().filter((member) => member.state === 'up' && !member.suspect);
      const rank = rendezvous({ type: 'service', id: at }, able).findIndex((member) => member.node === self.node);
      return rank < 0 ? undefined : rank;
    },
    // As a judge does: time counts in which one's own renewals succeed, so that an outage of the store is nobody's silence.
    attentive: () => options.runs() && clock.monotonicMs() - options.renewedAtMs() < 1.5 * times.renewMs,
  });
  system.services = receptionist;
  return receptionist;
}
