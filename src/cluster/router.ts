import type { Address, NodeId } from '../actor/address.ts';
import { asOutcome } from '../actor/ask-table.ts';
import { AskMail, type Envelope, Mail } from '../actor/envelope.ts';
import type { DeadLetterReason } from '../actor/events.ts';
import type { Outcome } from '../actor/signal.ts';
import { NexaError, toNexaError } from '../errors.ts';
import type { Clock } from '../ports/clock.ts';
import type { Random } from '../ports/random.ts';
import type { LocalAgents } from './local-agents.ts';
import type { Members } from './members.ts';
import { type Demand, noSuchAgent } from './on-demand.ts';
import { OnTheWay } from './on-the-way.ts';
import type { Places } from './places.ts';
import { agentKey } from './subject.ts';
import { type Held, WaitingRoom } from './waiting-room.ts';

/** Ways tried for one ask before it is refused; waits between them add up to about six seconds, a failover fits in. */
const HOPS = 8;
const FIRST_WAIT_MS = 50;
/** Messages that wait for one look at a record; one more is refused. */
const PARKED = 1_000;
/** Agents whose messages wait so; a message to one more is refused. */
const PARKED_AGENTS = 10_000;
/** Times one message may have its agent spawned: it may end before the message gets to it. */
const DEMANDS = 3;
/** Of all messages that wait here for an owner; one more is refused. */
const WAITING_BYTES = 67_108_864;

interface Routed extends Held {
  readonly envelope: Envelope;
  readonly key: string;
  readonly to: { readonly type: string; readonly id: string };
  readonly expiresAtMs: number;
  hops: number;
  /** Whether the store was asked already before it is said that there is no such agent. */
  looked: boolean;
  /** How often its agent was spawned for it. */
  demands: number;
  /** It did not go at once, so whoever asked may have given it up. */
  waited: boolean;
}

export interface Router {
  /** A message of this node to a named agent. Same contract as tell; whoever asked is answered here. */
  send(envelope: Envelope): boolean;
  /** A message for a named agent that another node sent here, because it takes this one for the owner. False is tell's hint. */
  arrived(envelope: Envelope): boolean;
  /** An answer that arrived for an ask of this node; true: it was a definite "not here", and the message is on its way again. */
  intercept(askId: number, answer: unknown): boolean;
  /** A message that was parked for an activation of this node which did not come about. */
  refused(envelope: Envelope, error: NexaError): void;
  /** The copy shows another record of that agent: who waits for its next owner looks at once. */
  changed(key: string): void;
  /** That ask was sent to an incarnation that is gone, and is settled. */
  lost(askId: number): void;
}

/**
 * The way to a named agent: here, or at the node that the watched copy names. It sends again by itself only after a definite
 * refusal; after anything indefinite the asker decides.
 */
