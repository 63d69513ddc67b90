import { type Address, REPLY_PATH } from '../../actor/address.ts';
import { type Behavior, stopped } from '../../actor/behavior.ts';
import type { Cell } from '../../actor/cell/cell.ts';
import type { CellContext } from '../../actor/cell/cell-context.ts';
import { FATE, type Mail } from '../../actor/envelope.ts';
import { asReplyTo, type LiveRef, ReplyRef } from '../../actor/live-ref.ts';
import type { ReplyTo } from '../../actor/ref.ts';
import type { Outcome, Signal } from '../../actor/signal.ts';
import { estimateBytes } from '../../actor/size.ts';
import { answersOnce, answersWithStream } from '../../actor/stream/streams.ts';
import type { System } from '../../actor/system.ts';
import type { ActivationRules } from '../../cluster/hosting.ts';
import type { Declarer } from '../../cluster/reminders.ts';
import type { DurableState } from '../../durable/durable-state.ts';
import { RING_BYTES, recall } from '../../durable/request-ring.ts';
import type { Turn } from '../../durable/turn.ts';
import { NexaError, toNexaError } from '../../errors.ts';
import type { Codec } from '../../ports/codec.ts';
import { isUnreadable } from '../../ports/stored.ts';
import type { AnyAgent } from '../define.ts';
import { implementationOf } from '../define.ts';
import type { AgentRef, CommandKind, Commands } from '../protocol.ts';
import { readOutcome } from '../read-outcome.ts';
import { type Binder, withBinder } from '../ref-to.ts';
import { validateCommand, validateState, validItem } from '../schema.ts';
import type { ActivationGate } from './activation-gate.ts';
import { HostedContext, type Shown } from './agent-context.ts';
import { DeferredReplies, deferredReply, encodeReply, recalled } from './memory-of-replies.ts';
import type { Meter } from './meter.ts';
import { type OwnReminders, ownReminders } from './own-reminders.ts';
import { SKIPPED, TakenMail } from './taken-mail.ts';

/** The activation that an incarnation of an agent belongs to. */
export interface Hosted {
  readonly definition: AnyAgent;
  readonly face: Extract<Address, { kind: 'agent' }>;
  readonly config: unknown;
  readonly gate: ActivationGate | undefined;
  readonly store: DurableState | undefined;
  readonly reminders: ActivationRules['reminders'];
  /** As its reminders know it. */
  readonly declarer: Declarer;
  readonly system: System;
  readonly codec: Codec;
  readonly meter: Meter;
  /** Once it is spawned: what refs from messages are bound to. */
  readonly cell: Cell | undefined;
  started(): void;
  /** The store says that somebody else owns the agent. */
  fenced(error: NexaError): void;
  /** What is stored now cannot be read: somebody else wrote it. */
  spoilt(error: NexaError): void;
  /** A handler failed on what its source will bring again; the agent goes on. */
  failed(error: NexaError): void;
  /** It is to be put away as soon as nothing waits. */
  rests(): void;
  /** A handler held the event loop for so long; what it awaited is not counted. */
  handledIn(tookMs: number): void;
}

/**
 * The behaviour of a named agent: validate, handle, store, become, reply. What a handler returns is data, and nothing of it is
 * seen before it is stored; what a repeat of a request gets is stored in the same record.
 */
export class HostedAgent implements Behavior<unknown>, Shown {
  private readonly hosted: Hosted;
  private readonly cellContext: CellContext;
  private readonly context: HostedContext;
  private current:
    | { readonly message: unknown; replyTo: ReplyTo<unknown> | undefined; readonly requestId: string | undefined }
    | undefined = undefined;
  private held: unknown;
  private deferred: DeferredReplies | undefined = undefined;
  private own: OwnReminders | undefined = undefined;
  /** What the store showed instead of our own record; no handler's error is taken for it. */
  private unreadable: NexaError | undefined = undefined;

  constructor(hosted: Hosted, cellContext: CellContext) {
    const { store, meter, codec } = hosted;
    this.hosted = hosted;
    this.cellContext = cellContext;
    this.context = new HostedContext(cellContext, this);
    if (store === undefined) {
      this.held = implementationOf(hosted.definition).initial({ id: this.id, config: this.config });
      meter.changed(() => estimateBytes(this.held));
    } else {
      const read = validateState(hosted.definition, store.state);
      if (!read.ok) throw new NexaError('corrupt-record', read.error.message, { where: { agent: this.name } });
      this.held = read.value;
      meter.stateBytes = codec.encode(store.state).byteLength;
    }
  }

