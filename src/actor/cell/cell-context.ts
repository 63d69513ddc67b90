import type { AgentRef, Commands, Protocol } from '../../agent/protocol.ts';
import { NexaError, toNexaError } from '../../errors.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Logger } from '../../ports/logger.ts';
import type { Random } from '../../ports/random.ts';
import { encodeId, REPLY_PATH } from '../address.ts';
import type { Context } from '../context.ts';
import { type Envelope, FATE, type Guard, type Mail, OwnMail } from '../envelope.ts';
import type { RuntimeEvent } from '../events.ts';
import { asActorRef, asAgentRef, asReplyTo, liveRef, NamedRef } from '../live-ref.ts';
import type { ItemOf, Message, ReplyOf } from '../message.ts';
import type { Props } from '../props.ts';
import type { OwnReceptionist, Service, ServiceKey } from '../receptionist.ts';
import type { ActorRef, AnyRef, Cancel, ReplyTo } from '../ref.ts';
import type { Outcome } from '../signal.ts';
import type { Outflow } from '../stream/outflow.ts';
import { answersWithStream } from '../stream/streams.ts';
import { SystemTopic, subscribeCell } from '../system-topic.ts';
import type { OwnTopic, SubscriptionOptions } from '../topic.ts';
import type { Cell } from './cell.ts';
import { ChildrenView } from './children-view.ts';
import { HeldReplies } from './held-replies.ts';
import { IdleWatch } from './idle.ts';
import type { CellOptions } from './options.ts';
import { Timers } from './timers.ts';
import { errorOf } from './user-code.ts';
import { unwatch, watch } from './watching.ts';

const MOST_PIPES = 1_000;
const MOST_SUBSCRIPTIONS = 1_000;

/** What an incarnation has in hand; most of them never have any of it. */
interface Held {
  log: Logger | undefined;
  controller: AbortController | undefined;
  timers: Timers | undefined;
  subscriptions: Set<Cancel> | undefined;
  replies: HeldReplies | undefined;
  streams: Set<Outflow> | undefined;
  /** Under way. */
  pipes: number;
}

/**
 * The context of one incarnation, and that incarnation itself: what dies with it hangs here. One object serves all its messages;
 * what acts asks first whether a turn of this incarnation is running.
 */
export class CellContext implements Context<unknown> {
  /** Signals idleness, if Props ask for it. */
  idle: IdleWatch | undefined = undefined;
  private readonly cell: Cell;
  private over = false;
  private selfRef: ActorRef<unknown> | undefined = undefined;
  private held: Held | undefined = undefined;

  constructor(cell: Cell) {
    this.cell = cell;
  }

  get self(): ActorRef<unknown> {
    this.selfRef ??= asActorRef(this.cell.ref(this.cell));
    return this.selfRef;
  }
  get log(): Logger {
    const { holding } = this;
    holding.log ??= this.cell.system.log.child(this.cell.where);
    return holding.log;
  }
  get clock(): Clock {
    return this.cell.system.clock;
  }
  get random(): Random {
    return this.cell.system.random;
  }
  get signal(): AbortSignal {
    const { holding } = this;
    if (holding.controller === undefined) {
      holding.controller = new AbortController();
      if (this.over) holding.controller.abort();
    }
    return holding.controller.signal;
  }
  get children(): ReadonlyMap<string, AnyRef> {
    return new ChildrenView(this.cell);
  }
  /** How many are armed. */
  get timerCount(): number {
    return this.held?.timers?.count ?? 0;
  }
  /** Somebody waits for something of it: work that it piped, an answer that it owes, a stream that it feeds. */
  get expected(): boolean {
    const { held } = this;
    return held !== undefined && (held.pipes > 0 || (held.streams?.size ?? 0) > 0 || (held.replies?.owed ?? false));
  }
  /** What its cell was spawned with. For the runtime's own behaviours, as the next. */
  get options(): CellOptions | undefined {
    return this.cell.options;
  }
  /** Of the message that is being handled. */
  get envelope(): Envelope | undefined {
    return this.cell.current;
  }

  remainingMs(): number | undefined {
    const deadlineMs = this.cell.mail?.deadlineMs ?? Number.POSITIVE_INFINITY;
    return deadlineMs === Number.POSITIVE_INFINITY ? undefined : Math.max(0, deadlineMs - this.clock.monotonicMs());
  }

