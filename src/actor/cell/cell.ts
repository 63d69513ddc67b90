import { NexaError } from '../../errors.ts';
import type { Address } from '../address.ts';
import { ambient } from '../ambient.ts';
import { type Behavior, stopped } from '../behavior.ts';
import type { Gate } from '../elsewhere.ts';
import type { Handle, Turnable } from '../engine.ts';
import { FATE, Mail, StampedMail } from '../envelope.ts';
import { LiveRef, NamedRef, rebind } from '../live-ref.ts';
import { DEFAULT_LIMITS, Mailbox, mailboxLimits, type Overflow } from '../mailbox.ts';
import type { Props } from '../props.ts';
import type { Cancel } from '../ref.ts';
import type { Outcome, Signal, Terminated } from '../signal.ts';
import { oneForOne, type Strategy } from '../strategy.ts';
import type { System } from '../system.ts';
import type { CellContext } from './cell-context.ts';
import type { CellOptions } from './options.ts';
import type { RestartGroup } from './restart-group.ts';
import { start } from './starting.ts';
import { childFailed } from './supervision.ts';
import { errorOf, isThenable, typeOf } from './user-code.ts';
import type { Links } from './watching.ts';
import { beginHalt, beginStop, type WindDown, windDown } from './winding-down.ts';

export type CellState = 'starting' | 'running' | 'suspended' | 'restarting' | 'stopping' | 'stopped';
/** Work of the runtime itself that must not overlap with the actor's turns; runs also while the gate is closed. */
export type Task = (context: CellContext) => unknown;

const DEFAULT_STRATEGY = oneForOne();
const MOST_TASKS = 1_000;

/**
 * One running actor: its mailbox, its behaviour, its place in the tree and the state it is in. Everything it does is a turn, and
 * turns never overlap (M1). What a state does stands in the file of that state; what is asked of the cell from outside only
 * leaves a mark here and is attended to between two turns, before the next user message (M6).
 */
export class Cell implements Turnable, Overflow {
  readonly system: System;
  readonly parent: Cell | undefined;
  readonly name: string;
  readonly uid: number;
  readonly props: Props<unknown>;
  readonly options: CellOptions | undefined;
  readonly gate: Gate | undefined;
  readonly face: Address | undefined;
  readonly mailbox: Mailbox;
  readonly handle: Handle;
  state: CellState = 'starting';

  /** The incarnation; a restart makes a new one. */
  context: CellContext | undefined = undefined;
  behavior: Behavior<unknown> | undefined = undefined;
  children: Map<string, Cell> | undefined = undefined;
  links: Links | undefined = undefined;

  /** The message that is being handled, and the copy of it that the handler was given, if it was not given the message itself. */
  current: Mail | undefined = undefined;
  handed: unknown = undefined;
  /** A handler has not settled yet. */
  busy = false;
  turns = 0;

  /** Something besides user messages waits to be attended to. */
  attention = true;
  wantsStop = false;
  wantsHalt = false;
  failure: { readonly error: NexaError; readonly culprit: Cell | undefined } | undefined = undefined;
  culprit: Cell | undefined = undefined;
  endReason: Terminated['reason'] = 'stopped';
  winding: WindDown | undefined = undefined;
  group: RestartGroup | undefined = undefined;
  restarts = 0;
  lastError: NexaError | undefined = undefined;
  /** When it (or, for shared scopes, any of its children) was restarted lately. */
  restartedAtMs: number[] | undefined = undefined;
  private tasks: Task[] | undefined = undefined;
  private selfAsked: Mail[] | undefined = undefined;
  private token = 0;
  private impatient: Cancel | undefined = undefined;
  private ownAddress: Address | undefined = undefined;

  constructor(
    system: System,
    parent: Cell | undefined,
    name: string,
    uid: number,
    props: Props<unknown>,
    options: CellOptions | undefined,
  ) {
    this.system = system;
    this.parent = parent;
    this.name = name;
    this.uid = uid;
    this.props = props;
    this.options = options;
    this.gate = options?.gate ?? parent?.gate;
    this.face = options?.face;
    this.mailbox = new Mailbox(props.mailbox === undefined ? DEFAULT_LIMITS : mailboxLimits(props.mailbox));
    this.handle = system.engine.start(this, parent?.handle);
  }

