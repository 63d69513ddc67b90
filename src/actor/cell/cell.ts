import { NexaError } from '../../errors.ts';
import type { Address } from '../address.ts';
import { ambient } from '../ambient.ts';
import type { Behavior } from '../behavior.ts';
import type { Gate } from '../elsewhere.ts';
import type { Handle, Turnable } from '../engine.ts';
import { Mail, NOTHING, StampedMail } from '../envelope.ts';
import { LiveRef, NamedRef } from '../live-ref.ts';
import { DEFAULT_LIMITS, Mailbox, mailboxLimits, type Owner } from '../mailbox.ts';
import type { Props } from '../props.ts';
import type { Cancel } from '../ref.ts';
import type { Outcome, Terminated } from '../signal.ts';
import { estimateBytes } from '../size.ts';
import { oneForOne, type Strategy } from '../strategy.ts';
import type { System } from '../system.ts';
import type { CellContext } from './cell-context.ts';
import { type Crashes, crashesOf } from './crashes.ts';
import type { CellOptions } from './options.ts';
import type { SOON, WaitingTurn } from './overtime.ts';
import type { RestartGroup } from './restart-group.ts';
import { start } from './starting.ts';
import { lose, suspend } from './suspended.ts';
import { losePatience, refuseCycle, takeMessages, takeTask } from './turn.ts';
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
export class Cell implements Turnable, Owner {
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

  /** The mail that is being handled. */
  mail: Mail | undefined = undefined;
  /** The message that is being handled, if it has no mail (yet): it was merely told. */
  told: unknown = NOTHING;
  toldBy: Address | undefined = undefined;
  /** The copy that the handler was given, if it was not given the message itself. */
  handed: unknown = undefined;
  /** A handler has not settled yet. */
  busy = false;
  /** Which asynchronous turn is the latest: one that was abandoned settles in vain. */
  token = 0;
  /** The asynchronous turn, if it is timed. */
  timed: WaitingTurn | typeof SOON | undefined = undefined;
  /** Ends the wait for a handler that does not settle. */
  impatient: Cancel | undefined = undefined;
  /** Asks of this turn to the actor itself. */
  selfAsked: Mail[] | undefined = undefined;
  tasks: Task[] | undefined = undefined;
  turns = 0;
  /** How many turns the system had taken after the last one of this actor: who was used before whom. */
  usedAt: number;