  spawn<C>(props: Props<C>, name?: string): ActorRef<C> {
    return this.spawnWith(props, name, undefined);
  }
  /** As `spawn`, with what only the runtime may ask for. */
  spawnWith<C>(props: Props<C>, name: string | undefined, options: CellOptions | undefined): ActorRef<C> {
    const cell = this.acting();
    return asActorRef(cell.system.spawnCell(props, name, options, cell).ref(cell));
  }
  stop(child: AnyRef): void {
    const cell = this.acting();
    const target = liveRef(child).target;
    if (target === undefined || (target !== cell && target.parent !== cell)) {
      throw new NexaError('context-misused', 'an actor stops itself and its own children only', {
        where: { ...cell.where, target: child.toJSON() },
      });
    }
    target.requestStop();
  }
  watch(target: AnyRef, ...instead: [message?: unknown]): void {
    watch(this.acting(), liveRef(target), instead[0] === undefined ? undefined : { message: instead[0] });
  }
  unwatch(target: AnyRef): void {
    unwatch(this.acting(), liveRef(target).address);
  }

  after(delayMs: number, message: unknown, key?: string): Cancel {
    return this.timersOf(this.acting()).start(delayMs, undefined, message, key);
  }
  every(intervalMs: number, message: unknown, key?: string): Cancel {
    return this.timersOf(this.acting()).start(intervalMs, intervalMs, message, key);
  }

  stash(): void {
    const cell = this.acting();
    const mail = cell.current;
    if (mail === undefined || mail.fate === FATE.stashed) throw this.misused('there is no message to stash');
    if (!cell.mailbox.stash(mail)) throw new NexaError('stash-full', 'the stash and the mailbox together are full', { where: cell.where });
    mail.fate = FATE.stashed;
  }
  unstashAll(): void {
    this.acting().mailbox.unstashAll();
  }

  pipe<T>(work: (signal: AbortSignal) => Promise<T>, toMessage: (outcome: Outcome<T>) => unknown): void {
    const cell = this.acting();
    const { holding } = this;
    if (holding.pipes >= MOST_PIPES)
      throw new NexaError('overloaded', `an actor has at most ${MOST_PIPES} pipes at a time`, { where: cell.where });
    holding.pipes++;
    const { signal } = this;
    Promise.resolve()
      .then(() => work(signal))
      .then(
        (value) => this.piped(toMessage, { ok: true, value }),
        (error) => this.piped(toMessage, { ok: false, error: errorOf(error, cell.where) }),
      );
  }

  agent<C extends Commands>(protocol: Protocol<C>, id: string): AgentRef<C> {
    encodeId(id);
    return asAgentRef<C>(new NamedRef(this.cell.system, { kind: 'agent', type: protocol.type, id }, undefined, this.acting()));
  }

  subscribe<E extends RuntimeEvent['event']>(
    event: E,
    toMessage: (event: Extract<RuntimeEvent, { readonly event: E }>) => unknown,
  ): Cancel {
    return this.listen((tell) =>
      this.cell.system.events.subscribe((happened) => {
        if (happened.event === event) tell(() => toMessage(happened as Extract<RuntimeEvent, { readonly event: E }>));
      }),
    );
  }
  get receptionist(): OwnReceptionist<unknown> {
    const { receptionist } = this.cell.system;
    return {
      ...receptionist,
      subscribe: <M>(key: ServiceKey<M>, toMessage: (services: readonly Service<M>[]) => unknown): Cancel =>
        this.listen((tell) => receptionist.subscribe(key, (services) => tell(() => toMessage(services)))),
    };
  }

  topic<T extends Message>(name: string): OwnTopic<T, unknown> {
    const topic = new SystemTopic<T>(this.cell.system, name, this.cell);
    const own = (toMessage: (message: T, topic: string) => unknown, options: SubscriptionOptions): Cancel => {
      const cell = this.acting();
      const subscriptions = this.subscriptionsOf(cell);
      const { cancel, end } = subscribeCell(cell, name, toMessage, options);
      subscriptions.add(end);
      return () => {
        subscriptions.delete(end);
        cancel();
      };
    };
    return {
      name,
      publish: (message) => topic.publish(message),
      subscribe: (to, options = {}) => (typeof to === 'function' ? own(to, options) : topic.subscribe(to, options)),
    };
  }

  reply<C>(message: C, reply: ReplyOf<C>): void {
    this.answer(message, { ok: true, value: reply });
  }
  refuse(message: Message, error: NexaError): void {
    this.answer(message, { ok: false, error: toNexaError(error) });
  }
  replyTo<C>(message: C): ReplyTo<ReplyOf<C>> {
    const mail = this.answering(message);
    if (mail.fate === FATE.open) mail.fate = FATE.deferred;
    const { holding } = this;
    holding.replies ??= new HeldReplies(this.cell);
    return asReplyTo(holding.replies.hold(mail));
  }