  // ── what its handlers see

  get id(): string {
    return this.hosted.face.id;
  }
  get config(): unknown {
    return this.hosted.config;
  }
  get epoch(): number {
    return this.hosted.gate?.epoch ?? 0;
  }
  get owned(): boolean {
    return this.hosted.gate?.open() ?? true;
  }
  get state(): unknown {
    return this.held;
  }
  get replyTo(): ReplyTo<unknown> {
    return this.takeReplyTo();
  }
  private takeReplyTo(): ReplyTo<unknown> {
    const { current, cellContext } = this;
    if (current === undefined)
      throw new NexaError('context-misused', 'there is no message to answer', {
        fix: 'Take context.replyTo while its message is handled.',
      });
    const { requestId } = current;
    if (current.replyTo === undefined) {
      const first = cellContext.replyTo(current.message) as unknown as ReplyTo<unknown>;
      if (this.hosted.store === undefined || requestId === undefined) current.replyTo = first;
      else {
        this.deferred ??= new DeferredReplies();
        const { deferred } = this;
        deferred.open(requestId, first);
        current.replyTo = asReplyTo(new JoinedReply(first as unknown as ReplyRef, (outcome) => deferred.settle(requestId, outcome)));
      }
    }
    return current.replyTo;
  }
  get reminders(): OwnReminders {
    const { definition, codec, reminders, declarer } = this.hosted;
    this.own ??= ownReminders({
      ...{ definition, codec, bind: this.binder(), context: this.cellContext, reminders, by: declarer },
      kept: () => this.hosted.store?.kept,
    });
    return this.own;
  }

  // ── what its cell asks

  receive(_context: unknown, message: unknown): never {
    const mail = this.cellContext.envelope;
    return (mail instanceof TakenMail ? this.take(message, mail) : this.metered(message)) as never;
  }
  signal(_context: unknown, given: Signal): never {
    const { hooks } = implementationOf(this.hosted.definition);
    const context = this.context as never;
    switch (given.signal) {
      case 'started':
        return after(hooks.started?.(context), () => this.hosted.started()) as never;
      case 'stopping':
      case 'passivating':
        return after(hooks.stopping?.(context), undefined) as never;
      case 'terminated':
        return after(hooks.terminated?.(context, given as never), undefined) as never;
      default:
        return undefined as never;
    }
  }

