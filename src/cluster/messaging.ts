import { type Address, REPLY_PATH, windowOf } from '../actor/address.ts';
import { itemsOf } from '../actor/stream/frames.ts';
import type { System } from '../actor/system.ts';
import { topicAddress } from '../actor/system-topic.ts';
import { NexaError } from '../errors.ts';
import type { Clock } from '../ports/clock.ts';
import type { Logger } from '../ports/logger.ts';
import type { Random } from '../ports/random.ts';
import type { Transport } from '../ports/transport.ts';
import { type AgentWatches, agentWatches } from './agent-watch.ts';
import type { MessageCodec } from './codec.ts';
import type { ClusterTimes } from './config.ts';
import type { LocalAgents } from './local-agents.ts';
import type { Members } from './members.ts';
import type { Demand } from './on-demand.ts';
import type { Peer } from './peer.ts';
import type { Places } from './places.ts';
import { createRemote, type Remote } from './remote.ts';
import { agentRouter, type Router } from './router.ts';
import { agentKey, type Subjects } from './subject.ts';
import { type Topics, topicsOver } from './topics.ts';

/** Everything that is no actor of this node: other incarnations by the remote, named agents by the router. */
export interface Messaging {
  readonly remote: Remote;
  readonly router: Router;
  readonly watches: AgentWatches;
  readonly topics: Topics;
}

/** Joins a system's actors to the rest of the cluster: what {@link System.deliver} finds elsewhere goes this way. */
export function messaging(options: {
  readonly self: Peer;
  readonly system: System;
  readonly transport: Transport;
  readonly subjects: Subjects;
  readonly codec: MessageCodec;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly members: Members;
  /** Wire versions that this node advertises. */
  readonly wireVersions: readonly number[];
  readonly lagMs: () => number;
  readonly times: ClusterTimes;
  readonly places: () => Places;
  readonly locals: () => LocalAgents;
  readonly demand: Demand;
  /** This incarnation is over, and hears nobody any more. */
  readonly over: () => boolean;
}): Messaging {
  const { self, system, clock, random, log, members, places } = options;
  const remote = createRemote({
    self,
    transport: options.transport,
    subjects: options.subjects,
    codec: options.codec,
    clock,
    random,
    log,
    wireVersions: options.wireVersions,
    versionsOf: ({ node, incarnation }) => {
      const member = members.find(node);
      return member?.incarnation === incarnation ? member.wireVersions : undefined;
    },
    isGone: members.isGone,
    onEnvelope: (envelope) => {
      const { to } = envelope;
      if (options.over()) return true;
      if (to.kind === 'agent') return router.arrived(envelope);
      // The items of a stream are no outcome, and what had no answer before them is on its way no more.
      const answer = to.path === REPLY_PATH || (windowOf(to.path) !== undefined && itemsOf(envelope.message) === undefined);
      if (answer && router.intercept(to.uid, envelope.message)) return true;
      return system.deliver(envelope);
    },
    pressure: (to) => (to.kind === 'agent' ? options.locals().pressure(agentKey(to.type, to.id)) : system.pressure(to)),
    lagMs: options.lagMs,
    pulseMs: options.times.beatMs,
    watchesMs: options.times.reconcileMs,
    onRefused: (envelope, error, reason) => system.nobodyTook(envelope, reason, error),
    onDeadLetter: (envelope, reason, error) => system.deadLetter(envelope, reason, error),
    onAskLost: (askId, error) => {
      router.lost(askId);
      system.unanswered(askId, error);
    },
    watches: {
      watch: (watcher, target) => system.watchFromElsewhere(watcher, target),
      unwatch: (watcher, target) => system.unwatchFromElsewhere(watcher, target),
      terminated: (watcher, target, reason) => system.terminated(watcher, target, reason),
    },
    onUnreachable: ({ node }) => log.debug({ node }, 'nobody listens at its inbox'),
  });
  const router = agentRouter({
    self,
    places,
    members,
    locals: options.locals,
    demand: options.demand,
    waits: (replyTo) => system.waits(replyTo),
    sendTo: (node, incarnation, envelope) => remote.send(node, incarnation, envelope),
    reply: (to, outcome) => void system.reply(to, outcome),
    deadLetter: (envelope, reason, error) => system.deadLetter(envelope, reason, error),
    clock,
    random,
  });
  const watches = agentWatches({ places, terminated: (watcher, target, reason) => system.terminated(watcher, target, reason) });

  const ready = async (to: Address, waiting: { readonly timeoutMs: number; readonly signal?: AbortSignal }): Promise<void> => {
    const at =
      to.kind === 'agent' ? places().get(agentKey(to.type, to.id))?.value.owner : { node: to.node, incarnation: to.nodeIncarnation };
    if (at !== undefined && at.node !== self.node) await remote.ready(at.node, at.incarnation, { ...waiting, to });
  };
  system.connect({
    send(envelope) {
      const { to } = envelope;
      if (to.kind === 'agent') return router.send(envelope);
      if (to.node !== self.node) return remote.send(to.node, to.nodeIncarnation, envelope);
      const where = { node: to.node, incarnation: String(to.nodeIncarnation) };
      const error = new NexaError('node-lost', 'that was an earlier life of this node', { where, definite: true });
      system.nobodyTook(envelope, 'node-lost', error);
      return true;
    },
    giveUp: (id) => remote.giveUp(id),
    ready,
    watch(target, watcher) {
      if (target.kind === 'agent') watches.watch(target, watcher);
      else if (target.node === self.node) system.terminated(watcher, target, 'node-lost');
      else if (watcher.kind === 'incarnation') remote.watch(target, watcher);
    },
    unwatch(target, watcher) {
      if (target.kind === 'agent') watches.unwatch(target, watcher);
      else if (watcher.kind === 'incarnation' && target.node !== self.node) remote.unwatch(target, watcher);
    },
    terminated(watcher, target, reason) {
      if (watcher.kind === 'incarnation' && target.kind === 'incarnation') remote.terminated(watcher, target, reason);
    },
  });
  const topics = topicsOver({
    transport: options.transport,
    subjects: options.subjects,
    codec: options.codec,
    log,
    over: options.over,
    onDeadLetter: (topic, letter, reason, error) => system.deadLetter({ ...letter, to: topicAddress(system, topic) }, reason, error),
  });
  system.topics = topics;
  return { remote, router, watches, topics };
}