  get path(): string {
    return this.parent?.parent === undefined ? this.name : `${this.parent.path}/${this.name}`;
  }
  get address(): Address {
    if (this.ownAddress !== undefined) return this.ownAddress;
    this.ownAddress = {
      kind: 'incarnation',
      node: this.system.node,
      nodeIncarnation: this.system.incarnation,
      path: this.path,
      uid: this.uid,
    };
    return this.ownAddress;
  }
  /** Where its messages come from. */
  get shown(): Address {
    return this.face ?? this.address;
  }
  get strategy(): Strategy {
    return this.props.strategy ?? DEFAULT_STRATEGY;
  }
  /** Names the turn that is running, in the chains of the asks it makes. */
  get turnId(): string {
    return `${this.system.node}.${this.system.incarnation}.${this.uid}.${this.turns}`;
  }
  /** Its effects need a look before they leave. */
  get guarded(): boolean {
    return this.gate !== undefined || this.state === 'stopped';
  }
  /** Its own code is running, or it has not settled yet. */
  get inTurn(): boolean {
    return this.busy || ambient.cell === this;
  }
  get where(): { readonly actor: string } {
    return { actor: this.path };
  }

  /** A ref to this cell, held by `binding`. */
  ref(binding: Cell | undefined): LiveRef {
    const { face } = this;
    if (face === undefined) return new LiveRef(this.system, undefined, this, binding);
    return face.kind === 'agent' ? new NamedRef(this.system, face, this, binding) : new LiveRef(this.system, face, this, binding);
  }

  // ── messages

  /** Tell's contract: false says that the producer should wait. */
  offer(mail: Mail): boolean {
    if (this.wantsStop) {
      this.system.nobodyTook(mail, 'stopped');
      return true;
    }
    if (mail.chain !== undefined && this.inTurn && mail.chain.includes(this.turnId)) {
      if (this.busy) {
        this.refuseCycle(mail);
        return true;
      }
      // It asks itself: a cycle only if this turn goes on to wait.
      this.selfAsked ??= [];
      this.selfAsked.push(mail);
    }
    const mailbox = this.mailbox;
    if (!mailbox.offer(mail, this)) return false;
    if (this.state === 'running' && !this.busy) this.handle.schedule('user');
    return !mailbox.high;
  }
  private refuseCycle(mail: Mail): void {
    this.system.refuse(mail, new NexaError('ask-cycle', 'this actor itself waits for the answer of this ask', { where: this.where }));
  }
  accept(message: unknown): void {
    this.offer(new Mail(this.address, message, undefined));
  }
  overflowed(mail: Mail): void {
    mail.guard?.take();
    // An error costs far more than a message: only who waits for it gets one.
    this.system.nobodyTook(
      mail,
      'mailbox-full',
      mail.replyTo === undefined ? undefined : new NexaError('mailbox-full', 'the mailbox of this actor is full', { where: this.where }),
    );
  }

  /** Lets an effect out, keeps it for later, or refuses it: the gate decides, and a cell that is over has no effects. */
  act(mail: Mail, effect: () => boolean): boolean {
    if (this.state === 'stopped') {
      this.system.nobodyTook(
        mail,
        'stopped',
        new NexaError('context-misused', 'this actor is over and sends nothing any more', { where: this.where }),
      );
      return true;
    }
    const gate = this.gate;
    if (gate === undefined || gate.open()) return effect();
    if (gate.hold(() => void effect())) return true;
    this.system.nobodyTook(
      mail,
      'fenced',
      new NexaError('fenced', 'this activation may no longer act', { where: this.where, definite: true }),
    );
    return true;
  }
  answer(replyTo: Address, outcome: Outcome<unknown>): void {
    if (this.gate === undefined) this.system.reply(replyTo, outcome, this);
    else this.act(new StampedMail(replyTo, outcome, this.shown, this.gate.epoch), () => this.system.reply(replyTo, outcome, this));
  }
  /** As {@link answer}, where nobody is left to hear that it could not be sent. */
  private settle(replyTo: Address, outcome: Outcome<unknown>): void {
    try {
      this.answer(replyTo, outcome);
    } catch (error) {
      this.system.log.warn({ ...this.where, error }, 'an answer could not be sent');
    }
  }

  // ── turns

  turn(limit: number): number {
    let taken = 0;
    if (!this.busy && this.attention) {
      // One step a turn: an actor that fails at every start must not keep the others from theirs.
      this.attention = false;
      this.attend();
    }
    if (!this.busy && !this.attention && this.state === 'running') {
      while (this.tasks !== undefined && !this.busy) this.takeTask(this.tasks);
      if (this.gate === undefined || this.gate.open()) taken = this.takeMessages(limit);
    }
    this.wake();
    return taken;
  }
  private takeMessages(limit: number): number {
    const mailbox = this.mailbox;
    let taken = 0;
    while (taken < limit && !this.busy && !this.attention && this.state === 'running') {
      if (this.links?.arrived !== undefined) this.takeSignal(this.links);
      else {
        const mail = mailbox.shift();
        if (mail === undefined) break;
        this.receive(mail);
      }
      taken++;
    }
    if (taken > 0) {
      this.context?.idle?.touched();
      this.system.counters.turns += taken;
    }
    return taken;
  }

