import { type Address, CANCEL_PATH, REPLY_PATH } from '../actor/address.ts';
import type { Envelope } from '../actor/envelope.ts';
import type { DeadLetterReason } from '../actor/events.ts';
import type { Cancel } from '../actor/ref.ts';
import { NexaError, toNexaError } from '../errors.ts';
import type { Inbound, Subject } from '../ports/transport.ts';
import { AsksUnderWay, isWayBack } from './asks-under-way.ts';
import { DEFAULT_TIMES } from './config.ts';
import type { Reason } from './frame.ts';
import { type ActorAddress, type Peer, peerKey } from './peer.ts';
import { remoteInbound } from './remote-inbound.ts';
import { NOTHING_YET, type PeerView, REMOTE_BOUNDS, type RemoteBounds, type RemoteCounters, type RemoteOptions } from './remote-options.ts';
import { RemotePeer } from './remote-peer.ts';
import { createWire, unknownVersion } from './wire.ts';

/** The way between the incarnations of nodes: one inbox per incarnation, ordered channels, watches, no acknowledgement per message. */
export interface Remote {
  /**
   * Tell's contract: false is the hint to slow down. What cannot be sent is handed to `onRefused`; an answer that cannot be
   * encoded becomes an error for its asker.
   * @throws NexaError `payload-too-large`, `not-encodable`: nothing was sent.
   */
  send(node: string, incarnation: number, envelope: Envelope): boolean;
  /** Resolves when `send` would answer true, to `to` if that is given. @throws NexaError `cancelled`, `node-lost`, `ask-timeout`, `overloaded`. */
  ready(
    node: string,
    incarnation: number,
    options: { readonly timeoutMs: number; readonly signal?: AbortSignal; readonly to?: Address },
  ): Promise<void>;
  /** Exactly one `terminated` comes back through `watches`. @throws NexaError `overloaded`. */
  watch(target: ActorAddress, watcher: ActorAddress): void;
  unwatch(target: ActorAddress, watcher: ActorAddress): void;
  /** An actor of this node that `watcher` (elsewhere) watches is over. */
  terminated(watcher: ActorAddress, target: ActorAddress, reason: Reason): void;
  /** That ask of this node is given up: where it was sent it need not begin. */
  giveUp(askId: number): void;
  /** That incarnation, and with it every earlier one of the node, is recorded gone. */
  gone(node: string, incarnation: number): void;
  readonly counters: Readonly<RemoteCounters>;
  peers(): readonly PeerView[];
  close(): void;
}
/** Its `then` is a microtask at a third of the price of `queueMicrotask`. */
const SETTLED = Promise.resolve();
/** How often it is looked whether a full mailbox has room again. */
const RELEASE_MS = 10;
/** Of a frame, beside the part in it. */
const HEADER_BYTES = 16_384;

