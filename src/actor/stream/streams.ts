import { NexaError } from '../../errors.ts';
import { type Address, CANCEL_PATH, describeAddress, formatAddress, REPLY_PATH, SOURCE_PATH, sameAddress, windowOf } from '../address.ts';
import { asOutcome } from '../ask-table.ts';
import type { Cell } from '../cell/cell.ts';
import type { Handle, Turnable } from '../engine.ts';
import { AskMail, type Envelope, type Mail } from '../envelope.ts';
import type { System } from '../system.ts';
import { type Items, itemsOf, LEFT, pullOf } from './frames.ts';
import type { Inflow } from './inflow.ts';
import { Outflow } from './outflow.ts';

/** Streams that this node consumes, and that it produces, at most. */
const MOST = 10_000;
/** Of one actor. */
const MOST_OF_ONE = 1_000;
/** Asks and streams of other nodes that were given up, remembered until their message is met. */
const MOST_GIVEN_UP = 10_000;

type Incarnation = Extract<Address, { readonly kind: 'incarnation' }>;
interface Consumer {
  readonly inflow: Inflow;
  readonly to: Address;
  /** Where its producer is, once it was heard of. */
  source: Incarnation | undefined;
}
interface Source {
  readonly outflow: Outflow;
  readonly consumer: Incarnation;
  /** Why the part that is being sent did not leave. */
  refused: NexaError | undefined;
}

/** Says how a message is answered that was streamed but answers once, or was asked but answers with a stream. */
export const answersOnce = (where: Readonly<Record<string, string>>, definite: boolean): NexaError =>
  new NexaError('invalid-message', 'this message is answered once, not with a stream', { where, definite, fix: 'Use ask.' });
export const answersWithStream = (where: Readonly<Record<string, string>>): NexaError =>
  new NexaError('invalid-message', 'this message is answered with a stream', {
    where: { ...where, answers: 'stream' },
    fix: 'Use stream.',
  });

/** Whether an ask was refused because its answer is a stream: nothing of it happened. */
export const isAnsweredWithStream = (thrown: unknown): boolean =>
  thrown instanceof NexaError && thrown.code === 'invalid-message' && thrown.definite && thrown.where.answers === 'stream';

/** Both ends of the streams of one node, and what was given up elsewhere; everything that is sent to a reserved path but answers. */
export class Streams implements Turnable {
  readonly name = 'streams';
  /** Generators that did not end in time after they were aborted. */
  abandoned = 0;
  private readonly system: System;
  private readonly consumers = new Map<number, Consumer>();
  private readonly sources = new Map<number, Source>();
  private readonly producing = new Map<Cell, number>();
  private readonly givenUp = new Set<string>();
  private readonly work: (() => void)[] = [];
  private handle: Handle | undefined = undefined;
  private produced = 0;
  /** Items that left since the last turn: a turn costs what it moved. */
  private moved = 0;

  constructor(system: System) {
    this.system = system;
  }

  get consumed(): number {
    return this.consumers.size;
  }
  get open(): number {
    return this.sources.size;
  }

  // ── the consumer's side

  /** False: the node consumes its most streams. */
  consume(id: number, inflow: Inflow, to: Address): boolean {
    if (this.consumers.size >= MOST) return false;
    this.consumers.set(id, { inflow, to, source: undefined });
    return true;
  }
  waits(id: number): boolean {
    return this.consumers.has(id);
  }
  forget(id: number): void {
    this.consumers.delete(id);
  }
  /** Tells the producer; one that was not heard of yet must not begin. */
  pull(id: number, upTo: number): void {
    const consumer = this.consumers.get(id);
    if (consumer === undefined) return;
    const { source, to, inflow } = consumer;
    if (source !== undefined) {
      const back = upTo === LEFT ? {} : { replyTo: this.consumerAddress(id, inflow.window) };
      this.tell({ to: source, message: { pull: upTo }, ...back });
    } else if (upTo === LEFT && !this.system.isMine(to)) this.system.elsewhere?.giveUp(id);
  }
  consumerAddress(id: number, window: number): Incarnation {
    return this.own(`?stream/${window}`, id);
  }
  /** An ask or stream of ours can have no answer any more. */
  failed(id: number, error: NexaError): boolean {
    const consumer = this.consumers.get(id);
    consumer?.inflow.fail(error);
    return consumer !== undefined;
  }

