import type { AgentRef, Commands } from '../agent/protocol.ts';
import { NexaError } from '../errors.ts';
import { type Address, formatAddress } from './address.ts';
import { ambient } from './ambient.ts';
import type { Cell } from './cell/cell.ts';
import { AskMail, Mail, StampedMail } from './envelope.ts';
import type { ActorRef, AnyRef, AskOptions, ReplyTo, StreamOptions } from './ref.ts';
import type { System } from './system.ts';
import type { TellDurablyOptions } from './tell-durably.ts';

/**
 * A ref that can be used. It knows the cell it reaches, when that is one of this node, and it may be bound to the cell that holds
 * it: what is sent through it carries that cell's address and passes that cell's gate, also after an await, when nobody's turn
 * is running. In somebody's turn the sender is always the cell whose turn it is.
 */
export class LiveRef {
  readonly system: System;
  /** The cell that holds this ref. */
  readonly binding: Cell | undefined;
  /** The cell it reaches, if that was one of this node when the ref was made. */
  readonly target: Cell | undefined;
  private readonly named: Address | undefined;

  constructor(system: System, address: Address | undefined, target: Cell | undefined, binding: Cell | undefined) {
    this.system = system;
    this.named = address;
    this.target = target;
    this.binding = binding;
  }

  get address(): Address {
    return this.named ?? (this.target as Cell).address;
  }

  tell(message: unknown): boolean {
    const sender = this.sender();
    if (sender !== undefined && (sender.guarded || sender.mail?.traceparent !== undefined)) return this.tellWith(sender, message);
    const from = sender?.shown;
    return this.named === undefined ? (this.target as Cell).tell(message, from) : this.route(new Mail(this.named, message, from));
  }

  ask(message: unknown, options: AskOptions): Promise<unknown> {
    return this.system.ask(this, message, options);
  }

  stream(message: unknown, options: StreamOptions): AsyncIterable<unknown> {
    return this.system.stream(this, message, options);
  }

  ready(options: { readonly timeoutMs: number; readonly signal?: AbortSignal }): Promise<void> {
    return this.system.ready(this.address, this.live(), options);
  }

  toJSON(): string {
    return formatAddress(this.address);
  }
  toString(): string {
    return formatAddress(this.address);
  }

  /** The same address, held by another cell or by nobody. */
  boundTo(binding: Cell | undefined): LiveRef {
    return binding === this.binding ? this : new LiveRef(this.system, this.named, this.target, binding);
  }

  /** Whose send this would be. */
  sender(): Cell | undefined {
    const running = ambient.cell;
    return running !== undefined && running.system === this.system ? running : this.binding;
  }

  /** An address of an agent outlives its activation; one of an incarnation ends with it. */
  route(mail: Mail): boolean {
    const target = this.target;
    if (target !== undefined && (this.named === undefined || target.state !== 'stopped')) return target.offer(mail);
    return this.system.deliver(mail);
  }

  private live(): Cell | undefined {
    return this.target?.state === 'stopped' ? undefined : this.target;
  }

  /** A told message that carries more than itself: the epoch of its sender, the trace of what is being handled. */
  private tellWith(sender: Cell, message: unknown): boolean {
    const epoch = sender.gate?.epoch;
    const traceparent = sender.inTurn ? sender.mail?.traceparent : undefined;
    const mail =
      traceparent === undefined
        ? new StampedMail(this.address, message, sender.shown, epoch)
        : new AskMail({ to: this.address, message, from: sender.shown, epoch, traceparent }, Number.POSITIVE_INFINITY);
    return sender.act(mail, () => this.route(mail));
  }
}

/** A ref by the name of an agent. */
export class NamedRef extends LiveRef {
  readonly type: string;
  readonly id: string;

  constructor(system: System, address: Extract<Address, { kind: 'agent' }>, target: Cell | undefined, binding: Cell | undefined) {
    super(system, address, target, binding);
    this.type = address.type;
    this.id = address.id;
  }

  tellDurably(message: unknown, options: TellDurablyOptions): Promise<void> {
    return this.system.tellDurably(this, message, options);
  }

  override boundTo(binding: Cell | undefined): LiveRef {
    return binding === this.binding ? this : new NamedRef(this.system, { kind: 'agent', type: this.type, id: this.id }, undefined, binding);
  }
}

/** The way back of one ask. */
export class ReplyRef extends LiveRef {
  override tell(reply: unknown): boolean {
    return this.answer({ ok: true, value: reply });
  }
  refuse(error: NexaError): void {
    this.answer({ ok: false, error });
  }
  override ask(): Promise<unknown> {
    return Promise.reject(new NexaError('invalid-message', 'the way back of an ask cannot be asked', { where: { to: this.toJSON() } }));
  }
  override boundTo(binding: Cell | undefined): LiveRef {
    return binding === this.binding ? this : new ReplyRef(this.system, this.address, undefined, binding);
  }

  private answer(outcome: Parameters<System['reply']>[1]): boolean {
    const sender = this.sender();
    if (sender === undefined || !sender.guarded) return this.system.reply(this.address, outcome, sender);
    return sender.act(new StampedMail(this.address, outcome, sender.shown, sender.gate?.epoch), () =>
      this.system.reply(this.address, outcome, sender),
    );
  }
}

/** The typed face. The type is the word of whoever asks for it. */
export const asActorRef = <M>(ref: LiveRef): ActorRef<M> => ref as unknown as ActorRef<M>;
export const asAgentRef = <C extends Commands>(ref: LiveRef): AgentRef<C> => ref as unknown as AgentRef<C>;
export const asReplyTo = <R>(ref: LiveRef): ReplyTo<R> => ref as unknown as ReplyTo<R>;

/** The live ref behind a typed one. @throws NexaError `invalid-message` when it is none. */
export function liveRef(ref: AnyRef): LiveRef {
  if (ref instanceof LiveRef) return ref;
  throw new NexaError('invalid-message', 'this is no ref of an actor', { fix: 'Pass what spawn, agent or a message gave.' });
}

/**
 * Binds the refs at the top of a message to the cell that receives it. A message without refs, which is nearly every one, is
 * handed over as it is; the sender's own object is never changed.
 */
export function rebind(message: unknown, binding: Cell | undefined): unknown {
  if (typeof message !== 'object' || message === null) return message;
  for (const key in message) {
    const value = (message as Record<string, unknown>)[key];
    if (typeof value === 'object' && value instanceof LiveRef && value.binding !== binding) return rebound(message, binding);
  }
  return message;
}
/** As {@link rebind}, for an answer, which may be a ref itself. */
export const rebindAnswer = (answer: unknown, binding: Cell | undefined): unknown =>
  answer instanceof LiveRef ? answer.boundTo(binding) : rebind(answer, binding);

function rebound(message: object, binding: Cell | undefined): unknown {
  const prototype = Object.getPrototypeOf(message);
  if (prototype !== Object.prototype && prototype !== null && prototype !== Array.prototype) return message;
  const copy: Record<string, unknown> = Array.isArray(message) ? ([...message] as unknown as Record<string, unknown>) : { ...message };
  for (const key in copy) {
    const value = copy[key];
    if (value instanceof LiveRef) copy[key] = value.boundTo(binding);
  }
  return copy;
}
