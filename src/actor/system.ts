import { NexaError } from '../errors.ts';
import type { Clock } from '../ports/clock.ts';
import type { Logger } from '../ports/logger.ts';
import type { Random } from '../ports/random.ts';
import { type Address, describeAddress, formatAddress, isNodeId, type NodeId, parseAddress, REPLY_PATH } from './address.ts';
import { ask } from './ask.ts';
import { AskTable, asOutcome } from './ask-table.ts';
import type { Cell, Task } from './cell/cell.ts';
import type { CellOptions } from './cell/options.ts';
import { Overtime } from './cell/overtime.ts';
import { targetEnded, watchedFromElsewhere } from './cell/watching.ts';
import { DeadLetters } from './dead-letters.ts';
import { Deaths } from './deaths.ts';
import type { Elsewhere } from './elsewhere.ts';
import type { Engine } from './engine.ts';
import { arrivedMail, type Envelope, Mail, StampedMail } from './envelope.ts';
import { eventStream } from './event-stream.ts';
import type { DeadLetterReason, EventStream } from './events.ts';
import { asActorRef, LiveRef, liveRef, NamedRef, ReplyRef } from './live-ref.ts';
import type { Pressure } from './mailbox.ts';
import type { Message } from './message.ts';
import type { Props } from './props.ts';
import { waitUntilReady } from './ready.ts';
import type { Receptionist } from './receptionist.ts';
import type { ActorRef, AnyRef, AskOptions, Cancel, StreamOptions } from './ref.ts';
import { Registry } from './registry.ts';
import { safeLogger } from './safe-logger.ts';
import type { Outcome, Terminated } from './signal.ts';
import { type CellSnapshot, snapshotOf } from './snapshot.ts';
import { oneForOne, type Strategy } from './strategy.ts';
import { stream } from './stream/stream.ts';
import { Streams } from './stream/streams.ts';
import { SystemTopic } from './system-topic.ts';
import { type DurableTells, type TellDurablyOptions, tellDurably } from './tell-durably.ts';
import type { Topic, TopicBus } from './topic.ts';

/** Actors in this process. What `actorSystem()` gives, and what every node is built on. */
export interface ActorSystem extends AsyncDisposable {
  readonly events: EventStream;
  /** @throws NexaError `conflict` for a name that is taken, `bad-id` for one that is none, `invalid-definition`, `overloaded`, `unavailable` once stopped. */
  spawn<M>(props: Props<M>, name?: string): ActorRef<M>;
  /** Back to a live ref from its text. The type is the caller's word: prefer `agent`. @throws NexaError `invalid-message`, `bad-id`. */
  unsafeRef<M>(address: Address | string): ActorRef<M>;
  /** Messages by what they are about: publish to a name, subscribe to a name or pattern. @throws NexaError `bad-id`. */
  topic<T extends Message>(name: string): Topic<T>;
  /** Services by key: who offers what. */
  readonly receptionist: Receptionist;
  /** Gracefully, children first. @throws NexaError `ask-timeout` if something would not stop; it is stopped by then. */
  stop(options?: { readonly timeoutMs?: number }): Promise<void>;
}

export interface SystemOptions {
  readonly engine: Engine;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** Default: `local`. */
  readonly node?: NodeId;
  /** Default: 1. */
  readonly incarnation?: number;
  /** For the actors at the top. Past it the whole system fails. */
  readonly strategy?: Strategy;
  /** How long a handler that does not settle may hold up its actor's stop or restart. Default 5,000. */
  readonly stopTimeoutMs?: number;
  /** Most actors at a time. Default 1,000,000. */
  readonly actorLimit?: number;
  /** Most asks that wait at a time. Default 100,000. */
  readonly askLimit?: number;
  /** An asynchronous handler that takes longer is an event; agents have their own limit. Default 1,000. */
  readonly slowHandlerMs?: number;
}

/** What happened since the start. */
export interface Counters {
  /** Messages and signals handled. */
  turns: number;
  spawned: number;
  stopped: number;
  restarts: number;
}

const GRACE_MS = 10_000;

/**
 * The actors of one node incarnation. {@link deliver} is the one question of the runtime: mine or elsewhere? What is elsewhere
 * goes to whatever was connected; a system on its own has nothing elsewhere, and a message there is a dead letter.
 */
