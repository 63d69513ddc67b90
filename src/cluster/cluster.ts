import type { NodeId } from '../actor/address.ts';
import { NexaError, toNexaError } from '../errors.ts';
import { inTime } from '../ports/in-time.ts';
import { readStored } from '../ports/stored.ts';
import type { Kv } from '../ports/stores.ts';
import { agentSide } from './agent-side.ts';
import type { Cluster, ClusterOptions } from './cluster-contract.ts';
import { type Copy, watchedCopy } from './copy.ts';
import { fencedBy, type OverReason } from './fenced.ts';
import { hearsay } from './hearsay.ts';
import { declareGone } from './join.ts';
import { keepLease, type LeaseKeeper } from './lease-keeper.ts';
import { decodeMember, type Member, type MemberRecord, provesGone } from './member.ts';
import { memberReceptionist } from './member-receptionist.ts';
import { membersOf } from './members.ts';
import { messaging } from './messaging.ts';
import type { Demand } from './on-demand.ts';
import { peersHeard } from './peers-heard.ts';
import { decodeAgent } from './place.ts';
import { type Places, watchedPlaces } from './places.ts';
import { agentKey } from './subject.ts';
import { createWire } from './wire.ts';

export type { Cluster, ClusterOptions } from './cluster-contract.ts';

const nowhereToDrain = (node: NodeId): NexaError =>
  new NexaError('unavailable', 'no other node may take the agents of this one', {
    where: { node },
    definite: true,
    fix: 'Start another node with their types and labels, or uncordon one; see `nexa nodes`.',
  });