  /** What its handler throws is for the source to try again: nothing was changed, so there is nothing to restart. */
  private async take(message: unknown, mail: TakenMail): Promise<unknown> {
    mail.begun = true;
    try {
      const next = message === SKIPPED ? await this.persist({ state: this.held, source: mail.source }) : await this.metered(message);
      if (mail.fate !== FATE.stashed) mail.settle();
      return next;
    } catch (thrown) {
      const error = toNexaError(thrown, 'crashed', { agent: this.name });
      mail.settle(error);
      if (error.code === 'fenced') throw thrown;
      if (error === this.unreadable) return void this.hosted.spoilt(error);
      this.hosted.failed(error);
      return undefined;
    }
  }
  private metered(message: unknown): unknown {
    const { meter, system } = this.hosted;
    const { clock } = system;
    const sinceMs = clock.monotonicMs();
    const handling = this.handle(message);
    const { current } = this;
    const handled = (): void => {
      // An idle agent does not keep its last message.
      if (this.current === current) this.current = undefined;
      meter.handledIn(clock.monotonicMs() - sinceMs);
    };
    if (isThenable(handling)) handling.then(handled, handled);
    else handled();
    return handling;
  }
  private handle(message: unknown): unknown {
    const { cellContext, hosted } = this;
    const { definition, store, codec, system } = hosted;
    const mail = cellContext.envelope as Mail | undefined;
    const asked = mail?.replyTo !== undefined;
    const requestId = mail?.requestId;
    this.current = { message, replyTo: undefined, requestId };
    const read = withBinder(this.binder(), () => validateCommand(definition, message, { from: this.isOwn(mail) ? 'own' : 'public' }));
    if (!read.ok) {
      if (mail instanceof TakenMail) throw read.error;
      if (asked) cellContext.refuse(message as never, read.error);
      else if (mail !== undefined) system.deadLetter(mail, 'invalid-message', read.error);
      return undefined;
    }
    const { command, fields, spec } = read.value;
    const misfit = asked ? waysApart(mail?.replyTo, spec.kind, `${definition.type}/${command}`) : undefined;
    if (misfit !== undefined) return void cellContext.refuse(message as never, misfit);
    const before = store === undefined || requestId === undefined ? undefined : recall(store.kept.requests, requestId);
    if (before !== undefined) return this.repeat(message, requestId as string, recalled(before, codec));
    const handler = implementationOf(definition).handlers[command] as (context: unknown, fields: unknown) => unknown;
    const begunMs = system.clock.monotonicMs();
    const returned = handler(this.context, fields);
    hosted.handledIn(system.clock.monotonicMs() - begunMs);
    if (!isThenable(returned)) return this.conclude(message, command, mail, returned);
    // Nobody waits any more for a handler that was given up: nothing it returns has an effect.
    return returned.then((value) => (cellContext.ended ? undefined : this.conclude(message, command, mail, value)));
  }
  private repeat(message: unknown, requestId: string, stored: Outcome<unknown> | 'deferred'): undefined {
    if (stored !== 'deferred') this.answer(message, stored);
    else if (this.deferred?.join(requestId, this.cellContext.replyTo(message) as unknown as ReplyTo<unknown>) !== true) {
      this.answer(message, { ok: false, error: new NexaError('crashed', 'it was begun once, and its answer was lost with its node') });
    }
    return undefined;
  }
  private conclude(message: unknown, command: string, mail: Mail | undefined, returned: unknown): unknown {
    const { cellContext, hosted } = this;
    const { definition, store, codec, meter } = hosted;
    const requestId = mail?.requestId;
    const taken = mail instanceof TakenMail ? mail : undefined;
    if (taken?.fate === FATE.stashed) return undefined;
    const outcome = readOutcome(definition, command, returned, this.held);
    if (!outcome.ok) throw outcome.error;
    const result = outcome.value;
    if (result.kind === 'refused') {
      this.answer(message, { ok: false, error: result.error });
      // An answer all the same: its source has been handled.
      return taken === undefined ? undefined : this.persist({ state: this.held, source: taken.source });
    }
    const finish = (): unknown => {
      if (result.state !== undefined) {
        this.held = result.state.value;
        if (store === undefined) meter.changed(() => estimateBytes(this.held));
        else meter.stateBytes = stateBytes;
      }
      if (result.kind === 'streamed') cellContext.streamItems(message, result.stream, (item) => validItem(definition, command, item));
      if (result.kind === 'answered') this.answer(message, { ok: true, value: result.reply });
      if (result.next === 'passivate') hosted.rests();
      return result.next === 'stop' ? stopped : undefined;
    };
    let stateBytes = 0;
    if (result.kind === 'deferred') this.takeReplyTo();
    if (store === undefined || (result.state === undefined && taken === undefined)) return finish();
    const turn = { state: result.state === undefined ? this.held : result.state.value, events: result.events, source: taken?.source };
    // What cannot be stored is the outcome of this request, typed and without effect; it is no reason to fail the agent.
    const unstored = (error: unknown): undefined => {
      const told =
        error instanceof NexaError && (error.category === 'resource' || error.code === 'not-encodable' || error === this.unreadable);
      if (taken !== undefined || !told) throw error;
      this.answer(message, { ok: false, error });
      if (error === this.unreadable) hosted.spoilt(error);
    };
    let reply: Uint8Array | undefined;
    try {
      const encoded = codec.encode(turn.state);
      stateBytes = encoded.byteLength;
      const { limits } = implementationOf(definition);
      this.requireRoom('the state', encoded, limits.stateBytes, 'Keep less in it, or raise limits.stateBytes of its type.');
      // A stream is no reply that could be kept for repeats.
      if (requestId !== undefined && result.kind !== 'streamed') {
        reply = result.kind === 'deferred' ? deferredReply() : encodeReply(result.reply, codec);
        this.requireRoom('the reply', reply, RING_BYTES, 'Answer less: it is stored for repeats of the request.');
      }
    } catch (error) {
      return unstored(error);
    }
    const request = requestId === undefined || reply === undefined ? undefined : ([requestId, reply] as const);
    const lost = (error: NexaError): void => (taken === undefined ? this.answer(message, { ok: false, error }) : undefined);
    return this.persist({ ...turn, request }, lost).then(finish, unstored);
  }
  /** `onLost` still may answer: after it nothing of this activation leaves any more. */
  private async persist(turn: Turn, onLost?: (error: NexaError) => void): Promise<void> {
    try {
      await this.hosted.store?.commit(turn);
    } catch (thrown) {
      const error = toNexaError(thrown, 'internal');
      // Without its store nothing is known of what was stored last: whoever goes on begins with what is there by then.
      if (error.code === 'store-misconfigured') onLost?.(error);
      if (error.code === 'fenced' || error.code === 'store-misconfigured') this.hosted.fenced(error);
      if (isUnreadable(error)) this.unreadable = error;
      throw thrown;
    }
  }
  private answer(message: unknown, outcome: Outcome<unknown>): void {
    const { current, cellContext } = this;
    if (current?.replyTo !== undefined) {
      if (outcome.ok) current.replyTo.tell(outcome.value);
      else current.replyTo.refuse(outcome.error);
    } else if (outcome.ok) cellContext.reply(message, outcome.value as never);
    else cellContext.refuse(message as never, outcome.error);
  }
  /** @throws NexaError `quota-exceeded`. */
  private requireRoom(what: string, encoded: Uint8Array, limitBytes: number, fix: string): void {
    if (encoded.byteLength <= limitBytes) return;
    throw new NexaError('quota-exceeded', `${what} would take ${encoded.byteLength} bytes, its limit is ${limitBytes}`, {
      where: { agent: this.name },
      fix,
    });
  }
  private isOwn(mail: Mail | undefined): boolean {
    const { type, id } = this.hosted.face;
    return (
      mail === undefined ||
      (mail instanceof TakenMail && 'fired' in mail.source) ||
      (mail.guard !== undefined && !(mail instanceof TakenMail)) ||
      (mail.from?.kind === 'agent' && mail.from.type === type && mail.from.id === id)
    );
  }
  private binder(): Binder {
    const { system, cell } = this.hosted;
    return (target) => {
      const address = typeof target === 'string' ? (system.unsafeRef(target).address as Address) : target;
      return system.refOf(address, cell as Cell) as unknown as AgentRef<Commands>;
    };
  }
  private get name(): string {
    const { type, id } = this.hosted.face;
    return `${type}/${id}`;
  }
}

