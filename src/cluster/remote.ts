import { type Address, CANCEL_PATH, REPLY_PATH, windowOf } from '../actor/address.ts';
import type { Envelope } from '../actor/envelope.ts';
import type { DeadLetterReason } from '../actor/events.ts';
import type { Cancel } from '../actor/ref.ts';
import { NexaError, toNexaError } from '../errors.ts';
import type { Inbound, Subject } from '../ports/transport.ts';
import { AsksUnderWay } from './asks-under-way.ts';
import { type ActorAddress, type Peer, peerKey, samePeer } from './peer.ts';
import { NOTHING_YET, type PeerView, REMOTE_BOUNDS, type RemoteBounds, type RemoteCounters, type RemoteOptions } from './remote-options.ts';
import { RemotePeer } from './remote-peer.ts';
import { createWire, type Frame, type Reason } from './wire.ts';

/** The way between the incarnations of nodes: one inbox per incarnation, ordered channels, watches, no acknowledgement per message. */
export interface Remote {
  /**
   * Tell's contract: false is the hint to slow down. What cannot be sent is handed to `onRefused`; an answer that cannot be
   * encoded becomes an error for its asker.
   * @throws NexaError `payload-too-large`, `not-encodable`: nothing was sent.
   */
  send(node: string, incarnation: number, envelope: Envelope): boolean;
  /** Resolves when `send` would answer true. @throws NexaError `cancelled`, `node-lost`, `ask-timeout`, `overloaded`. */
  ready(node: string, incarnation: number, options: { readonly timeoutMs: number; readonly signal?: AbortSignal }): Promise<void>;
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
/** How often both sides of a channel say where it stands while it is used; what heals every lost frame. */
const PULSE_MS = 500;
const STATE_WATCHES_MS = 10_000;

export function createRemote(options: RemoteOptions): Remote {
  const { self, transport, subjects, codec, clock, isGone, log } = options;
  const bounds: RemoteBounds = { ...REMOTE_BOUNDS, ...options.bounds };
  const wire = createWire(self);
  const peers = new Map<string, RemotePeer>();
  const probes = new Map<string, Peer>();
  const asks = new AsksUnderWay();
  const answers = subjects.replies(self.node, self.incarnation);
  const counters: RemoteCounters = { ...NOTHING_YET };
  let connected = true;
  let probed = 0;
  let stopTick: Cancel = () => {};

  const find = (node: string, incarnation: number): RemotePeer | undefined => {
    const key = peerKey({ node, incarnation });
    const known = peers.get(key);
    if (known !== undefined || peers.size >= bounds.peers) return known;
    const inbox = subjects.node(node, incarnation);
    const fresh = new RemotePeer(
      { node, incarnation },
      {
        clock,
        wire,
        window: bounds.window,
        watches: options.watches,
        waiting: bounds.waiting,
        probe: answers.reply(`probe-${++probed}`),
        inbox,
        publish: (frame, reply) => publish(inbox, frame, reply),
        congested: () => transport.bufferedBytes() >= bounds.bufferedBytes,
      },
    );
    peers.set(key, fresh);
    probes.set(fresh.probe, fresh.peer);
    return fresh;
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
    options.onRefused(envelope, error, reason);
  };
  const where = (peer: Peer) => ({ node: peer.node, incarnation: String(peer.incarnation) });

  /** @throws NexaError `payload-too-large`, `not-encodable` */
  const encodeBody = (message: unknown): Uint8Array => {
    const body = codec.encodeShared(message);
    if (body.length <= Math.min(bounds.bodyBytes, transport.maxPayloadBytes - 16_384)) return body;
    throw new NexaError('payload-too-large', `the message has ${body.length} bytes; ${bounds.bodyBytes} are allowed`, {
      fix: 'Send large content in parts, or send where it is stored.',
    });
  };

  const send = (node: string, incarnation: number, envelope: Envelope): boolean => {
    const answer = isAnswer(envelope.to);
    let body: Uint8Array;
    try {
      body = encodeBody(envelope.message);
    } catch (thrown) {
      if (!answer) throw thrown;
      // It was handled; only its answer has no way back.
      const { code, message, where: place } = toNexaError(thrown, 'not-encodable');
      body = encodeBody({
        ok: false,
        error: new NexaError(code, `the answer cannot travel: ${message}`, { where: place, definite: false }),
      });
    }
    if (isGone(node, incarnation)) {
      refuse(
        envelope,
        new NexaError('node-lost', 'that node is gone', { where: where({ node, incarnation }), definite: true }),
        'node-lost',
      );
      return true;
    }
    const peer = find(node, incarnation);
    const room = peer?.out.room(answer) ?? 'none';
    if (peer === undefined || room === 'none' || transport.bufferedBytes() >= bounds.mostBufferedBytes) {
      refuse(
        envelope,
        new NexaError('overloaded', 'too much is under way to that node', { where: where({ node, incarnation }) }),
        'overloaded',
      );
      return false;
    }
    if (!connected) {
      const fix = 'Repeat it; the connection is being restored.';
      refuse(envelope, new NexaError('unavailable', 'this node has no connection to the others', { fix }), 'disconnected');
      return false;
    }
    const frame = wire.envelope(peer.peer, peer.out.next, peer.in.settle(), envelope, body);
    try {
      transport.publish(peer.inbox, frame);
    } catch (thrown) {
      const error = toNexaError(thrown, 'unavailable');
      if (error.code === 'payload-too-large' && !answer) throw error;
      refuse(envelope, error, error.code === 'overloaded' ? 'overloaded' : 'disconnected');
      return false;
    }
    counters.sent++;
    counters.sentBytes += frame.length;
    peer.out.took(frame.length);
    if (envelope.replyTo !== undefined && isOwnAsk(envelope.replyTo)) {
      asks.add(envelope.replyTo.uid, peer.peer, clock.monotonicMs() + (envelope.budgetMs ?? 0));
    }
    peer.pulseIfIdle(PULSE_MS);
    return room === 'free' && !peer.congested();
  };

  const isOwnAsk = (address: Address): address is ActorAddress =>
    address.kind === 'incarnation' && isWayBack(address.path) && address.node === self.node && address.nodeIncarnation === self.incarnation;

  const take = (peer: RemotePeer, frame: Extract<Frame, { readonly frame: 'envelope' }>, bytes: number): void => {
    peer.heardStatement(frame.taken);
    const { gaps } = peer.in;
    const fresh = peer.in.accept(frame.sequence, bytes);
    counters.gaps += peer.in.gaps - gaps;
    if (peer.in.gaps > gaps) peer.askForWatches(PULSE_MS);
    if (!fresh) {
      counters.late++;
      options.onDeadLetter(withBody(frame.envelope, frame.body), 'late');
      return;
    }
    const { to } = frame.envelope;
    if (to.kind === 'incarnation' && (to.node !== self.node || to.nodeIncarnation !== self.incarnation)) {
      options.onDeadLetter(withBody(frame.envelope, frame.body), 'no-actor');
      return;
    }
    if (isOwnAsk(to)) asks.delete(to.uid);
    let message: unknown;
    try {
      message = codec.decode(frame.body);
    } catch (thrown) {
      counters.undecodable++;
      const error = toNexaError(thrown, 'invalid-message');
      options.onDeadLetter(frame.envelope, 'undecodable', error);
      answerWith(frame.envelope.replyTo, error);
      if (isOwnAsk(to)) options.onAskLost(to.uid, new NexaError(error.code, error.message, { where: error.where, definite: false }));
      return;
    }
    options.onEnvelope({ ...frame.envelope, message }, peer.peer);
    peer.stateIfOwed();
  };
  const withBody = (envelope: Envelope, body: Uint8Array): Envelope => {
    try {
      return { ...envelope, message: codec.decode(body) };
    } catch {
      return envelope;
    }
  };
  const answerWith = (to: Address | undefined, error: NexaError): void => {
    if (to?.kind === 'incarnation') send(to.node, to.nodeIncarnation, { to, message: { ok: false, error } });
  };

  const onInbox = (message: Inbound): void => {
    counters.received++;
    counters.receivedBytes += message.payload.length;
    let frame: Frame;
    try {
      frame = wire.read(message.payload);
    } catch (thrown) {
      const error = toNexaError(thrown, 'invalid-message');
      const unknown = error.code === 'unknown-version';
      const seen = unknown ? ++counters.unknownVersion : ++counters.undecodable;
      // Once and then ever more rarely: a peer of another version sends many.
      if ((seen & (seen - 1)) === 0) log.warn({ error, seen }, 'a frame of another node cannot be read');
      return;
    }
    const { sender } = frame;
    if (samePeer(sender, self)) return;
    if (isGone(sender.node, sender.incarnation)) {
      counters.fromGone++;
      if (frame.frame === 'envelope') options.onDeadLetter(withBody(frame.envelope, frame.body), 'late');
      return;
    }
    const peer = find(sender.node, sender.incarnation);
    if (peer === undefined) return;
    try {
      if (frame.frame === 'envelope') take(peer, frame, message.payload.length);
      else if (frame.frame === 'pulse') counters.gaps += peer.heardPulse(frame, PULSE_MS);
      else if (frame.frame === 'resend') peer.watches.restate();
      else if (frame.frame !== 'beat') peer.watches.heard(frame);
    } catch (error) {
      log.error({ error, from: sender }, 'a frame of another node was not handled');
    }
  };

  const onProbe = (message: Inbound): void => {
    if (!message.noResponders) return;
    const peer = probes.get(message.subject);
    if (peer === undefined) return;
    counters.unreachable++;
    options.onUnreachable?.(peer);
  };

  const tick = (): void => {
    stopTick = clock.after(PULSE_MS, tick);
    asks.prune(clock.monotonicMs());
    for (const peer of peers.values()) peer.tick(STATE_WATCHES_MS);
  };

  const cancels = [
    transport.subscribe(subjects.node(self.node, self.incarnation), onInbox),
    transport.subscribe(answers.all, onProbe),
    transport.onStatus((status) => {
      if (status === 'slow-consumer') return;
      connected = status === 'up';
      if (connected) for (const peer of peers.values()) peer.reconnected();
    }),
  ];
  stopTick = clock.after(PULSE_MS * options.random.next(), tick);

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
      for (const [key, peer] of peers) {
        if (peer.peer.node !== node || peer.peer.incarnation > incarnation) continue;
        peers.delete(key);
        probes.delete(peer.probe);
        const error = new NexaError('node-lost', 'the node was lost before it answered', { where: where(peer.peer) });
        peer.gone(error);
        for (const id of asks.takeAll(peer.peer)) options.onAskLost(id, error);
      }
    },
    counters,
    peers: () =>
      [...peers.values()].map(({ peer, out, in: into, watches }) => ({
        ...peer,
        sent: out.sent,
        sentBytes: out.totalBytes,
        received: into.accepted,
        receivedBytes: into.totalBytes,
        inFlight: out.inFlight,
        inFlightBytes: out.inFlightBytes,
        gaps: into.gaps,
        late: into.late,
        watching: watches.watching,
        watched: watches.watched,
      })),
    close: () => {
      stopTick();
      for (const cancel of cancels) cancel();
      for (const peer of peers.values()) peer.close(new NexaError('cancelled', 'this node is closing'));
      peers.clear();
    },
  };
}

/** Where the answer of an ask, or the items of a stream, come back. */
const isWayBack = (path: string): boolean => path === REPLY_PATH || windowOf(path) !== undefined;
const isAnswer = (to: Address): boolean => to.kind === 'incarnation' && to.path === REPLY_PATH;
