import { NexaError, toNexaError } from '../../errors.ts';
import { REPLY_PATH } from '../address.ts';
import { receive } from '../behavior.ts';
import type { Cell } from '../cell/cell.ts';
import type { CellContext } from '../cell/cell-context.ts';
import type { Context } from '../context.ts';
import { AskMail, type Mail } from '../envelope.ts';
import { LiveRef, liveRef } from '../live-ref.ts';
import type { Props } from '../props.ts';
import type { Routees } from '../receptionist.ts';
import type { ActorRef, AskOptions, Cancel, StreamOptions } from '../ref.ts';
import { draws } from './draws.ts';
import { MOST_ROUTEES, Pool, type Routee } from './routees.ts';
import type { Chooser, Routing } from './routing.ts';

export interface RouterOptions<M> {
  /** A fixed list, or a source of them, such as `receptionist.routees(key)`: refs of actors here or elsewhere, and of agents. At most 1,000. */
  readonly routees: readonly ActorRef<M>[] | Routees<M>;
  readonly strategy: Routing<M>;
}

/**
 * One ref for many: each message goes to one of them. Whoever uses it here sends to the routee itself, so order, deadline, gate and the
 * chain of asks are those of a plain send; it travels as the ref of its actor, which then does the same for others. An ask that a
 * routee certainly did not take goes to the next one; after anything indefinite the asker is told. Without a routee an ask is
 * `unavailable`, and a tell a dead letter. `tell` and `broadcast` also throw `invalid-message`: for a key that cannot be told.
 */
export interface Router<in M> extends ActorRef<M> {
  /** To each of them, at most once, in order per routee; answers how many. There is no atomicity: who joins or ends meanwhile may miss it. */
  broadcast(message: M): number;
  /** Those of this moment. */
  readonly size: number;
}

/** Who may have a router: a system, or an actor, whose child it is and with whom it ends. */
export interface RouterParent {
  spawn<C>(props: Props<C>, name?: string): ActorRef<C>;
}

/** For an ask that says no deadline, which none of ours does. */
const LONGEST_MS = 60_000;
/** Routees asked for one message. */
const MOST_TRIES = 8;
/** Refusals after which somebody else may do better. Only where they are definite. */
const NEXT: ReadonlySet<string> = new Set([
  'no-such-actor',
  'node-lost',
  'unavailable',
  'disconnected',
  'mailbox-full',
  'overloaded',
  'not-owner',
]);

/** @throws NexaError `quota-exceeded`, `invalid-message` for a routee that is no ref, and as `spawn`. */
export function router<M>(parent: RouterParent, options: RouterOptions<M>, name?: string): Router<M> {
  const { routees } = options;
  const pool = new Pool();
  const source = 'current' in routees ? routees : undefined;
  pool.set(source === undefined ? (routees as readonly ActorRef<M>[]) : some(source));
  const live = liveRef(
    parent.spawn(
      guardian(pool, source, () => face),
      name,
    ),
  );
  const face = new RouterRef(
    live.target as Cell,
    live.binding,
    pool,
    options.strategy.begin(draws(live.system.random)) as Chooser<unknown>,
  );
  return face as unknown as Router<M>;
}

class RouterRef extends LiveRef {
  readonly #cell: Cell;
  readonly #pool: Pool;
  readonly #chooser: Chooser<unknown>;

  constructor(cell: Cell, binding: Cell | undefined, pool: Pool, chooser: Chooser<unknown>) {
    super(cell.system, undefined, cell, binding);
    this.#cell = cell;
    this.#pool = pool;
    this.#chooser = chooser;
  }