export class System implements ActorSystem {
  readonly node: NodeId;
  readonly incarnation: number;
  readonly engine: Engine;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly events: EventStream;
  readonly asks: AskTable;
  readonly streams: Streams = new Streams(this);
  readonly deaths = new Deaths(10_000);
  readonly deadLetters = new DeadLetters(1_000, 2 ** 20);
  readonly overtime: Overtime;
  readonly counters: Counters = { turns: 0, spawned: 0, stopped: 0, restarts: 0 };
  readonly stopTimeoutMs: number;
  /** Resolves with the error that felled the system; never rejects. */
  readonly failed: Promise<NexaError>;
  elsewhere: Elsewhere | undefined = undefined;
  /** What carries topics; installed by whoever has a broker. */
  topics: TopicBus | undefined = undefined;
  /** What ends with an actor and is not known to any incarnation of it. */
  readonly endings = new Map<Cell, Set<Cancel>>();
  /** What stores messages for named agents; installed by the cluster. */
  durableTells: DurableTells | undefined = undefined;
  /** Installed by whoever has a store. */
  services: Receptionist | undefined = undefined;
  /** The way back of what was told: an answer there is for nobody, and nobody misses it. */
  readonly nobody: Address;

  private readonly registry: Registry;
  private tellFailed: (error: NexaError) => void = () => {};
  private rootEnded: () => void = () => {};
  private readonly ending: Promise<void>;
  private stopping: Promise<void> | undefined = undefined;
  /** Stopped: nothing is spawned or asked any more. */
  over = false;

  constructor(options: SystemOptions) {
    this.node = options.node ?? 'local';
    this.incarnation = options.incarnation ?? 1;
    if (!isNodeId(this.node))
      throw new NexaError('bad-id', 'this is no name of a node', {
        where: { node: String(this.node).slice(0, 200) },
        fix: 'Use letters, digits, _ and -; at most 64.',
      });
    this.nobody = { kind: 'incarnation', node: this.node, nodeIncarnation: this.incarnation, path: REPLY_PATH, uid: 0 };
    this.engine = options.engine;
    this.clock = options.clock;
    this.random = options.random;
    this.log = safeLogger(options.log);
    this.events = eventStream(this.log);
    this.asks = new AskTable(options.clock, options.askLimit ?? 100_000, (id, to) => {
      if (!this.isMine(to)) this.elsewhere?.giveUp(id);
    });
    this.stopTimeoutMs = options.stopTimeoutMs ?? 5_000;
    this.overtime = new Overtime({ clock: this.clock, log: this.log, events: this.events, limitMs: options.slowHandlerMs ?? 1_000 });
    this.failed = new Promise((resolve) => {
      this.tellFailed = resolve;
    });
    this.ending = new Promise((resolve) => {
      this.rootEnded = resolve;
    });
    this.registry = new Registry(this, options.strategy ?? oneForOne(), options.actorLimit ?? 1_000_000);
  }

  // ── actors

  spawn<M>(props: Props<M>, name?: string): ActorRef<M> {
    return asActorRef(this.spawnCell(props, name).ref(undefined));
  }

  /** @throws NexaError as {@link spawn}. */
  spawnCell<M>(props: Props<M>, name?: string, options?: CellOptions, parent: Cell = this.registry.root): Cell {
    const cell = this.registry.spawn(props as unknown as Props<unknown>, name, options, parent);
    this.counters.spawned++;
    return cell;
  }

  isMine(address: Address): boolean {
    return address.kind === 'incarnation' && address.node === this.node && address.nodeIncarnation === this.incarnation;
  }

  /** The live cell of an address of this node. Uid 0 means whoever is at that path now: for the well-known actors of a node. */
  resolve(address: Address): Cell | undefined {
    return address.kind === 'incarnation' && this.isMine(address) ? this.registry.find(address.path, address.uid) : undefined;
  }

  /** A live ref of any address, held by `binding`. */
  refOf(address: Address, binding?: Cell): LiveRef {
    if (address.kind === 'agent') return new NamedRef(this, address, undefined, binding);
    if (address.path.startsWith(REPLY_PATH)) return new ReplyRef(this, address, undefined, binding);
    const cell = address.uid === 0 ? undefined : this.resolve(address);
    return new LiveRef(this, cell === undefined ? address : undefined, cell, binding);
  }
  unsafeRef<M>(address: Address | string): ActorRef<M> {
    if (typeof address === 'string') return asActorRef(this.refOf(parseAddress(address)));
    // What no node would read must not get into a frame with the messages of others.
    if (address.kind === 'incarnation') parseAddress(formatAddress(address));
    return asActorRef(this.refOf(address));
  }

  topic<T extends Message>(name: string): Topic<T> {
    return new SystemTopic<T>(this, name);
  }
  /** @throws NexaError `unavailable` */
  get receptionist(): Receptionist {
    if (this.services !== undefined) return this.services;
    const fix = 'Use actorSystem() or a node.';
    throw new NexaError('unavailable', 'this actor system has no store for services', { retryable: false, fix });
  }