  /** Something besides user messages waits to be attended to. */
  attention = true;
  wantsStop = false;
  wantsHalt = false;
  /** It ends because there is nothing to do, and begins again when there is. */
  passivating = false;
  crashes: Crashes | undefined = undefined;
  endReason: Terminated['reason'] = 'stopped';
  winding: WindDown | undefined = undefined;
  group: RestartGroup | undefined = undefined;
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
    this.usedAt = system.counters.turns;
    this.handle = system.engine.start(this, parent?.handle);
  }

  get restarts(): number {
    return this.crashes?.restarts ?? 0;
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
  /** The message that is being handled with its envelope, which is made for one that was merely told. */
  get current(): Mail | undefined {
    if (this.told !== NOTHING) {
      this.mail = new Mail(this.address, this.told, this.toldBy);
      this.told = NOTHING;
    }
    return this.mail;
  }
  get message(): unknown {
    return this.told === NOTHING ? this.mail?.message : this.told;
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
        refuseCycle(this, mail);
        return true;
      }
      // It asks itself: a cycle only if this turn goes on to wait.
      this.selfAsked ??= [];
      this.selfAsked.push(mail);
    }
    return this.mailbox.offer(mail, this) && this.waits();
  }
  /** As {@link offer}, for what carries nothing but itself and is told to exactly this incarnation. */
  tell(message: unknown, from: Address | undefined): boolean {
    if (this.wantsStop) {
      this.system.nobodyTook(new Mail(this.address, message, from), 'stopped');
      return true;
    }
    return this.mailbox.offerTold(message, from, this) && this.waits();
  }
  accept(message: unknown): void {
    this.tell(message, undefined);
  }
  overflowed(mail: Mail): void {
    mail.guard?.take();
    mail.guard?.shed?.();
    // An error costs far more than a message: only who waits for it gets one.
    this.system.nobodyTook(
      mail,
      'mailbox-full',
      mail.replyTo === undefined ? undefined : new NexaError('mailbox-full', 'the mailbox of this actor is full', { where: this.where }),
    );
  }

  /** Something more waits in the mailbox. False: its producer should wait. */
  private waits(): boolean {
    if (this.state === 'running' && !this.busy) this.handle.schedule('user');
    return !this.mailbox.high;
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
    const dropped = (): void =>
      this.system.nobodyTook(
        mail,
        'fenced',
        new NexaError('fenced', 'this activation may no longer act', { where: this.where, definite: true }),
      );
    if (!gate.hold(() => void effect(), dropped, estimateBytes(mail.message))) dropped();
    return true;
  }
  answer(replyTo: Address, outcome: Outcome<unknown>): void {
    if (this.gate === undefined) this.system.reply(replyTo, outcome, this);
    else this.act(new StampedMail(replyTo, outcome, this.shown, this.gate.epoch), () => this.system.reply(replyTo, outcome, this));
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
      while (this.tasks !== undefined && !this.busy) takeTask(this, this.tasks);
      if (this.gate === undefined || this.gate.open()) taken = takeMessages(this, limit);
    }
    this.wake();
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

  /** A turn of the runtime, before every user message and whatever the gate says. False: too many wait, or it is over. */
  run(task: Task): boolean {
    if (this.wantsStop || (this.tasks?.length ?? 0) >= MOST_TASKS) return false;
    this.tasks ??= [];
    this.tasks.push(task);
    this.wake();
    return true;
  }

  // ── failing

  /** A failure that is not of the current message: a child's, a pipe's. Attended to between two turns. */
  fail(error: NexaError, culprit?: Cell): void {
    if (this.wantsStop) return;
    crashesOf(this).failure ??= { error, culprit };
    this.call();
  }

  // ── ending

  requestStop(reason: Terminated['reason'] = 'stopped'): void {
    if (this.wantsStop) return;
    this.wantsStop = true;
    this.endReason = reason;
    if (this.busy) losePatience(this);
    this.call();
  }
  /** Stops, if nothing waits, nothing is under way, and nobody waits for something of it. False: not now. */
  passivate(): boolean {
    const { mailbox } = this;
    const quiet =
      this.state === 'running' && !this.inTurn && !this.attention && this.tasks === undefined && this.links?.arrived === undefined;
    if (!quiet || mailbox.size > 0 || mailbox.stashed > 0 || this.context?.expected === true) return false;
    this.passivating = true;
    this.requestStop();
    return true;
  }
  /** Winds this incarnation down, as the first half of a restart. */
  halt(): void {
    if (this.wantsStop || this.wantsHalt) return;
    this.wantsHalt = true;
    if (this.busy) losePatience(this);
    this.call();
  }
  /** The second half. */
  begin(): void {
    this.state = 'starting';
    this.wantsHalt = false;
    this.winding = undefined;
    if (this.crashes !== undefined) this.crashes.failure = this.crashes.culprit = undefined;
    this.mailbox.unstashAll();
    this.call();
  }

  /** Without ceremony, when the whole system has run out of patience. */
  kill(): void {
    if (this.state === 'stopped') return;
    this.token++;
    this.system.overtime.forget(this);
    this.impatient?.();
    lose(this, new NexaError('crashed', 'the system was stopped while this was handled', { where: this.where }));
    this.context?.end();
    this.wantsStop = true;
    this.state = 'stopped';
    for (const mail of this.mailbox.drain(this)) {
      if (mail.guard === undefined) this.system.nobodyTook(mail, 'stopped');
      else mail.guard.lost?.(mail);
    }
    this.system.ended(this);
  }

  private attend(): void {
    if (this.wantsStop && this.state !== 'stopping') beginStop(this);
    else if (this.wantsHalt && this.winding === undefined) beginHalt(this);
    else if (this.crashes?.failure !== undefined && this.winding === undefined) {
      const { error, culprit } = this.crashes.failure;
      this.crashes.failure = undefined;
      suspend(this, error, culprit);
    }
    if (this.winding !== undefined) windDown(this);
    else if (this.state === 'starting') start(this);
  }
}