export function createRemote(options: RemoteOptions): Remote {
  const {
    self,
    transport,
    subjects,
    codec,
    clock,
    isGone,
    log,
    pulseMs = DEFAULT_TIMES.beatMs,
    watchesMs = DEFAULT_TIMES.reconcileMs,
  } = options;
  const bounds: RemoteBounds = { ...REMOTE_BOUNDS, ...options.bounds };
  const wire = createWire(self, options.wireVersions);
  const peers = new Map<string, RemotePeer>();
  const probes = new Map<string, Peer>();
  const asks = new AsksUnderWay();
  const answers = subjects.replies(self.node, self.incarnation);
  const counters: RemoteCounters = { ...NOTHING_YET };
  const halves = { bytes: 0, mostBytes: bounds.mostHalfBytes };
  const parked = { bytes: 0, mostBytes: bounds.mostParkedBytes };
  let connected = true;
  /** Whom it was about last: mostly the same again, and the key need not be made. */
  let last: RemotePeer | undefined;
  let probed = 0;
  let stopTick: Cancel = () => {};
  let stopRelease: Cancel | undefined;

  const find = (node: string, incarnation: number): RemotePeer | undefined => {
    if (last !== undefined && last.peer.incarnation === incarnation && last.peer.node === node) return last;
    const key = peerKey({ node, incarnation });
    last = peers.get(key);
    if (last !== undefined) return last;
    const peer = { node, incarnation };
    if (peers.size >= bounds.peers && !makeRoom(options.versionsOf(peer) !== undefined)) return undefined;
    const inbox = subjects.node(node, incarnation);
    const fresh = new RemotePeer(peer, {
      ...{ clock, wire, bounds, halves, parked, inbox },
      partBytes: Math.min(bounds.partBytes, transport.maxPayloadBytes - HEADER_BYTES),
      watches: options.watches,
      probe: answers.reply(`probe-${++probed}`),
      versions: () => options.versionsOf(peer),
      publish: (frame, reply) => publish(inbox, frame, reply),
      publishMessages: (frame) => {
        transport.publish(inbox, frame);
        counters.sentBytes += frame.length;
      },
      congested: () => transport.bufferedBytes() >= bounds.bufferedBytes,
      onRefused: (envelope, error, reason) => refuse(envelope, error, reason),
      soon: options.soon ?? ((run) => void SETTLED.then(run)),
      deliver: (envelope) => options.onEnvelope(envelope, peer),
      pressure: options.pressure ?? (() => 'room'),
      onFull: (envelope) => {
        const error = new NexaError('mailbox-full', 'the mailbox of this actor is full', { where: { node: self.node } });
        options.onDeadLetter(envelope, 'mailbox-full', error);
        answerWith(envelope.replyTo, error);
      },
      lagMs: options.lagMs ?? (() => 0),
      onHold: () => {
        stopRelease ??= clock.after(RELEASE_MS, release);
      },
    });
    peers.set(key, fresh);
    probes.set(fresh.probe, fresh.peer);
    return fresh;
  };
  /** Made-up senders must not keep out the members: any of them goes for anybody, a member that only ever spoke to us for another. */
  const makeRoom = (forMember: boolean): boolean => {
    let out: RemotePeer | undefined;
    for (const peer of peers.values()) {
      if (!peer.known) {
        out = peer;
        break;
      }
      if (forMember && peer.idle) out ??= peer;
    }
    if (out === undefined) return false;
    const error = new NexaError('overloaded', 'too many nodes are spoken with', { where: where(out.peer), definite: false });
    drop(out, error, 'unknown', (envelope) => options.onDeadLetter(envelope, 'overloaded', error));
    return true;
  };
  const drop = (out: RemotePeer, error: NexaError, reason: 'node-lost' | 'unknown', parked: (envelope: Envelope) => void): void => {
    peers.delete(peerKey(out.peer));
    last = undefined;
    probes.delete(out.probe);
    out.gone(error, reason);
    for (const envelope of out.inflow.clear()) parked(envelope);
    if (out.out.sent > 0) for (const id of asks.takeAll(out.peer)) options.onAskLost(id, error);
  };
  const release = (): void => {
    stopRelease = undefined;
    let holding = false;
    for (const { inflow } of peers.values()) {
      inflow.release();
      holding ||= inflow.holding;
    }
    if (holding) stopRelease = clock.after(RELEASE_MS, release);
  };

  const peerOf = (actor: ActorAddress): RemotePeer | undefined => peers.get(`${actor.node}.${actor.nodeIncarnation}`);

  /** Control frames: lost ones are repeated, so an error here is no more than a loss. */
  const publish = (to: Subject, frame: Uint8Array, reply?: Subject): void => {
    if (!connected) return;
    try {
      transport.publish(to, frame, reply === undefined ? {} : { reply });
    } catch (error) {
      log.debug({ error, subject: to }, 'a frame was not sent');
    }
  };

  const refuse = (envelope: Envelope, error: NexaError, reason: DeadLetterReason): void => {
    counters.refused++;
    if (envelope.replyTo !== undefined && isOwnAsk(envelope.replyTo)) asks.delete(envelope.replyTo.uid);
    options.onRefused(envelope, error, reason);
  };
  const where = (peer: Peer) => ({ node: peer.node, incarnation: String(peer.incarnation) });
  const isOwnAsk = (address: Address): address is ActorAddress =>
    address.kind === 'incarnation' && isWayBack(address.path) && address.node === self.node && address.nodeIncarnation === self.incarnation;

  const send = (node: string, incarnation: number, envelope: Envelope): boolean => {
    const peer = isGone(node, incarnation) ? undefined : find(node, incarnation);
    const answer = isAnswer(envelope.to);
    try {
      return sendTo(peer, { node, incarnation }, envelope, answer, codec.encodeShared(envelope.message, bounds.messageBytes));
    } catch (thrown) {
      const known = toNexaError(thrown, 'not-encodable');
      if (!answer) throw known;
      // It was handled; only its answer has no way back.
      const error = new NexaError(known.code, `the answer cannot travel: ${known.message}`, { where: known.where, definite: false });
      return sendTo(peer, { node, incarnation }, envelope, answer, codec.encodeShared({ ok: false, error }));
    }
  };
  const sendTo = (peer: RemotePeer | undefined, to: Peer, envelope: Envelope, answer: boolean, body: Uint8Array): boolean => {
    const refused = (error: NexaError, reason: DeadLetterReason): false => {
      refuse(envelope, error, reason);
      return false;
    };
    if (peer === undefined && isGone(to.node, to.incarnation)) {
      refused(new NexaError('node-lost', 'that node is gone', { where: where(to), definite: true }), 'node-lost');
      return true;
    }
    const writer = peer?.speaks();
    if (peer !== undefined && writer === undefined) {
      counters.unknownVersion++;
      return refused(unknownVersion(`node ${to.node} speaks no wire version of this one`, options.wireVersions), 'undecodable');
    }
    const room = peer?.room(answer) ?? 'none';
    const held = answer || peer === undefined || envelope.replyTo !== undefined ? 'free' : peer.heldAt(envelope.to);
    if (
      peer === undefined ||
      writer === undefined ||
      room === 'none' ||
      held === 'none' ||
      transport.bufferedBytes() >= bounds.mostBufferedBytes
    ) {
      const message = held === 'none' ? 'its mailbox has no room, and too much waits for it' : 'too much is under way to that node';
      return refused(new NexaError('overloaded', message, { where: where(to) }), 'overloaded');
    }
    if (!connected) return refused(noConnection(), 'disconnected');
    const before = counters.refused;
    if (envelope.replyTo !== undefined && isOwnAsk(envelope.replyTo))
      asks.add(envelope.replyTo.uid, peer.peer, clock.monotonicMs() + (envelope.budgetMs ?? 0));
    if (!peer.post(writer, envelope, body))
      return refused(new NexaError('overloaded', 'too many large messages are under way to that node', { where: where(to) }), 'overloaded');
    counters.sent++;
    return counters.refused === before && room === 'free' && held === 'free' && !peer.congested;
  };

  const answerWith = (to: Address | undefined, error: NexaError): void => {
    if (to?.kind === 'incarnation') send(to.node, to.nodeIncarnation, { to, message: { ok: false, error } });
  };
  const inbound = remoteInbound({ ...options, wire, bounds, counters, asks, find, answer: answerWith, patienceMs: pulseMs });

  const onProbe = (message: Inbound): void => {
    if (!message.noResponders) return;
    const peer = probes.get(message.subject);
    if (peer === undefined) return;
    counters.unreachable++;
    options.onUnreachable?.(peer);
  };

  const tick = (): void => {
    stopTick = clock.after(pulseMs, tick);
    asks.prune(clock.monotonicMs());
    for (const peer of peers.values()) for (const lost of peer.tick(watchesMs)) inbound.lost(lost);
  };

  const cancels = [
    transport.subscribe(subjects.node(self.node, self.incarnation), inbound.frame),
    transport.subscribe(answers.all, onProbe),
    transport.onStatus((status) => {
      if (status === 'slow-consumer') return;
      connected = status === 'up';
      for (const peer of peers.values()) {
        if (connected) peer.reconnected();
        else peer.disconnected(noConnection());
      }
    }),
  ];
  stopTick = clock.after(pulseMs * options.random.next(), tick);

  return {
    send,
    ready: async (node, incarnation, within) => {
      if (isGone(node, incarnation))
        throw new NexaError('node-lost', 'that node is gone', { where: where({ node, incarnation }), definite: true });
      const peer = find(node, incarnation);
      if (peer === undefined) throw new NexaError('overloaded', 'too many nodes are spoken with');
      await peer.ready(within);
    },
    watch: (target, watcher) => {
      const gone = isGone(target.node, target.nodeIncarnation);
      const peer = gone ? undefined : find(target.node, target.nodeIncarnation);
      if (gone) options.watches.terminated(watcher, target, 'node-lost');
      else if (peer === undefined) throw new NexaError('overloaded', 'too many nodes are spoken with');
      else peer.watches.watch({ target, watcher });
    },
    unwatch: (target, watcher) => peerOf(target)?.watches.unwatch({ target, watcher }),
    giveUp: (askId) => {
      const peer = asks.take(askId);
      if (peer === undefined) return;
      const { node, incarnation } = peer;
      const to = { kind: 'incarnation', node, nodeIncarnation: incarnation, path: CANCEL_PATH, uid: askId } as const;
      const from = { ...to, node: self.node, nodeIncarnation: self.incarnation, path: REPLY_PATH };
      send(node, incarnation, { to, from, message: undefined });
    },
    terminated: (watcher, target, reason) => peerOf(watcher)?.watches.ended({ target, watcher, reason }),
    gone: (node, incarnation) => {
      for (const peer of [...peers.values()]) {
        if (peer.peer.node !== node || peer.peer.incarnation > incarnation) continue;
        const error = new NexaError('node-lost', 'the node was lost before it answered', { where: where(peer.peer) });
        // What had arrived before is handled all the same.
        drop(peer, error, 'node-lost', (envelope) => void options.onEnvelope(envelope, peer.peer));
      }
    },
    counters,
    peers: () => [...peers.values()].map(viewOf),
    close: () => {
      stopTick();
      stopRelease?.();
      for (const cancel of cancels) cancel();
      for (const peer of peers.values())
        for (const envelope of peer.close(new NexaError('cancelled', 'this node is closing'))) options.onDeadLetter(envelope, 'stopped');
      peers.clear();
      last = undefined;
    },
  };
}

const isAnswer = (to: Address): boolean => to.kind === 'incarnation' && to.path === REPLY_PATH;
const noConnection = (): NexaError =>
  new NexaError('unavailable', 'this node has no connection to the others', { fix: 'Repeat it; the connection is being restored.' });
const viewOf = (each: RemotePeer): PeerView => ({
  ...each.peer,
  version: each.speaks()?.version,
  sent: each.out.sent,
  sentBytes: each.out.totalBytes,
  received: each.in.accepted,
  receivedBytes: each.in.totalBytes,
  inFlight: each.out.inFlight + each.outbox.waiting.messages,
  inFlightBytes: each.out.inFlightBytes + each.outbox.waiting.bytes,
  queuedBytes: each.outbox.queuedBytes,
  parked: each.inflow.parked.messages,
  parkedBytes: each.inflow.parked.bytes,
  gaps: each.in.gaps,
  late: each.in.late,
  watching: each.watches.watching,
  watched: each.watches.watched,
});
