import { type Address, REPLY_PATH } from '../../actor/address.ts';
import { type Behavior, receive, stopped } from '../../actor/behavior.ts';
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
import { withBinder } from '../ref-to.ts';
import { validateCommand, validateState, validItem } from '../schema.ts';
import type { ActivationGate } from './activation-gate.ts';
import { HostedContext } from './agent-context.ts';
import { DeferredReplies, deferredReply, encodeReply, recalled } from './memory-of-replies.ts';
import type { Meter } from './meter.ts';
import { ownReminders } from './own-reminders.ts';
import { SKIPPED, TakenMail } from './taken-mail.ts';

export interface Hosted {
  readonly definition: AnyAgent;
  readonly address: Extract<Address, { kind: 'agent' }>;
  readonly config: unknown;
  readonly gate: ActivationGate | undefined;
  readonly store: DurableState | undefined;
  readonly reminders: ActivationRules['reminders'];
  /** This activation, as its reminders know it. */
  readonly declarer: Declarer;
  readonly system: System;
  readonly codec: Codec;
  readonly meter: Meter;
  /** The cell, once it is spawned: what refs from messages are bound to. */
  readonly cell: () => Cell;
  readonly onStarted: () => void;
  /** The store says that somebody else owns the agent. */
  readonly onFenced: (error: NexaError) => void;
  /** What is stored now cannot be read: somebody else wrote it. */
  readonly onUnreadable: (error: NexaError) => void;
  /** A handler failed on what its source will bring again; the agent goes on. */
  readonly onFailed: (error: NexaError) => void;
  /** It is to be put away as soon as nothing waits. */
  readonly onPassivate: () => void;
  /** A handler held the event loop for so long; what it awaited is not counted. */
  readonly onHandled: (tookMs: number) => void;
}

/**
 * The behaviour of a named agent: validate, handle, store, become, reply. What a handler returns is data, and nothing of it is
 * seen before it is stored; what a repeat of a request gets is stored in the same record.
 */