  /** Asks for a turn if there is something to take one for. */
  wake(): void {
    if (this.busy || this.state === 'stopped') return;
    if (this.attention || this.tasks !== undefined) this.handle.schedule('system');
    else if (
      this.state === 'running' &&
      (this.mailbox.size > 0 || this.links?.arrived !== undefined) &&
      (this.gate === undefined || this.gate.open())
    ) {
      this.handle.schedule(this.links?.arrived === undefined ? 'user' : 'system');
    }
  }
  /** Marks that something besides a user message waits. */
  call(): void {
    this.attention = true;
    if (!this.busy) this.handle.schedule('system');
  }
  /** The gate may be open again. */
  reopened(): void {
    this.attention = true;
    this.wake();
    if (this.children !== undefined) for (const child of this.children.values()) child.reopened();
  }

  /** A piece of user code as a turn of its own, besides messages. */
  take(code: () => unknown): void {
    this.turns++;
    let next: unknown;
    let later = false;
    const outer = ambient.cell;
    ambient.cell = this;
    try {
      next = code();
      later = isThenable(next);
    } catch (error) {
      ambient.cell = outer;
      this.crash(error);
      return;
    }
    ambient.cell = outer;
    if (later) this.hold(next as PromiseLike<unknown>);
    else this.finish(next);
  }

  private receive(mail: Mail): void {
    if (mail.guard !== undefined && !mail.guard.take()) return;
    if (mail.replyTo !== undefined && !this.system.stillWanted(mail)) return;
    this.current = mail;
    this.turns++;
    let next: unknown;
    let later = false;
    ambient.cell = this;
    try {
      const message = rebind(mail.message, this);
      if (message !== mail.message) this.handed = message;
      next = (this.behavior as Behavior<unknown>).receive(this.context as CellContext, message);
      later = next !== undefined && isThenable(next);
    } catch (error) {
      ambient.cell = undefined;
      this.crash(error);
      return;
    }
    ambient.cell = undefined;
    if (later) this.hold(next as PromiseLike<unknown>);
    else this.finish(next);
  }

  private takeSignal(links: Links): void {
    const arrived = links.arrived?.shift();
    if (links.arrived?.length === 0) links.arrived = undefined;
    if (arrived === undefined) return;
    if ('message' in arrived) this.receive(new Mail(this.address, arrived.message, undefined));
    else this.signal(arrived);
  }
  private signal(signal: Signal): void {
    const behavior = this.behavior as Behavior<unknown>;
    if (behavior.signal !== undefined) this.take(() => behavior.signal?.(this.context as CellContext, signal));
  }

  /** A turn of the runtime, before every user message and whatever the gate says. False: too many wait, or it is over. */
  run(task: Task): boolean {
    if (this.wantsStop || (this.tasks?.length ?? 0) >= MOST_TASKS) return false;
    this.tasks ??= [];
    this.tasks.push(task);
    this.wake();
    return true;
  }
  private takeTask(tasks: Task[]): void {
    const task = tasks.shift();
    if (tasks.length === 0) this.tasks = undefined;
    if (task !== undefined) this.take(() => task(this.context as CellContext));
  }

  /** The handler is asynchronous: it holds the actor until it settles. */
  private hold(settling: PromiseLike<unknown>): void {
    this.busy = true;
    const token = ++this.token;
    const sinceMs = this.system.clock.monotonicMs();
    const type = typeOf(this.current?.message);
    const settled = (): boolean => {
      if (token !== this.token) return false;
      this.busy = false;
      this.impatient?.();
      this.impatient = undefined;
      this.system.handled(this, type, this.system.clock.monotonicMs() - sinceMs);
      if (this.state !== 'running') this.attention = true;
      return true;
    };
    Promise.resolve(settling).then(
      (next) => {
        if (!settled()) return;
        this.finish(next);
        this.wake();
      },
      (error) => {
        if (!settled()) {
          this.system.log.debug({ ...this.where, error }, 'a handler that had been abandoned failed');
          return;
        }
        this.crash(error);
        this.wake();
      },
    );
    if (this.selfAsked !== undefined) {
      for (const mail of this.selfAsked) this.refuseCycle(mail);
      this.selfAsked = undefined;
    }
    if (this.wantsStop || this.wantsHalt) this.losePatience();
  }