  /** Stops an actor of this node gracefully; the owner's word counts, so any ref will do. */
  stopActor(ref: AnyRef): void {
    this.resolve(liveRef(ref).address)?.requestStop();
  }
  /** Takes turns again below this path: its gate has opened. */
  resume(path: string): void {
    this.registry.find(path, 0)?.reopened();
  }
  /** Runs work of the runtime as a turn of that actor, before its user messages and whatever its gate says. False: it is over or overloaded. */
  runIn(address: Address, task: Task): boolean {
    return this.resolve(address)?.run(task) ?? false;
  }

  // ── messages

  /** Tell's contract: false is a hint to wait. @throws what the way elsewhere throws before anything was sent. */
  deliver(envelope: Envelope): boolean {
    const { to } = envelope;
    if (this.isMine(to)) {
      if (to.kind === 'incarnation' && to.path === REPLY_PATH) {
        if (to.uid !== 0 && !this.asks.settle(to.uid, asOutcome(envelope.message))) this.deadLetter(envelope, 'late-reply');
        return true;
      }
      if (to.kind === 'incarnation' && this.streams.takes(to)) {
        this.streams.arrived(envelope);
        return true;
      }
      const cell = this.resolve(to);
      if (cell !== undefined) return cell.offer(arrivedMail(envelope, this.clock));
    } else if (this.elsewhere !== undefined) return this.elsewhere.send(envelope);
    this.nobodyTook(
      envelope,
      to.kind === 'incarnation' && this.deaths.of(to.uid) !== undefined && this.isMine(to) ? 'stopped' : 'no-actor',
    );
    return true;
  }

  /** Whether that actor of this node takes more. Nobody is there: what is sent there waits nowhere. */
  pressure(to: Address): Pressure {
    return this.resolve(to)?.mailbox.pressure ?? 'room';
  }

  ask(ref: LiveRef, message: unknown, options: AskOptions): Promise<unknown> {
    return ask(this, ref, message, options);
  }

  tellDurably(ref: LiveRef, message: unknown, options: TellDurablyOptions): Promise<void> {
    return tellDurably(this, ref, message, options);
  }

  stream(ref: LiveRef, message: unknown, options: StreamOptions): AsyncIterable<unknown> {
    return stream(this, ref, message, options);
  }

  /** Answers an ask, here or elsewhere. An answer that nobody waits for is a dead letter. */
  reply(replyTo: Address, outcome: Outcome<unknown>, sender?: Cell): boolean {
    if (this.isMine(replyTo) && replyTo.kind === 'incarnation' && replyTo.path === REPLY_PATH && this.asks.settle(replyTo.uid, outcome))
      return true;
    return this.deliver(new StampedMail(replyTo, outcome, sender?.shown, sender?.gate?.epoch));
  }

  /** Whether an ask is still worth handling; if not it is a dead letter, and nobody waits for it. */
  stillWanted(mail: Mail): boolean {
    const replyTo = mail.replyTo as Address;
    const mine = replyTo.kind === 'incarnation' && this.isMine(replyTo);
    if (mine ? !this.waits(replyTo) : this.streams.isGivenUp(replyTo)) {
      this.deadLetter(mail, 'expired');
      return false;
    }
    // Also of its own: after something held the event loop, what waits here comes before the timer that would end it.
    if (mail.deadlineMs > this.clock.monotonicMs()) return true;
    this.nobodyTook(mail, 'expired', new NexaError('ask-timeout', 'the deadline passed before the message was begun', { definite: true }));
    return false;
  }

  /** Whether an ask or stream of this node still waits there. */
  waits(replyTo: Extract<Address, { kind: 'incarnation' }>): boolean {
    return replyTo.path === REPLY_PATH ? this.asks.waits(replyTo.uid) : this.streams.waits(replyTo.uid);
  }

  /** Counts and keeps a message that nobody took. Whoever asked is not answered by this. */
  deadLetter(envelope: Envelope, reason: DeadLetterReason, error?: NexaError): void {
    this.deadLetters.add(envelope, reason, error, this.clock.wallMs());
    this.events.publish({ event: 'dead-letter', envelope, reason, ...(error === undefined ? {} : { error }) });
  }
  /** A dead letter whose asker is told so: by the given error, else `no-such-actor`. */
  nobodyTook(envelope: Envelope, reason: DeadLetterReason, error?: NexaError): void {
    if (this.streams.unsent(envelope, error)) return;
    this.deadLetter(envelope, reason, error);
    if (envelope.replyTo === undefined) return;
    this.refuse(
      envelope,
      error ?? new NexaError('no-such-actor', 'there is no such actor (any more)', { where: { to: describeAddress(envelope.to) } }),
    );
  }
  /** Tells whoever asked that it did not work out. */
  refuse(envelope: Envelope, error: NexaError): void {
    if (envelope.replyTo === undefined) return;
    try {
      this.reply(envelope.replyTo, { ok: false, error });
    } catch (thrown) {
      this.log.warn({ error: thrown }, 'a refusal could not be sent');
    }
  }
  /** Delivers a kept dead letter again. False: it is not kept any more. */
  replay(number: number): boolean {
    const letter = this.deadLetters.find(number);
    if (letter === undefined) return false;
    const { to, message, from } = letter.envelope;
    this.deliver(new Mail(to, message, from));
    return true;
  }