  // ── the producer's side

  /** @throws NexaError `overloaded` */
  produce(
    cell: Cell,
    mail: Mail,
    produce: (signal: AbortSignal) => AsyncIterable<unknown>,
    check: ((item: unknown) => unknown) | undefined,
    onOver: (outflow: Outflow) => void,
  ): Outflow {
    const consumer = mail.replyTo as Incarnation;
    const own = this.producing.get(cell) ?? 0;
    if (own >= MOST_OF_ONE || this.sources.size >= MOST)
      throw new NexaError(
        'overloaded',
        own >= MOST_OF_ONE ? 'this actor produces its most streams' : 'this node produces its most streams',
        {
          where: cell.where,
        },
      );
    const id = ++this.produced;
    const address = this.own(SOURCE_PATH, id);
    const { system } = this;
    const outflow: Outflow = new Outflow({
      clock: system.clock,
      where: cell.where,
      produce,
      check,
      gate: cell.gate,
      window: windowOf(consumer.path) ?? 1,
      idleTimeoutMs: mail.budgetMs ?? 0,
      send: (part) => this.sendPart(id, new AskMail({ to: consumer, message: part, replyTo: address }, Number.POSITIVE_INFINITY)),
      room: (within) => system.ready(consumer, undefined, within),
      soon: (run) => this.soon(run),
      onOver: (abandoned) => {
        this.sources.delete(id);
        const left = (this.producing.get(cell) ?? 1) - 1;
        if (left === 0) this.producing.delete(cell);
        else this.producing.set(cell, left);
        if (abandoned) {
          this.abandoned++;
          system.log.warn({ ...cell.where }, 'a stream was aborted, and its generator did not end in time');
        }
        onOver(outflow);
      },
    });
    this.sources.set(id, { outflow, consumer, refused: undefined });
    this.producing.set(cell, own + 1);
    outflow.start();
    return outflow;
  }
  private sendPart(id: number, mail: AskMail): 'sent' | 'full' | 'refused' {
    const source = this.sources.get(id);
    if (source === undefined) return 'sent';
    source.refused = undefined;
    this.moved += (mail.message as Items).items.length;
    const free = this.system.deliver(mail);
    // What is set meanwhile, the compiler does not see.
    const refused = source.refused as NexaError | undefined;
    if (refused === undefined) return free ? 'sent' : 'full';
    source.refused = undefined;
    if (refused.code === 'node-lost') source.outflow.pulled(LEFT);
    return 'refused';
  }

  // ── what arrives

  /** True: it is none of the actors' business. */
  takes(to: Incarnation): boolean {
    return to.path.startsWith('?') && to.path !== REPLY_PATH;
  }
  arrived(envelope: Envelope): void {
    const to = envelope.to as Incarnation;
    if (to.path === SOURCE_PATH) this.pulled(to.uid, envelope);
    else if (to.path === CANCEL_PATH) this.gaveUp(envelope.from);
    else this.came(to.uid, envelope);
  }
  private came(id: number, { message, replyTo, to }: Envelope): void {
    const consumer = this.consumers.get(id);
    const part = itemsOf(message);
    if (consumer === undefined) {
      // It left while this was on its way.
      if (replyTo !== undefined && part?.end === undefined && part?.error === undefined)
        this.tell({ to: replyTo, message: { pull: LEFT } });
      return;
    }
    const { inflow } = consumer;
    if (part !== undefined && replyTo?.kind === 'incarnation') {
      consumer.source ??= replyTo;
      if (sameAddress(consumer.source, replyTo)) inflow.arrive(part);
      return;
    }
    const outcome = asOutcome(message);
    inflow.fail(outcome.ok ? answersOnce({ to: describeAddress(consumer.to ?? to) }, false) : outcome.error);
  }
  private pulled(id: number, { message, replyTo, to }: Envelope): void {
    const source = this.sources.get(id);
    const upTo = pullOf(message);
    if (source !== undefined) {
      // Only its own consumer may speak to it.
      if (upTo === LEFT || (replyTo !== undefined && sameAddress(replyTo, source.consumer))) source.outflow.pulled(upTo);
    } else if (replyTo !== undefined && upTo !== LEFT) {
      const error = new NexaError('stream-broken', 'its producer is not there any more', { where: { from: describeAddress(to) } });
      this.tell({ to: replyTo, message: { ok: false, error } });
    }
  }

