import type { Address } from '../actor/address.ts';
import { type Envelope, mailFromWire } from '../actor/envelope.ts';
import { NexaError, toNexaError } from '../errors.ts';
import type { Inbound } from '../ports/transport.ts';
import { type AsksUnderWay, isWayBack } from './asks-under-way.ts';
import type { Lost } from './assembly.ts';
import type { Entry, Frame, FrameOf } from './frame.ts';
import { type ActorAddress, type Peer, samePeer } from './peer.ts';
import type { RemoteBounds, RemoteCounters, RemoteOptions } from './remote-options.ts';
import type { RemotePeer } from './remote-peer.ts';
import type { Wire } from './wire.ts';

/** Frames of the other incarnations, into messages of this node. */
export interface RemoteInbound {
  frame(message: Inbound): void;
  /** A large message that will not be completed. */
  lost(lost: Lost): void;
}

export function remoteInbound(
  options: Pick<RemoteOptions, 'self' | 'codec' | 'clock' | 'log' | 'isGone' | 'onDeadLetter' | 'onAskLost'> & {
    readonly wire: Wire;
    readonly bounds: RemoteBounds;
    readonly counters: RemoteCounters;
    readonly asks: AsksUnderWay;
    readonly find: (node: string, incarnation: number) => RemotePeer | undefined;
    readonly answer: (to: Address | undefined, error: NexaError) => void;
    /** How often a peer is asked for all its watches at most. */
    readonly patienceMs: number;
  },
): RemoteInbound {
  const { self, codec, clock, log, isGone, wire, bounds, counters, asks, onDeadLetter, onAskLost } = options;

  const isMine = (to: ActorAddress): boolean => to.node === self.node && to.nodeIncarnation === self.incarnation;
  const isOwnAsk = (to: Address): to is ActorAddress => to.kind === 'incarnation' && isWayBack(to.path) && isMine(to);
  const withMessage = ({ envelope, body }: Entry): Envelope => {
    try {
      return { ...envelope, message: codec.decode(body, bounds.messageBytes) };
    } catch {
      return envelope;
    }
  };
  const late = (entry: Entry): void => {
    counters.late++;
    onDeadLetter(withMessage(entry), 'late');
  };

  const arrived = (peer: RemotePeer, entry: Entry): void => {
    const { envelope, body } = entry;
    const { to } = envelope;
    if (to.kind === 'incarnation' && !isMine(to)) return onDeadLetter(withMessage(entry), 'no-actor');
    if (isOwnAsk(to)) asks.delete(to.uid);
    let message: unknown;
    try {
      message = codec.decode(body, bounds.messageBytes);
    } catch (thrown) {
      counters.undecodable++;
      const error = toNexaError(thrown, 'invalid-message');
      onDeadLetter(envelope, 'undecodable', error);
      options.answer(envelope.replyTo, error);
      if (isOwnAsk(to)) onAskLost(to.uid, new NexaError(error.code, error.message, { where: error.where, definite: false }));
      return;
    }
    peer.inflow.take(mailFromWire(envelope, message, body.length, clock), body.length);
  };
  const messages = (peer: RemotePeer, frame: FrameOf<'messages'>): void => {
    const gaps = peer.accept(frame.first, frame.entries, (entry, isLate) => {
      if (isLate) late(entry);
      else arrived(peer, entry);
    });
    missed(peer, gaps);
    peer.stateIfOwed();
  };
  const part = (peer: RemotePeer, frame: FrameOf<'part'>): void => {
    const gaps = peer.accept(frame.sequence, [frame.entry], (entry, isLate) => {
      // Of a message in parts the loss is counted with the message.
      if (isLate) counters.late++;
      const came = isLate ? undefined : peer.assembly.take(entry, frame.cut, clock.monotonicMs());
      if (came?.part === 'whole') arrived(peer, came.entry);
      else if (came?.part === 'lost') lost(came);
    });
    missed(peer, gaps);
    // The next part waits for it.
    peer.stateNow();
  };
  const missed = (peer: RemotePeer, gaps: number): void => {
    counters.gaps += gaps;
    if (gaps > 0) peer.askForWatches(options.patienceMs);
  };

  const lost = ({ entry: { envelope }, why }: Lost): void => {
    counters.incomplete++;
    const [code, message] = LOST[why];
    const error = new NexaError(code, message, { where: { node: self.node } });
    if (isOwnAsk(envelope.to)) {
      asks.delete(envelope.to.uid);
      onAskLost(envelope.to.uid, new NexaError(code, `the answer was lost: ${message}`, { where: error.where, definite: false }));
    } else if (envelope.replyTo !== undefined) options.answer(envelope.replyTo, error);
    else if (code === 'overloaded') onDeadLetter(envelope, 'overloaded', error);
  };

  const handle = (peer: RemotePeer, frame: Frame): void => {
    switch (frame.frame) {
      case 'messages':
        peer.heardStatement(frame.statement);
        return messages(peer, frame);
      case 'part':
        peer.heardStatement(frame.statement);
        return part(peer, frame);
      case 'pulse': {
        const missing = peer.heardPulse(frame, options.patienceMs);
        counters.gaps += missing.frames;
        for (const each of missing.messages) lost(each);
        return;
      }
      case 'resend':
        return peer.watches.restate();
      case 'watch':
      case 'terminated':
        return peer.watches.heard(frame);
      case 'beat':
    }
  };

  return {
    lost,
    frame(inbound) {
      counters.received++;
      counters.receivedBytes += inbound.payload.length;
      let frame: Frame;
      try {
        frame = wire.read(inbound.payload);
      } catch (thrown) {
        const error = toNexaError(thrown, 'invalid-message');
        const unknown = error.code === 'unknown-version';
        const seen = unknown ? ++counters.unknownVersion : ++counters.undecodable;
        // Once and then ever more rarely: a peer of another version sends many.
        if ((seen & (seen - 1)) === 0) log.warn({ error, seen }, 'a frame of another node cannot be read');
        return;
      }
      const sender: Peer = frame.sender;
      if (samePeer(sender, self)) return;
      if (isGone(sender.node, sender.incarnation)) {
        counters.fromGone++;
        if (frame.frame === 'messages') for (const entry of frame.entries) onDeadLetter(withMessage(entry), 'late');
        return;
      }
      const peer = options.find(sender.node, sender.incarnation);
      if (peer === undefined) return;
      peer.heard(frame.version);
      try {
        handle(peer, frame);
      } catch (error) {
        log.error({ error, from: sender }, 'a frame of another node was not handled');
      }
    },
  };
}

const LOST = {
  'a part is missing': ['unavailable', 'a part of the message was lost on the way'],
  'too large': ['payload-too-large', 'the message is larger than this node takes'],
  'too many are half arrived': ['overloaded', 'too many large messages are on their way to this node'],
} as const satisfies Record<Lost['why'], readonly [string, string]>;