  ready(address: Address, cell: Cell | undefined, options: { readonly timeoutMs: number; readonly signal?: AbortSignal }): Promise<void> {
    const here = cell ?? this.resolve(address);
    if (here !== undefined) return waitUntilReady(this, here, options);
    if (!this.isMine(address) && this.elsewhere !== undefined) return this.elsewhere.ready(address, options);
    return Promise.reject(new NexaError('no-such-actor', 'there is no such actor (any more)', { where: { to: describeAddress(address) } }));
  }

  // ── the way elsewhere

  /** Installs what reaches everything that is no actor of this process. */
  connect(elsewhere: Elsewhere): void {
    this.elsewhere = elsewhere;
  }
  /** An actor elsewhere watches one of ours. Answers the reason at once if that does not live; else `terminated` is said later. */
  watchFromElsewhere(watcher: Address, target: Address): Terminated['reason'] | undefined {
    const cell = this.resolve(target);
    if (cell !== undefined && watchedFromElsewhere(cell, watcher)) return undefined;
    return (target.kind === 'incarnation' && this.isMine(target) ? this.deaths.of(target.uid) : undefined) ?? 'unknown';
  }
  unwatchFromElsewhere(watcher: Address, target: Address): void {
    this.resolve(target)?.links?.remote?.delete(describeAddress(watcher));
  }
  /** An ask or stream of this node that cannot be answered any more. */
  unanswered(id: number, error: NexaError): void {
    if (!this.streams.failed(id, error)) this.asks.settle(id, { ok: false, error });
  }
  /** Something elsewhere that one of ours watches has ended. A second time says nothing. */
  terminated(watcher: Address, target: Address, reason: Terminated['reason']): void {
    const cell = this.resolve(watcher);
    if (cell !== undefined) targetEnded(cell, target, reason);
  }

  // ── from the cells

  /** A cell is over. */
  ended(cell: Cell): void {
    this.registry.forget(cell);
    for (const end of this.endings.get(cell) ?? []) end();
    this.endings.delete(cell);
    this.deaths.record(cell.uid, cell.endReason);
    this.counters.stopped++;
    if (cell.parent === undefined) this.rootEnded();
    else if (cell.passivating) this.events.publish({ event: 'passivated', address: cell.shown, epoch: cell.gate?.epoch ?? 0 });
    else this.events.publish({ event: 'stopped', address: cell.shown, reason: cell.endReason });
  }
  /** A failure that nobody above could handle: the system goes down with it. */
  fail(error: NexaError): void {
    this.log.error({ error }, 'a failure passed every supervisor: the system stops');
    this.tellFailed(error);
    this.stop().catch(() => {});
  }

  // ── looking and ending

  /** The live tree, at most `limit` actors of it. */
  snapshot(limit = 10_000): CellSnapshot {
    return snapshotOf(this.registry.root, { left: limit });
  }
  get actors(): number {
    return this.registry.size;
  }

  stop(options: { readonly timeoutMs?: number } = {}): Promise<void> {
    this.stopping ??= this.shutDown(options.timeoutMs ?? GRACE_MS);
    return this.stopping;
  }
  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  private async shutDown(timeoutMs: number): Promise<void> {
    this.registry.root.requestStop();
    const late = await new Promise<boolean>((resolve) => {
      const forget = this.clock.after(timeoutMs, () => resolve(true));
      this.ending.then(() => {
        forget();
        resolve(false);
      });
    });
    this.over = true;
    this.engine.stop();
    const left = this.actors;
    for (const cell of this.registry.all()) cell.kill();
    const stopped = new NexaError('cancelled', 'the actor system was stopped');
    this.asks.close(stopped);
    this.streams.close(stopped);
    this.overtime.close();
    if (late)
      throw new NexaError('ask-timeout', `${left} actors did not stop in time and were ended`, {
        fix: 'Give stop more time, or let handlers heed context.signal.',
      });
  }
}

export const createSystem = (options: SystemOptions): System => new System(options);