  /** A part that did not leave stays with its producer; of the rest nothing is missed, because it is said again. */
  unsent(envelope: Envelope, error: NexaError | undefined): boolean {
    const { to, replyTo } = envelope;
    if (to.kind !== 'incarnation' || !this.takes(to)) return false;
    const source = replyTo?.kind === 'incarnation' && replyTo.path === SOURCE_PATH ? this.sources.get(replyTo.uid) : undefined;
    if (source !== undefined) source.refused = error ?? new NexaError('overloaded', 'the items could not be sent');
    return true;
  }

  // ── what was given up, and what is lost

  private gaveUp(way: Address | undefined): void {
    if (way === undefined) return;
    const oldest = this.givenUp.values().next();
    if (this.givenUp.size >= MOST_GIVEN_UP && oldest.done !== true) this.givenUp.delete(oldest.value);
    this.givenUp.add(keyOf(way));
  }
  /** Whether whoever waits there has given up; said once. */
  isGivenUp(way: Address): boolean {
    return this.givenUp.size > 0 && this.givenUp.delete(keyOf(way));
  }
  /** That incarnation of a node, and all before it, are recorded gone. */
  lost(node: string, incarnation: number): void {
    const there = (at: Address | undefined) => at?.kind === 'incarnation' && at.node === node && at.nodeIncarnation <= incarnation;
    for (const { inflow, source, to } of [...this.consumers.values()]) {
      if (there(source ?? to)) inflow.fail(new NexaError('node-lost', 'the node that produced the stream was lost', { where: { node } }));
    }
    for (const { outflow, consumer } of [...this.sources.values()]) if (there(consumer)) outflow.pulled(LEFT);
  }
  close(error: NexaError): void {
    for (const { inflow } of [...this.consumers.values()]) inflow.fail(error);
    for (const { outflow } of [...this.sources.values()]) outflow.cut(error);
  }

  // ── turns

  /** Between the turns of the actors, so that two ends which never wait for anything leave room for them. */
  soon(run: () => void): void {
    this.work.push(run);
    this.handle ??= this.system.engine.start(this);
    this.handle.schedule('user');
  }
  turn(limit: number): number {
    const due = this.work.splice(0, limit);
    for (const run of due) run();
    if (this.work.length > 0) this.handle?.schedule('user');
    const { moved } = this;
    this.moved = 0;
    return due.length + moved;
  }
  accept(): void {}
  requestStop(): void {}

  private tell(envelope: Envelope): void {
    try {
      this.system.deliver(envelope);
    } catch (error) {
      this.system.log.debug({ error }, 'a stream could not be told something');
    }
  }
  private own(path: string, uid: number): Incarnation {
    return { kind: 'incarnation', node: this.system.node, nodeIncarnation: this.system.incarnation, path, uid };
  }
}

/** By the number alone: asks and streams of a node are counted together. */
const keyOf = (way: Address): string => (way.kind === 'incarnation' ? `${way.node}.${way.nodeIncarnation}#${way.uid}` : formatAddress(way));

export type { Items };