/** Joins the running cluster as the given incarnation; resolves when it is up and may act. */
export async function startCluster(options: ClusterOptions, within: { readonly timeoutMs: number }): Promise<Cluster> {
  const { self, subjects, control, data, system, codec, clock, random, times, log } = options;
  const kv = (name: 'MEMBERS' | 'AGENTS'): Kv => control.stores.kv(subjects.store(name));
  const memberStore = kv('MEMBERS');
  const agentStore = kv('AGENTS');
  const wire = createWire(self, options.wireVersions);
  let state: Member['state'] = 'joining';
  let { cordoned } = options.joined;
  let draining = false;
  let over = false;
  /** As the last beat said it. */
  let lagMs = 0;
  let settled = false;
  let admitted = false;
  let serving = false;
  let mayClaim = false;
  let renewedAtMs = Number.NEGATIVE_INFINITY;
  let demand: Demand = () => undefined;
  const listeners: ((serves: boolean) => void)[] = [];
  const stops: (() => void)[] = [];

  const memberCopy: Copy<MemberRecord> = watchedCopy<MemberRecord>({
    kv: memberStore,
    prefix: '',
    store: 'MEMBERS',
    decode: (bytes, key) => decodeMember(bytes, codec, key),
    onChange: (node, now, before) => memberChanged(node, now?.value, now?.revision ?? 0, before?.value),
    onLive: () => membersLive(),
    onReset: () => keeper.copyRestarted(),
    storeMs: times.storeMs,
    log,
  });
  const placeCopy: Places = watchedPlaces({
    kv: agentStore,
    codec,
    onChange: (key, now) => {
      watches.changed(key, now);
      router.changed(key);
      move.changed(key, now);
      reconcile.look(key, now);
      receptionist.agentChanged(key);
    },
    onLive: () => placesLive(),
    storeMs: times.storeMs,
    log,
  });
  let membersLive: () => void = () => undefined;
  let placesLive: () => void = () => undefined;
  const live = Promise.all([
    new Promise<void>((resolve) => {
      membersLive = resolve;
    }),
    new Promise<void>((resolve) => {
      placesLive = resolve;
    }),
  ]);
  const members = membersOf({
    copy: () => memberCopy,
    times,
    nowMs: () => clock.monotonicMs(),
    self: self.node,
    admits: () => admits(),
    suspended: () => keeper.suspended,
  });
  const runs = (): boolean => !over && state === 'up' && settled && keeper.owns();
  const takesPart = (): boolean => runs() && !cordoned;
  const admits = (): boolean => takesPart() && room.full() === undefined;
  const admitsChanged = (): void => {
    if (admits() !== admitted) {
      admitted = !admitted;
      said.beatNow();
    }
    if ((runs() && !draining) === serving) return;
    serving = !serving;
    for (const listener of listeners) listener(serving);
  };

  const { remote, router, watches, topics } = messaging({
    self,
    system,
    transport: data.transport,
    subjects,
    codec,
    clock,
    random,
    log,
    members,
    wireVersions: options.wireVersions,
    lagMs: () => lagMs,
    times,
    places: () => placeCopy,
    locals: () => locals,
    demand: (type, id) => demand(type, id),
    over: () => over,
  });
  stops.push(topics.close);

  const { host, locals, remind, mail, room, reconcile, move } = agentSide({
    ...options,
    ...{ members, router, topics, agentStore, memberStore },
    places: () => placeCopy,
    records: () => memberCopy,
    owns: () => keeper.owns(),
    runs,
    takesPart,
    admits,
    mayClaim: () => mayClaim,
    over: () => over,
    demand: (type, id) => demand(type, id),
    announce: (key, revision) => said.announce('agent', key, revision),
    onRoom: () => admitsChanged(),
    onStop: (stop) => void stops.push(stop),
  });

  const receptionist = memberReceptionist({ ...options, members, places: placeCopy, runs, renewedAtMs: () => renewedAtMs });
  stops.push(receptionist.stop);

  // ── membership
  function memberChanged(node: NodeId, now: MemberRecord | undefined, revision: number, before: MemberRecord | undefined): void {
    if (now === undefined) return;
    if (node === self.node) keeper.seen(now, revision);
    if (before?.incarnation !== now.incarnation || before.state !== now.state || before.cordoned !== now.cordoned) {
      const member = members.find(node);
      if (member !== undefined) system.events.publish({ event: 'member', member });
    }
    const lost = before !== undefined && provesGone(now, before.incarnation) && before.state !== 'gone';
    if (lost || now.state === 'gone') {
      const incarnation = now.state === 'gone' ? now.incarnation : now.incarnation - 1;
      remote.gone(node, incarnation);
      system.streams.lost(node, incarnation);
      reconcile.lookAtAll();
      receptionist.lookAtAll();
    }
    if (now.state !== 'up' || before?.state === 'up') return;
    reconcile.lookAtAll();
    // Whoever comes up knows at once whom it may rely on.
    if (state === 'up') said.beatNow();
  }
  const record = (): MemberRecord => ({
    incarnation: self.incarnation,
    session: options.joined.session,
    state,
    cordoned,
    labels: options.labels,
    capacity: options.capacity,
    version: options.version,
    wireVersions: options.wireVersions,
    types: host.types,
  });
  let endOpening: (error: NexaError) => void = () => undefined;
  const endedOpening = new Promise<never>((_, reject) => {
    endOpening = reject;
  });
  endedOpening.catch(() => undefined);
  const end = (reason: OverReason): void => {
    if (over) return;
    over = true;
    admitsChanged();
    log.error({ node: self.node, incarnation: self.incarnation, reason }, 'this incarnation is over');
    locals.over();
    close();
    endOpening(fencedBy(self, reason));
    options.onOver(reason);
  };
  const keeper: LeaseKeeper = keepLease({
    self,
    revision: options.joined.revision,
    members: memberStore,
    copy: () => memberCopy,
    codec,
    clock,
    times,
    log,
    record,
    onRenewed() {
      renewedAtMs = clock.monotonicMs();
      admitsChanged();
    },
    onSuspend: () => {
      admitsChanged();
      system.events.publish({ event: 'suspended', node: self.node, agents: locals.count });
    },
    onResume: () => {
      admitsChanged();
      host.resume();
      remind.resume();
      system.events.publish({ event: 'resumed', node: self.node, agents: locals.count });
    },
    onOver: end,
    announce: (node, revision) => said.announce('member', node, revision),
    moveControl: () => control.stores.reconnect(),
    moveData: () => data.transport.reconnect(),
  });
  stops.push(keeper.stop);

  // ── beats and hints
  const said = hearsay({
    data: data.transport,
    control: control.transport,
    subjects,
    wire,
    codec,
    clock,
    log,
    beatMs: times.beatMs,
    beat: () => {
      lagMs = Math.round(options.lagMs());
      const { suspended } = keeper;
      return { ...self, suspended, admits: admits(), agents: locals.count, lagMs, pid: options.pid, load: move.load };
    },
    onBeat(beat) {
      members.heard(beat);
      if (beat.node === self.node && beat.incarnation === self.incarnation) keeper.beatHeard();
    },
    members: memberCopy,
    agents: placeCopy,
  });
  stops.push(said.stop);
  const peers = peersHeard({ self, transport: data.transport, subjects, codec, clock, log, members, beatMs: times.beatMs });
  stops.push(peers.stop);
  // The one timer of suspending that the outside sees: the queue groups are left when the lease lapses.
  const watchAdmits = (): void => {
    if (over) return;
    cancelAdmits = clock.after(times.beatMs, watchAdmits);
    admitsChanged();
  };
  let cancelAdmits = clock.after(times.beatMs, watchAdmits);
  stops.push(() => cancelAdmits());

  const cordon: Cluster['cordon'] = async (on, { timeoutMs }) => {
    cordoned = on;
    if (!on) draining = false;
    admitsChanged();
    await inTime(
      clock,
      timeoutMs,
      keeper.renewNow(),
      () => new NexaError('ask-timeout', 'the store did not take it in time', { where: { node: self.node }, definite: false }),
    );
    if (!on) reconcile.lookAtAll();
  };
  const close = (): void => {
    over = true;
    for (const stop of stops.splice(0)) stop();
    remote.close();
    memberCopy.close();
    placeCopy.close();
  };

  const started = async (): Promise<void> => {
    await live;
    // Whoever reads that it is up sends to its inbox at once. Only a courtesy: what is lost there is a gap, as any other.
    await data.transport.flush({ timeoutMs: times.storeMs }).catch((error) => log.debug({ error }, 'not flushed'));
    state = 'up';
    await keeper.renewNow();
  };
  try {
    await inTime(clock, within.timeoutMs, Promise.race([started(), endedOpening]), () => {
      const message = `node ${self.node} did not come up within ${within.timeoutMs} ms`;
      return new NexaError('unavailable', message, { where: { node: self.node }, fix: 'Check that the store has a quorum.' });
    });
  } catch (error) {
    close();
    throw toNexaError(error, 'unavailable');
  }
  settled = true;
  admitsChanged();
  // A joining node claims nothing in its first second: those who are here have the agents in hand.
  stops.push(
    clock.after(times.settleMs, () => {
      mayClaim = true;
      reconcile.lookAtAll();
    }),
  );
  const claimedByMs = clock.monotonicMs() + times.settleMs + times.rankMs;
  let recovered = false;

  return {
    name: subjects.cluster,
    self,
    get state() {
      return over ? 'gone' : state;
    },
    get suspended() {
      return keeper.suspended;
    },
    members,
    places: placeCopy,
    locals,
    remote,
    topics,
    receptionist,
    host,
    reminders: remind,
    mail,
    peers,
    get copiesLive() {
      return memberCopy.live && placeCopy.live;
    },
    get recovered() {
      recovered ||= clock.monotonicMs() >= claimedByMs && locals.claimsUnderWay === 0;
      return recovered;
    },
    get unplaced() {
      return reconcile.unplaced;
    },
    async recordOf(type, id) {
      const key = agentKey(type, id);
      const found = await agentStore.get(key, { timeoutMs: times.storeMs });
      if (found === undefined) return undefined;
      const { value, revision } = found;
      return { record: readStored({ store: 'AGENTS', key, revision }, () => decodeAgent(value, codec, key)), revision };
    },
    admission: room,
    get admits() {
      return admits();
    },
    get serves() {
      return serving;
    },
    onDemand(by) {
      demand = by;
    },
    onServes: (listener) => void listeners.push(listener),
    get cordoned() {
      return cordoned;
    },
    cordon,
    async drain({ timeoutMs, onBegin }) {
      const untilMs = clock.monotonicMs() + timeoutMs;
      if (!move.drains.possible()) throw nowhereToDrain(self.node);
      draining = true;
      onBegin?.();
      await cordon(true, { timeoutMs });
      return move.drains.drain({
        timeoutMs: untilMs - clock.monotonicMs(),
        cause: 'drain',
        why: `node ${self.node} is drained`,
        leaving: false,
      });
    },
    async leave(leaving) {
      if (over) return;
      const untilMs = clock.monotonicMs() + leaving.timeoutMs;
      state = 'leaving';
      admitsChanged();
      const gaveBack = async (): Promise<void> => {
        await keeper.renewNow();
        const left = { timeoutMs: untilMs - clock.monotonicMs(), cause: 'drain', why: `node ${self.node} leaves`, leaving: true } as const;
        await move.drains.drain(left);
        // While answers still reach this node.
        await leaving.settled?.();
      };
      await inTime(
        clock,
        leaving.timeoutMs,
        gaveBack(),
        () => new NexaError('ask-timeout', 'not all agents could be given back in time'),
      ).catch((error) => log.warn({ node: self.node, left: locals.count }, toNexaError(error, 'internal').message));
      locals.over();
      const { node, incarnation } = self;
      keeper.stop();
      over = true;
      try {
        const revision = await declareGone({ members: memberStore, codec, clock, times }, node, incarnation, {
          timeoutMs: 3_000,
          cause: 'left',
        });
        if (revision !== undefined) said.announce('member', node, revision);
      } catch (error) {
        log.warn({ node, error: String(error) }, 'could not say that it is gone; its launcher or the lease will');
      }
      close();
    },
    close,
  };
}