  replyStream<C>(message: C, produce: (signal: AbortSignal) => AsyncIterable<ItemOf<C>>): void {
    this.streamItems(message, produce, undefined);
  }
  /** As `replyStream`, with a check of each item on its way out. */
  streamItems(
    message: unknown,
    produce: (signal: AbortSignal) => AsyncIterable<unknown>,
    check: ((item: unknown) => unknown) | undefined,
  ): void {
    const { cell } = this;
    const mail = this.answering(message);
    if (mail.replyTo === undefined || mail.fate === FATE.replied) return;
    try {
      if (mail.replyTo.kind === 'agent' || mail.replyTo.path === REPLY_PATH) throw answersWithStream(cell.where);
      const { holding } = this;
      holding.streams ??= new Set();
      const { streams } = holding;
      streams.add(cell.system.streams.produce(cell, mail, produce, check, (over) => streams.delete(over)));
      mail.fate = FATE.replied;
    } catch (error) {
      this.answer(message, { ok: false, error: errorOf(error, cell.where) });
    }
  }

  /** Starts to count idle time, once it runs. */
  beIdleAware(): void {
    const afterMs = this.cell.props.receiveTimeoutMs;
    if (afterMs !== undefined && this.idle === undefined && !this.over) this.idle = new IdleWatch(this.cell, afterMs);
  }
  /** @throws NexaError `context-misused` unless a turn of this incarnation is running. */
  requireTurn(): void {
    this.acting();
  }
  /** Nobody waits any more for what it returns. */
  get ended(): boolean {
    return this.over;
  }
  /** The incarnation is over: nothing of it reaches the actor any more, and it can do nothing. */
  end(): void {
    if (this.over) return;
    this.over = true;
    this.idle?.end();
    const { held } = this;
    if (held === undefined) return;
    held.timers?.cancelAll();
    for (const cancel of [...(held.subscriptions ?? [])]) cancel();
    held.controller?.abort();
    held.replies?.end();
    for (const stream of [...(held.streams ?? [])])
      stream.cut(new NexaError('stream-broken', 'its producer has ended', { where: this.cell.where }));
  }
  /** A handler that does not settle keeps this context; the actor goes on with another. */
  succeeded(): CellContext {
    this.end();
    return new CellContext(this.cell);
  }

  /** Tells the actor itself what it listens to, until that is cancelled or the incarnation ends. */
  private listen(start: (tell: (message: () => unknown) => void) => Cancel): Cancel {
    const cell = this.acting();
    const subscriptions = this.subscriptionsOf(cell);
    let over = false;
    const guard: Guard = { take: () => !over };
    const end = start((message) => this.tellSelf(message, guard, false));
    const cancel = () => {
      over = true;
      end();
      subscriptions.delete(cancel);
    };
    subscriptions.add(cancel);
    return cancel;
  }
  private answer(message: unknown, outcome: Outcome<unknown>): void {
    const mail = this.answering(message);
    if (mail.replyTo === undefined) return;
    this.cell.answer(mail.replyTo, outcome);
    mail.fate = FATE.replied;
  }
  private answering(message: unknown): Mail {
    const { current, handed } = this.acting();
    if (current === undefined || (handed ?? current.message) !== message) {
      throw this.misused(
        'only the message that is being handled can be answered',
        'Take context.replyTo(message) in its own turn to answer later.',
      );
    }
    return current;
  }
  private get holding(): Held {
    this.held ??= {
      log: undefined,
      controller: undefined,
      timers: undefined,
      subscriptions: undefined,
      replies: undefined,
      streams: undefined,
      pipes: 0,
    };
    return this.held;
  }
  private acting(): Cell {
    const { cell } = this;
    if (cell.context !== this || this.over || !cell.inTurn)
      throw this.misused('this actor is not in a turn', 'Use the context while the handler runs; bring results back with pipe.');
    return cell;
  }
  private misused(message: string, fix?: string): NexaError {
    return new NexaError('context-misused', message, { where: this.cell.where, ...(fix === undefined ? {} : { fix }) });
  }
  private subscriptionsOf(cell: Cell): Set<Cancel> {
    const { holding } = this;
    holding.subscriptions ??= new Set();
    if (holding.subscriptions.size < MOST_SUBSCRIPTIONS) return holding.subscriptions;
    throw new NexaError('overloaded', `an actor has at most ${MOST_SUBSCRIPTIONS} subscriptions`, { where: cell.where });
  }
  private timersOf(cell: Cell): Timers {
    const { holding } = this;
    holding.timers ??= new Timers(cell);
    return holding.timers;
  }

  private piped<T>(toMessage: (outcome: Outcome<T>) => unknown, outcome: Outcome<T>): void {
    this.holding.pipes--;
    if (!this.over) this.tellSelf(() => toMessage(outcome), { take: () => !this.over }, true);
  }
  /** Past the bound of the mailbox only what is bounded by itself. Code that throws here is a crash of the actor. */
  private tellSelf(message: () => unknown, guard: Guard, unbounded: boolean): void {
    const { cell } = this;
    try {
      const mail = new OwnMail(cell.address, message(), guard);
      if (!unbounded) cell.offer(mail);
      else if (!cell.wantsStop) {
        cell.mailbox.push(mail);
        cell.wake();
      }
    } catch (thrown) {
      cell.fail(errorOf(thrown, cell.where));
    }
  }
}