  get size(): number {
    return this.#over ? 0 : this.#pool.all.length;
  }
  get #over(): boolean {
    return this.#cell.wantsStop || this.#cell.state === 'stopped';
  }

  override boundTo(binding: Cell | undefined): LiveRef {
    return binding === this.binding ? this : new RouterRef(this.#cell, binding, this.#pool, this.#chooser);
  }

  override tell(message: unknown): boolean {
    if (this.#over) return super.tell(message);
    const routee = this.#next(message, []);
    const sender = this.sender();
    if (routee !== undefined) return routee.ref.boundTo(sender).tell(message);
    this.system.deadLetter({ to: this.address, message, from: sender?.shown }, 'no-actor', this.#nobody());
    return true;
  }

  broadcast(message: unknown): number {
    if (this.#over) return 0;
    const { all } = this.#pool;
    const sender = this.sender();
    for (const { ref } of all) ref.boundTo(sender).tell(message);
    return all.length;
  }

  override async ask(message: unknown, options: AskOptions): Promise<unknown> {
    if (this.#over) return super.ask(message, options);
    const { clock } = this.system;
    const sender = this.sender();
    const untilMs = clock.monotonicMs() + (options?.timeoutMs ?? 0);
    const tried: Routee[] = [];
    for (let refused = this.#nobody(); ; ) {
      const routee = tried.length < MOST_TRIES ? this.#next(message, tried) : undefined;
      if (routee === undefined) throw refused;
      const begunMs = clock.monotonicMs();
      const within = tried.length === 0 ? options : { ...options, timeoutMs: untilMs - begunMs };
      tried.push(routee);
      routee.outstanding++;
      try {
        const reply = await routee.ref.boundTo(sender).ask(message, within);
        this.#learn(routee, clock.monotonicMs() - begunMs);
        return reply;
      } catch (thrown) {
        const error = toNexaError(thrown, 'internal');
        // Who fails fast is not fast.
        if (isFailure(error)) this.#learn(routee, Math.max(clock.monotonicMs() - begunMs, untilMs - begunMs));
        if (!goesOn(error) || clock.monotonicMs() >= untilMs) throw error;
        refused = error;
      } finally {
        routee.outstanding--;
      }
    }
  }

  override stream(message: unknown, options: StreamOptions): AsyncIterable<unknown> {
    return this.#over ? super.stream(message, options) : this.#items(message, options, this.sender());
  }
  async *#items(message: unknown, options: StreamOptions, sender: Cell | undefined): AsyncGenerator<unknown, void> {
    const tried: Routee[] = [];
    for (let refused = this.#nobody(); ; ) {
      const routee = tried.length < MOST_TRIES ? this.#next(message, tried) : undefined;
      if (routee === undefined) throw refused;
      tried.push(routee);
      routee.outstanding++;
      let begun = false;
      try {
        for await (const item of routee.ref.boundTo(sender).stream(message, options)) {
          begun = true;
          yield item;
        }
        return;
      } catch (thrown) {
        const error = toNexaError(thrown, 'internal');
        if (begun || !goesOn(error)) throw error;
        refused = error;
      } finally {
        routee.outstanding--;
      }
    }
  }

  /** When any of the first few takes more. */
  override async ready(options: { readonly timeoutMs: number; readonly signal?: AbortSignal }): Promise<void> {
    const some = this.#pool.all.slice(0, MOST_TRIES);
    if (some.length === 0) throw this.#nobody();
    try {
      await Promise.any(some.map(({ ref }) => ref.ready(options)));
    } catch (thrown) {
      throw thrown instanceof AggregateError ? thrown.errors[0] : thrown;
    }
  }

  /** What came to the router's own address and is no ask goes to a routee as it is. */
  forward(mail: Mail): void {
    try {
      const routee = this.#next(mail.message, []);
      if (routee === undefined) return this.system.nobodyTook(mail, 'no-actor', this.#nobody());
      const to = routee.ref.address;
      const { message, replyTo, from, chain, requestId, budgetMs, traceparent } = mail;
      routee.ref.route(new AskMail({ to, message, replyTo, from, chain, requestId, budgetMs, traceparent }, mail.deadlineMs));
    } catch (thrown) {
      // What somebody sent from elsewhere is not to fell the router.
      this.system.nobodyTook(mail, 'invalid-message', toNexaError(thrown, 'invalid-message'));
    }
  }

  /** @throws NexaError `invalid-message`, `invalid-definition` of the strategy. */
  #next(message: unknown, tried: readonly Routee[]): Routee | undefined {
    const { all } = this.#pool;
    const again = tried.length > 0;
    const left = again ? all.filter((routee) => !tried.includes(routee)) : all;
    if (left.length === 0) return undefined;
    return left[this.#chooser.choose(left, message, this.system.clock.monotonicMs(), again)];
  }
  #learn(routee: Routee, tookMs: number): void {
    if (this.#chooser.learn !== undefined) routee.learned = this.#chooser.learn(routee.learned, tookMs, this.system.clock.monotonicMs());
  }
  #nobody(): NexaError {
    return new NexaError('unavailable', 'the router has no routee', {
      where: { router: this.toJSON() },
      definite: true,
      fix: 'Try again when one has joined; see `nexa tree`.',
    });
  }
}

const goesOn = (error: NexaError): boolean => error.definite && NEXT.has(error.code);
/** What says something about the routee, and not about the message or about who asked. */
const isFailure = (error: NexaError): boolean => NEXT.has(error.code) || error.code === 'ask-timeout' || error.code === 'crashed';

/** The router's actor: watches the routees, follows their source, and routes what comes to its address from elsewhere. */
function guardian(pool: Pool, source: Routees<never> | undefined, face: () => RouterRef): Props<unknown> {
  let cancel: Cancel = () => {};
  const follow = (from: Routees<never>, context: CellContext, cell: Cell): void => {
    let waiting = false;
    const apply = (current: CellContext): void => {
      waiting = false;
      const { came, went } = pool.set(some(from));
      for (const { ref } of went) current.unwatch(ref as never);
      for (const { ref } of came) current.watch(ref as never);
    };
    cancel();
    // Many changes at a time are one look.
    cancel = from.onChange(() => {
      if (!waiting) waiting = cell.run(apply);
    });
    apply(context);
  };
  const answer = (context: Context<unknown>, message: unknown, { requestId }: Mail): void => {
    const replyTo = context.replyTo(message);
    const given = { timeoutMs: context.remainingMs() ?? LONGEST_MS, ...(requestId === undefined ? {} : { requestId }) };
    face()
      .ask(message, given)
      .then(
        (reply) => replyTo.tell(reply as never),
        (error) => replyTo.refuse(error),
      );
  };
  return {
    behavior: (context) => {
      const cell = liveRef(context.self).target as Cell;
      if (source !== undefined) follow(source, context as unknown as CellContext, cell);
      for (const { ref } of pool.all) context.watch(ref as never);
      return receive<unknown>(
        (own, message) => {
          const mail = (own as unknown as CellContext).envelope as Mail;
          const { replyTo } = mail;
          if (replyTo?.kind === 'incarnation' && replyTo.path === REPLY_PATH) answer(own, message, mail);
          else face().forward(mail);
        },
        (_own, given) => {
          if (given.signal === 'stopping') cancel();
          // An agent that nobody knows may yet be spawned; one that was here and ended is over.
          if (given.signal === 'terminated' && !(given.reason === 'unknown' && given.ref.address.kind === 'agent'))
            pool.remove(given.ref.toJSON());
        },
      );
    },
  };
}

/** A source is a hint and has no bound of its own. */
const some = <M>(source: Routees<M>): readonly ActorRef<M>[] => source.current().slice(0, MOST_ROUTEES);
