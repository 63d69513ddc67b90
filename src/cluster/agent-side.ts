import type { Cancel } from '../actor/ref.ts';
import { NexaError } from '../errors.ts';
import type { Kv } from '../ports/stores.ts';
import { admission } from './admission.ts';
import type { ClusterOptions } from './cluster-contract.ts';
import type { Copy } from './copy.ts';
import { type DurableMail, durableMail } from './durable-mail.ts';
import { ENDPOINT_PATH, endpoint } from './endpoint.ts';
import { type LocalAgents, localAgents } from './local-agents.ts';
import type { MemberRecord } from './member.ts';
import type { Members } from './members.ts';
import { moving } from './moving.ts';
import { type Demand, demanded } from './on-demand.ts';
import type { Places } from './places.ts';
import { reconciler } from './reconciler.ts';
import { type Reminders, reminders } from './reminders.ts';
import type { Router } from './router.ts';
import { agentKey } from './subject.ts';
import type { Topics } from './topics.ts';

interface Surroundings extends ClusterOptions {
  readonly members: Members;
  readonly router: Router;
  readonly topics: Topics;
  readonly agentStore: Kv;
  readonly memberStore: Kv;
  readonly places: () => Places;
  readonly records: () => Copy<MemberRecord>;
  /** The lease is held at this instant. */
  readonly owns: () => boolean;
  /** It is up, and the lease is held. */
  readonly runs: () => boolean;
  /** As {@link runs}, and not cordoned. */
  readonly takesPart: () => boolean;
  /** As {@link takesPart}, and there is room. */
  readonly admits: () => boolean;
  /** The first second, in which a joining node claims nothing, is over. */
  readonly mayClaim: () => boolean;
  readonly over: () => boolean;
  readonly demand: Demand;
  readonly announce: (key: string, revision: number) => void;
  /** How much room there is has changed. */
  readonly onRoom: () => void;
  /** Called with what ends each part. */
  readonly onStop: (stop: Cancel) => void;
}

/** What a node does for agents: runs its own, claims those without an owner, moves them, and brings them their mail and reminders. */
export function agentSide(options: Surroundings) {
  const { self, system, codec, clock, random, times, log } = options;
  const { members, router, topics, agentStore, memberStore, places, records, owns, runs, takesPart, admits, mayClaim, demand, over } =
    options;
  const host = options.host((envelope, error) => router.refused(envelope, error));
  const remind: Reminders = reminders({
    ...{ kv: options.control.stores.kv(options.subjects.store('REMINDERS')), codec, clock, random, storeMs: times.storeMs, log },
    locals: () => locals,
    owns,
    lookMs: 3 * times.reconcileMs,
    onPoison: (envelope, error) => system.deadLetter(envelope, 'poison', error),
  });
  options.onStop(remind.stop);
  const mail: DurableMail = durableMail({
    ...options,
    ...{ members, host, agents: agentStore },
    places,
    locals: () => locals,
    demand,
    runs: () => runs() && mayClaim(),
  });
  options.onStop(mail.stop);
  system.durableTells = ({ type, id }, message, given) => mail.tell(type, id, message, given);
  const locals: LocalAgents = localAgents({
    self,
    mailboxes: mail.boxes,
    onClaimedIdle: mail.claimed,
    agents: agentStore,
    copy: places,
    members,
    host,
    owns,
    reminders: remind,
    codec,
    clock,
    random,
    times,
    log,
    mostActive: options.mostActive,
    announce: options.announce,
    onActivated: (record, epoch) => {
      const address = { kind: 'agent', type: record.type, id: record.id } as const;
      system.events.publish({ event: 'activated', address, epoch });
    },
    onOwned: (record, epoch) => {
      move.arrived(record, epoch);
      remind.owned(agentKey(record.type, record.id));
    },
    onQuarantined: (record, epoch) => {
      log.error({ agent: `${record.type}/${record.id}`, why: record.why }, 'an agent failed too often and is quarantined');
      system.events.publish({ event: 'quarantined', address: { kind: 'agent', type: record.type, id: record.id }, epoch });
    },
    onExclude: (key) => reconcile.exclude(key),
    onClaimEnded: () => reconcile.claimEnded(),
    onFenced: ({ type, id }, epoch) => {
      system.events.publish({ event: 'fenced', address: { kind: 'agent', type, id }, epoch });
    },
    sheds: () => room.sheds(),
    onRefused: (envelope, error) => router.refused(envelope, error),
  });
  const room = admission({
    node: self.node,
    limits: options.admission,
    usage: options.memory,
    agents: () => locals.size,
    relieve: locals.relieve,
    clock,
    onLevel(change) {
      log.warn({ node: self.node, ...change }, 'what this node takes has changed with its memory');
      system.events.publish({ event: 'admission', node: self.node, ...change });
      options.onRoom();
    },
  });
  options.onStop(room.stop);
  const reconcile = reconciler({
    self,
    places,
    records,
    agents: agentStore,
    memberStore,
    members,
    locals,
    admits: () => admits() && mayClaim(),
    runs: () => runs() && mayClaim(),
    clock,
    random,
    times,
  });
  options.onStop(reconcile.stop);
  const move = moving({ ...options, locals, members, host, takesPart, over });
  options.onStop(move.stop);
  system.spawnCell(
    endpoint({
      locals,
      demand: (type, id) => demanded(demand, type, id),
      topics: topics.rows,
      mail: mail.hinted,
      check: mail.check,
      admit(record) {
        if (!takesPart()) throw new NexaError('unavailable', 'this node takes no agents at the moment', { where: { node: self.node } });
        // What is here already is answered for.
        const full = locals.has(agentKey(record.type, record.id)) ? undefined : room.full();
        if (full !== undefined) throw full;
        host.checkConfig(record.type, record.config);
      },
    }),
    ENDPOINT_PATH,
  );
  return { host, locals, remind, mail, room, reconcile, move };
}