const isThenable = (value: unknown): value is Promise<unknown> =>
  typeof value === 'object' && value !== null && typeof (value as Promise<unknown>).then === 'function';

/** A stream was asked, or what answers once was streamed: nothing of it happens. */
function waysApart(replyTo: Address | undefined, kind: CommandKind, command: string): NexaError | undefined {
  const asked = replyTo?.kind !== 'incarnation' || replyTo.path === REPLY_PATH;
  if (asked === (kind !== 'stream')) return undefined;
  return asked ? answersWithStream({ command }) : answersOnce({ command }, true);
}

/** A hook's result is of no interest, its end and its failure are. */
function after(result: unknown, then: (() => void) | undefined): unknown {
  if (isThenable(result)) return result.then(() => then?.());
  then?.();
  return undefined;
}

/** A way back whose answer also reaches those who joined, wherever it is passed on. */
class JoinedReply extends ReplyRef {
  readonly #first: ReplyRef;
  readonly #settle: (outcome: Outcome<unknown>) => void;

  constructor(first: ReplyRef, settle: (outcome: Outcome<unknown>) => void) {
    super(first.system, first.address, undefined, first.binding);
    this.#first = first;
    this.#settle = settle;
  }
  override tell(value: unknown): boolean {
    this.#settle({ ok: true, value });
    return true;
  }
  override refuse(error: NexaError): void {
    this.#settle({ ok: false, error });
  }
  override boundTo(binding: Cell | undefined): LiveRef {
    return binding === this.binding ? this : new JoinedReply(this.#first.boundTo(binding) as ReplyRef, this.#settle);
  }
  override toJSON(): string {
    return this.#first.toJSON();
  }
}