export function hostedBehavior(hosted: Hosted, cellContext: CellContext): Behavior<unknown> {
  const { definition, address, gate, store, system, codec, meter } = hosted;
  const agent = implementationOf(definition);
  const deferred = new DeferredReplies();
  const fresh = (): unknown => agent.initial({ id: address.id, config: hosted.config });
  let state: unknown = store === undefined ? fresh() : stateOf(store);
  if (store === undefined) meter.changed(() => estimateBytes(state));
  else meter.stateBytes = codec.encode(store.state).byteLength;
  let current: { readonly message: unknown; replyTo: ReplyTo<unknown> | undefined; readonly requestId: string | undefined } | undefined;

  function stateOf(from: DurableState): unknown {
    const read = validateState(definition, from.state);
    if (!read.ok) throw new NexaError('corrupt-record', read.error.message, { where: { agent: `${address.type}/${address.id}` } });
    return read.value;
  }
  const bind = (target: Address | string): AgentRef<Commands> => {
    const parsed = typeof target === 'string' ? (system.unsafeRef(target).address as Address) : target;
    return system.refOf(parsed, hosted.cell()) as unknown as AgentRef<Commands>;
  };
  const takeReplyTo = (): ReplyTo<unknown> => {
    if (current === undefined)
      throw new NexaError('context-misused', 'there is no message to answer', {
        fix: 'Take context.replyTo while its message is handled.',
      });
    const { requestId } = current;
    if (current.replyTo === undefined) {
      const first = cellContext.replyTo(current.message) as unknown as ReplyTo<unknown>;
      if (store === undefined || requestId === undefined) current.replyTo = first;
      else {
        deferred.open(requestId, first);
        current.replyTo = asReplyTo(new JoinedReply(first as unknown as ReplyRef, (outcome) => deferred.settle(requestId, outcome)));
      }
    }
    return current.replyTo;
  };
  const context = new HostedContext(cellContext, {
    id: address.id,
    config: hosted.config,
    epoch: gate?.epoch ?? 0,
    owned: () => gate?.open() ?? true,
    state: () => state,
    replyTo: takeReplyTo,
    reminders: ownReminders({
      ...{ definition, codec, bind, context: cellContext, reminders: hosted.reminders, by: hosted.declarer },
      kept: () => store?.kept,
    }),
  });
  const answer = (message: unknown, outcome: Outcome<unknown>): void => {
    if (current?.replyTo !== undefined) {
      if (outcome.ok) current.replyTo.tell(outcome.value);
      else current.replyTo.refuse(outcome.error);
    } else if (outcome.ok) cellContext.reply(message, outcome.value as never);
    else cellContext.refuse(message as never, outcome.error);
  };
  const isOwn = (mail: Mail | undefined): boolean =>
    mail === undefined ||
    (mail instanceof TakenMail && 'fired' in mail.source) ||
    (mail.guard !== undefined && !(mail instanceof TakenMail)) ||
    (mail.from?.kind === 'agent' && mail.from.type === address.type && mail.from.id === address.id);

  /** What the store showed instead of our own record; no handler's error is taken for it. */
  let unreadable: NexaError | undefined;
  /** `onLost` still may answer: after it nothing of this activation leaves any more. */
  const persist = async (turn: Turn, onLost?: (error: NexaError) => void): Promise<void> => {
    try {
      await store?.commit(turn);
    } catch (thrown) {
      const error = toNexaError(thrown, 'internal');
      // Without its store nothing is known of what was stored last: whoever goes on begins with what is there by then.
      if (error.code === 'store-misconfigured') onLost?.(error);
      if (error.code === 'fenced' || error.code === 'store-misconfigured') hosted.onFenced(error);
      if (isUnreadable(error)) unreadable = error;
      throw thrown;
    }
  };
  /** @throws NexaError `quota-exceeded`. */
  const requireRoom = (what: string, encoded: Uint8Array, limitBytes: number, fix: string): void => {
    if (encoded.byteLength <= limitBytes) return;
    throw new NexaError('quota-exceeded', `${what} would take ${encoded.byteLength} bytes, its limit is ${limitBytes}`, {
      where: { agent: `${address.type}/${address.id}` },
      fix,
    });
  };

  const handle = (message: unknown): unknown => {
    const mail = cellContext.envelope as Mail | undefined;
    const asked = mail?.replyTo !== undefined;
    const requestId = mail?.requestId;
    current = { message, replyTo: undefined, requestId };
    const read = withBinder(bind, () => validateCommand(definition, message, { from: isOwn(mail) ? 'own' : 'public' }));
    if (!read.ok) {
      if (mail instanceof TakenMail) throw read.error;
      if (asked) cellContext.refuse(message as never, read.error);
      else if (mail !== undefined) system.deadLetter(mail, 'invalid-message', read.error);
      return undefined;
    }
    const { command, fields, spec } = read.value;
    const misfit = asked ? waysApart(mail?.replyTo, spec.kind, `${address.type}/${command}`) : undefined;
    if (misfit !== undefined) return void cellContext.refuse(message as never, misfit);
    const before = store === undefined || requestId === undefined ? undefined : recall(store.kept.requests, requestId);
    if (before !== undefined) return repeat(message, requestId as string, recalled(before, codec));
    const handler = agent.handlers[command] as (context: unknown, fields: unknown) => unknown;
    const begunMs = system.clock.monotonicMs();
    const returned = handler(context, fields);
    hosted.onHandled(system.clock.monotonicMs() - begunMs);
    if (!isThenable(returned)) return conclude(message, command, mail, returned);
    // Nobody waits any more for a handler that was given up: nothing it returns has an effect.
    return returned.then((value) => (cellContext.ended ? undefined : conclude(message, command, mail, value)));
  };
  const repeat = (message: unknown, requestId: string, stored: Outcome<unknown> | 'deferred'): undefined => {
    if (stored !== 'deferred') answer(message, stored);
    else if (!deferred.join(requestId, cellContext.replyTo(message) as unknown as ReplyTo<unknown>)) {
      answer(message, { ok: false, error: new NexaError('crashed', 'it was begun once, and its answer was lost with its node') });
    }
    return undefined;
  };
  const conclude = (message: unknown, command: string, mail: Mail | undefined, returned: unknown): unknown => {
    const requestId = mail?.requestId;
    const taken = mail instanceof TakenMail ? mail : undefined;
    if (taken?.fate === FATE.stashed) return undefined;
    const outcome = readOutcome(definition, command, returned, state);
    if (!outcome.ok) throw outcome.error;
    const result = outcome.value;
    if (result.kind === 'refused') {
      answer(message, { ok: false, error: result.error });
      // An answer all the same: its source has been handled.
      return taken === undefined ? undefined : persist({ state, source: taken.source });
    }
    const finish = (): unknown => {
      if (result.state !== undefined) {
        state = result.state.value;
        if (store === undefined) meter.changed(() => estimateBytes(state));
        else meter.stateBytes = stateBytes;
      }
      if (result.kind === 'streamed') cellContext.streamItems(message, result.stream, (item) => validItem(definition, command, item));
      if (result.kind === 'answered') answer(message, { ok: true, value: result.reply });
      if (result.next === 'passivate') hosted.onPassivate();
      return result.next === 'stop' ? stopped : undefined;
    };
    let stateBytes = 0;
    if (result.kind === 'deferred') takeReplyTo();
    if (store === undefined || (result.state === undefined && taken === undefined)) return finish();
    const turn = { state: result.state === undefined ? state : result.state.value, events: result.events, source: taken?.source };
    // What cannot be stored is the outcome of this request, typed and without effect; it is no reason to fail the agent.
    const unstored = (error: unknown): undefined => {
      const told = error instanceof NexaError && (error.category === 'resource' || error.code === 'not-encodable' || error === unreadable);
      if (taken !== undefined || !told) throw error;
      answer(message, { ok: false, error });
      if (error === unreadable) hosted.onUnreadable(error);
    };
    let reply: Uint8Array | undefined;
    try {
      const encoded = codec.encode(turn.state);
      stateBytes = encoded.byteLength;
      requireRoom('the state', encoded, agent.limits.stateBytes, 'Keep less in it, or raise limits.stateBytes of its type.');
      // A stream is no reply that could be kept for repeats.
      if (requestId !== undefined && result.kind !== 'streamed') {
        reply = result.kind === 'deferred' ? deferredReply() : encodeReply(result.reply, codec);
        requireRoom('the reply', reply, RING_BYTES, 'Answer less: it is stored for repeats of the request.');
      }
    } catch (error) {
      return unstored(error);
    }
    const request = requestId === undefined || reply === undefined ? undefined : ([requestId, reply] as const);
    const lost = (error: NexaError): void => (taken === undefined ? answer(message, { ok: false, error }) : undefined);
    return persist({ ...turn, request }, lost).then(finish, unstored);
  };

  const signal = (_context: unknown, given: Signal): unknown => {
    const { hooks } = agent;
    switch (given.signal) {
      case 'started':
        return after(hooks.started?.(context as never), hosted.onStarted);
      case 'stopping':
      case 'passivating':
        return after(hooks.stopping?.(context as never), undefined);
      case 'terminated':
        return after(hooks.terminated?.(context as never, given as never), undefined);
      default:
        return undefined;
    }
  };
  const { clock } = system;
  const metered = (message: unknown): unknown => {
    const sinceMs = clock.monotonicMs();
    const took = (): void => meter.handledIn(clock.monotonicMs() - sinceMs);
    const handling = handle(message);
    if (isThenable(handling)) handling.then(took, took);
    else took();
    return handling;
  };
  /** What its handler throws is for the source to try again: nothing was changed, so there is nothing to restart. */
  const take = async (message: unknown, mail: TakenMail): Promise<unknown> => {
    mail.begun = true;
    try {
      const next = message === SKIPPED ? await persist({ state, source: mail.source }) : await metered(message);
      if (mail.fate !== FATE.stashed) mail.settle();
      return next;
    } catch (thrown) {
      const error = toNexaError(thrown, 'crashed', { agent: `${address.type}/${address.id}` });
      mail.settle(error);
      if (error.code === 'fenced') throw thrown;
      if (error === unreadable) return void hosted.onUnreadable(error);
      hosted.onFailed(error);
      return undefined;
    }
  };
  return receive<unknown>((_context, message) => {
    const mail = cellContext.envelope;
    return (mail instanceof TakenMail ? take(message, mail) : metered(message)) as never;
  }, signal as never);
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