  private finish(next: unknown): void {
    const mail = this.current;
    if (mail !== undefined) {
      if (mail.replyTo !== undefined && mail.fate === FATE.open) this.settle(mail.replyTo, { ok: true, value: undefined });
      this.current = undefined;
      if (this.handed !== undefined) this.handed = undefined;
      if (this.selfAsked !== undefined) this.selfAsked = undefined;
    }
    if (next === undefined || this.winding !== undefined) return;
    if (next === stopped) this.requestStop();
    else if (typeof next === 'object' && next !== null && typeof (next as Behavior<unknown>).receive === 'function')
      this.behavior = next as Behavior<unknown>;
    else
      this.crash(
        new NexaError('invalid-definition', 'a handler returned something that is no behaviour', {
          where: this.where,
          fix: 'Return a behaviour, stopped or nothing.',
        }),
      );
  }

  // ── failing

  /** What it handled threw: that message is lost, and the parent decides. */
  crash(thrown: unknown): void {
    const mail = this.current;
    const error = errorOf(thrown, this.where);
    this.lost(mail, error);
    if (this.wantsStop || this.wantsHalt || this.winding !== undefined) {
      this.system.log.warn({ ...this.where, error }, 'failed while it was being stopped or restarted');
      return;
    }
    this.suspend(error, undefined);
  }
  /** A failure that is not of the current message: a child's, a pipe's. Attended to between two turns. */
  fail(error: NexaError, culprit?: Cell): void {
    if (this.wantsStop) return;
    this.failure ??= { error, culprit };
    this.call();
  }
  private suspend(error: NexaError, culprit: Cell | undefined): void {
    this.state = 'suspended';
    this.lastError = error;
    this.culprit = culprit;
    if (this.parent === undefined) this.system.fail(error);
    else childFailed(this.parent, this, error);
  }
  private lost(mail: Mail | undefined, error: NexaError): void {
    this.current = undefined;
    this.handed = undefined;
    this.selfAsked = undefined;
    if (mail === undefined) return;
    if (mail.fate === FATE.stashed) this.mailbox.unstash(mail);
    this.system.deadLetter(mail, 'crashed', error);
    if (mail.replyTo !== undefined && mail.fate !== FATE.replied) {
      this.settle(mail.replyTo, { ok: false, error: new NexaError('crashed', error.message, { where: this.where, cause: error }) });
    }
  }
  /** Goes on as if nothing had happened; what had failed below goes on too. */
  resumed(): void {
    this.state = 'running';
    this.culprit = undefined;
    this.group?.started(this);
    this.wake();
  }

  // ── ending

  requestStop(reason: Terminated['reason'] = 'stopped'): void {
    if (this.wantsStop) return;
    this.wantsStop = true;
    this.endReason = reason;
    if (this.busy) this.losePatience();
    this.call();
  }
  /** Winds this incarnation down, as the first half of a restart. */
  halt(): void {
    if (this.wantsStop || this.wantsHalt) return;
    this.wantsHalt = true;
    if (this.busy) this.losePatience();
    this.call();
  }
  /** The second half. */
  begin(): void {
    this.state = 'starting';
    this.wantsHalt = false;
    this.winding = undefined;
    this.failure = undefined;
    this.culprit = undefined;
    this.mailbox.unstashAll();
    this.call();
  }

  /** Without ceremony, when the whole system has run out of patience. */
  kill(): void {
    if (this.state === 'stopped') return;
    this.token++;
    this.impatient?.();
    this.lost(this.current, new NexaError('crashed', 'the system was stopped while this was handled', { where: this.where }));
    this.context?.end();
    this.wantsStop = true;
    this.state = 'stopped';
    for (const mail of this.mailbox.drain()) if (mail.guard === undefined) this.system.nobodyTook(mail, 'stopped');
    this.system.ended(this);
  }

  private attend(): void {
    if (this.wantsStop && this.state !== 'stopping') beginStop(this);
    else if (this.wantsHalt && this.winding === undefined) beginHalt(this);
    else if (this.failure !== undefined && this.winding === undefined) {
      const { error, culprit } = this.failure;
      this.failure = undefined;
      this.suspend(error, culprit);
    }
    if (this.winding !== undefined) windDown(this);
    else if (this.state === 'starting') start(this);
  }

  /** What holds the actor up may do so for a while, not for ever. */
  private losePatience(): void {
    this.impatient ??= this.system.clock.after(this.options?.stopTimeoutMs ?? this.system.stopTimeoutMs, () => this.abandon());
  }
  /** The handler goes on somewhere, but no longer as this actor. */
  private abandon(): void {
    this.impatient = undefined;
    if (!this.busy) return;
    this.token++;
    this.busy = false;
    this.lost(this.current, new NexaError('crashed', 'the handler did not settle in time and was abandoned', { where: this.where }));
    this.system.log.warn(this.where, 'a handler did not settle in time and was abandoned');
    this.context = this.context?.succeeded();
    this.call();
  }
}