export function agentRouter(options: {
  readonly self: { readonly node: NodeId; readonly incarnation: number };
  readonly places: () => Places;
  readonly members: Members;
  readonly locals: () => LocalAgents;
  /** Spawns what the message is for, if its type is one of those. */
  readonly demand: Demand;
  /** Whether whoever asked here still waits. */
  readonly waits: (replyTo: Extract<Address, { kind: 'incarnation' }>) => boolean;
  readonly sendTo: (node: NodeId, incarnation: number, envelope: Envelope) => boolean;
  readonly reply: (to: Address, outcome: Outcome<unknown>) => void;
  readonly deadLetter: (envelope: Envelope, reason: DeadLetterReason, error?: NexaError) => void;
  readonly clock: Clock;
  readonly random: Random;
}): Router {
  const { self, members, clock, random } = options;
  const onTheWay = new OnTheWay<Routed>();
  const room = new WaitingRoom(WAITING_BYTES);
  const parked = new Map<string, Routed[]>();
  /** Asks between two owners of their agent: bounded, as asks are. */
  const waiting = new Map<string, Set<() => void>>();

  const refuse = (entry: Routed, error: NexaError, reason: DeadLetterReason): void => {
    const { replyTo } = entry.envelope;
    forget(entry);
    room.leave(entry);
    if (replyTo === undefined) options.deadLetter(entry.envelope, reason, error);
    else options.reply(replyTo, { ok: false, error });
  };
  const askId = (envelope: Envelope): number | undefined =>
    envelope.replyTo?.kind === 'incarnation' && envelope.replyTo.node === self.node && envelope.replyTo.nodeIncarnation === self.incarnation
      ? envelope.replyTo.uid
      : undefined;
  const forget = (entry: Routed): void => {
    const id = askId(entry.envelope);
    if (id !== undefined && onTheWay.get(id) === entry) onTheWay.delete(id);
  };
  const where = (entry: Routed): Readonly<Record<string, string>> => ({ agent: `${entry.to.type}/${entry.to.id}` });

  /** The negative answers are given only after the store was asked: a copy that lags must not deny an agent that was just spawned. */
  const deny = (entry: Routed, error: () => NexaError, reason: DeadLetterReason): boolean => {
    if (entry.looked) {
      refuse(entry, error(), reason);
      return true;
    }
    entry.looked = true;
    park(entry);
    return true;
  };
  /** Nobody knows it, or it is stopped. The first message to an agent of an on-demand type spawns it. */
  const absent = (entry: Routed): boolean => {
    const { type, id } = entry.to;
    if (!entry.looked) return deny(entry, () => noSuchAgent(type, id), 'no-actor');
    const waits = parked.has(entry.key);
    const placed = waits || entry.demands++ >= DEMANDS ? undefined : options.demand(type, id);
    if (waits || placed !== undefined) park(entry, placed);
    else if (entry.demands > DEMANDS) {
      const message = 'it was spawned for this message, and ended before it took it';
      refuse(entry, new NexaError('unavailable', message, { where: where(entry), definite: true }), 'not-owner');
    } else refuse(entry, noSuchAgent(type, id), 'no-actor');
    return true;
  };
  /** Waits for a look at the record, and before that for what is to be done first. */
  const park = (entry: Routed, first?: ReturnType<Demand>): void => {
    if (!room.enter(entry)) return crowded(entry);
    const waiting = parked.get(entry.key);
    if (waiting !== undefined) {
      if (waiting.length >= PARKED)
        return refuse(entry, new NexaError('overloaded', 'too many messages wait for its place', { where: where(entry) }), 'overloaded');
      waiting.push(entry);
      return;
    }
    if (parked.size >= PARKED_AGENTS)
      return refuse(entry, new NexaError('overloaded', 'messages wait for too many agents', { where: where(entry) }), 'overloaded');
    parked.set(entry.key, [entry]);
    // Whoever was spawned by this node is in its copy by then.
    const look = async (spawned?: { readonly epoch: number } | null): Promise<undefined> => {
      const places = options.places();
      const isHere = spawned !== undefined && spawned !== null && places.known(entry.key) >= spawned.epoch;
      if (!isHere) await places.refresh(entry.key);
    };
    // That it is there with another configuration is all that was to be known.
    const failed = (thrown: unknown): Promise<undefined> | NexaError => {
      const error = toNexaError(thrown, 'internal');
      return error.code === 'conflict' ? look() : error;
    };
    void (first === undefined ? look() : first.then(look, failed)).then((error) => {
      const released = parked.get(entry.key) ?? [];
      parked.delete(entry.key);
      for (const next of released) {
        next.looked = true;
        next.waited = true;
        room.leave(next);
        if (error === undefined) go(next);
        else refuse(next, error, 'no-actor');
      }
    });
  };
  const crowded = (entry: Routed): void =>
    refuse(
      entry,
      new NexaError('overloaded', `${room.bytes} bytes of messages wait for their agents`, { where: where(entry) }),
      'overloaded',
    );
  const later = (entry: Routed): void => {
    const waitMs = FIRST_WAIT_MS * 2 ** Math.min(entry.hops, 6) * (0.75 + random.next() / 2);
    if (++entry.hops > HOPS || clock.monotonicMs() + waitMs > entry.expiresAtMs) {
      const message = entry.hops > HOPS ? `nobody took it after ${HOPS} tries` : 'nobody runs it at the moment';
      refuse(entry, new NexaError('unavailable', message, { where: where(entry) }), 'not-owner');
      return;
    }
    if (!room.enter(entry)) return crowded(entry);
    entry.waited = true;
    const again = (): void => {
      room.leave(entry);
      go(entry);
    };
    const cancel = clock.after(waitMs, () => {
      stopWaiting(entry.key, next);
      void options.places().refresh(entry.key).then(again);
    });
    const next = (): void => {
      cancel();
      stopWaiting(entry.key, next);
      again();
    };
    waiting.set(entry.key, (waiting.get(entry.key) ?? new Set()).add(next));
  };
  const stopWaiting = (key: string, next: () => void): void => {
    const all = waiting.get(key);
    all?.delete(next);
    if (all?.size === 0) waiting.delete(key);
  };

  const go = (entry: Routed): boolean => {
    const { envelope, key } = entry;
    const { replyTo } = envelope;
    if (entry.waited && replyTo?.kind === 'incarnation' && askId(envelope) !== undefined && !options.waits(replyTo)) {
      forget(entry);
      options.deadLetter(envelope, 'expired');
      return true;
    }
    if (clock.monotonicMs() >= entry.expiresAtMs) {
      refuse(
        entry,
        new NexaError('ask-timeout', 'its deadline passed before anybody took it', { where: where(entry), definite: true }),
        'expired',
      );
      return true;
    }
    const locals = options.locals();
    if (locals.has(key)) {
      forget(entry);
      return locals.deliver(key, fresh(entry));
    }
    const place = options.places().get(key);
    if (place === undefined || place.value.desired === 'stopped') return absent(entry);
    if (place.value.desired === 'quarantined') {
      const fix = 'Look at its last error, then spawn or stop it.';
      const { why } = place.value;
      return deny(entry, () => new NexaError('quarantined', `it is put aside: ${why}`, { where: where(entry), fix }), 'stopped');
    }
    const { owner } = place.value;
    const elsewhere = owner !== undefined && owner.node !== self.node && !members.isGone(owner.node, owner.incarnation);
    if (!elsewhere) {
      // Between two owners, or the copy is behind: only asks wait for the next one, a tell is at most once.
      if (envelope.replyTo !== undefined) later(entry);
      else refuse(entry, new NexaError('not-owner', 'it has no owner at the moment', { where: where(entry) }), 'not-owner');
      return true;
    }
    const id = askId(envelope);
    if (id !== undefined) onTheWay.add(id, entry, clock.monotonicMs());
    try {
      return options.sendTo(owner.node, owner.incarnation, fresh(entry));
    } catch (thrown) {
      forget(entry);
      throw thrown;
    }
  };
  const fresh = (entry: Routed): Envelope =>
    entry.envelope.budgetMs === undefined || entry.hops === 0
      ? entry.envelope
      : new AskMail(entry.envelope, entry.expiresAtMs, Math.max(1, entry.expiresAtMs - clock.monotonicMs()));
  const routed = (envelope: Envelope, to: { readonly type: string; readonly id: string }): Routed => ({
    envelope,
    heldBytes: 0,
    key: agentKey(to.type, to.id),
    to,
    expiresAtMs: envelope instanceof Mail ? envelope.deadlineMs : clock.monotonicMs() + (envelope.budgetMs ?? Number.POSITIVE_INFINITY),
    hops: 0,
    looked: false,
    demands: 0,
    waited: false,
  });

  return {
    send(envelope) {
      if (envelope.to.kind !== 'agent') return false;
      let entry: Routed;
      try {
        entry = routed(envelope, envelope.to);
      } catch (thrown) {
        const error = toNexaError(thrown, 'bad-id');
        if (envelope.replyTo === undefined) options.deadLetter(envelope, 'no-actor', error);
        else options.reply(envelope.replyTo, { ok: false, error });
        return true;
      }
      // Behind what already waits for the same agent, so that messages keep their order.
      if (parked.has(entry.key)) {
        park(entry);
        return true;
      }
      return go(entry);
    },
    arrived(envelope) {
      if (envelope.to.kind !== 'agent') return true;
      let key: string;
      try {
        key = agentKey(envelope.to.type, envelope.to.id);
      } catch (thrown) {
        options.deadLetter(envelope, 'no-actor', toNexaError(thrown, 'bad-id'));
        return true;
      }
      if (options.locals().has(key)) return options.locals().deliver(key, envelope);
      const known = options.places().get(key);
      const revision = known === undefined || known.value.owner?.node === self.node ? 0 : known.revision;
      this.refused(
        envelope,
        new NexaError('not-owner', 'it does not run here', { where: { node: self.node, revision: String(revision) } }),
      );
      return true;
    },
    refused(envelope, error) {
      if (envelope.replyTo === undefined)
        return options.deadLetter(envelope, error.code === 'overloaded' ? 'overloaded' : 'not-owner', error);
      const id = askId(envelope);
      if (id !== undefined && error.code === 'not-owner' && envelope.to.kind === 'agent') {
        const entry = routed(envelope, envelope.to);
        return later(entry);
      }
      options.reply(envelope.replyTo, { ok: false, error });
    },
    intercept(id, answer) {
      const entry = onTheWay.get(id);
      if (entry === undefined) return false;
      onTheWay.delete(id);
      const outcome = asOutcome(answer);
      if (outcome.ok || outcome.error.code !== 'not-owner') return false;
      const known = Number(outcome.error.where.revision);
      if (Number.isFinite(known)) options.places().hint(entry.key, known);
      later(entry);
      return true;
    },
    changed(key) {
      if (!waiting.has(key)) return;
      const place = options.places().get(key)?.value;
      const decided = place === undefined || place.desired !== 'running' || place.owner !== undefined;
      if (decided) for (const next of [...(waiting.get(key) ?? [])]) next();
    },
    lost: (id) => void onTheWay.delete(id),
  };
}
