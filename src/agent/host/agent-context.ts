import type { CellContext } from '../../actor/cell/cell-context.ts';
import type { RuntimeEvent } from '../../actor/events.ts';
import type { Message } from '../../actor/message.ts';
import type { Props } from '../../actor/props.ts';
import type { OwnReceptionist } from '../../actor/receptionist.ts';
import type { ActorRef, AnyRef, Cancel, ReplyTo } from '../../actor/ref.ts';
import type { Outcome } from '../../actor/signal.ts';
import type { OwnTopic } from '../../actor/topic.ts';
import type { Schedule } from '../../durable/schedule.ts';
import type { AgentContext, DueReminder } from '../outcome.ts';
import type { AgentRef, Commands, Protocol } from '../protocol.ts';
import type { OwnReminders } from './own-reminders.ts';

/** What a handler's context shows of the activation. */
export interface Shown {
  readonly id: string;
  readonly config: unknown;
  readonly epoch: number;
  readonly owned: boolean;
  readonly state: unknown;
  readonly replyTo: ReplyTo<unknown>;
  readonly reminders: OwnReminders;
}

type Own = { readonly type: string };

/** The context of one incarnation of an agent: the cell's own, and what is the agent's. */
export class HostedContext implements AgentContext<Commands, unknown, unknown, unknown> {
  readonly #cell: CellContext;
  readonly #shown: Shown;

  constructor(cell: CellContext, shown: Shown) {
    this.#cell = cell;
    this.#shown = shown;
  }

  get id(): string {
    return this.#shown.id;
  }
  get config(): unknown {
    return this.#shown.config;
  }
  get state(): unknown {
    return this.#shown.state;
  }
  get epoch(): number {
    return this.#shown.epoch;
  }
  get owned(): boolean {
    return this.#shown.owned;
  }
  get replyTo(): ReplyTo<unknown> {
    return this.#shown.replyTo;
  }
  get reminder(): DueReminder | undefined {
    return this.#shown.reminders.due;
  }
  remind(name: string, when: Schedule, message: Own): Promise<void> {
    return this.#shown.reminders.remind(name, when, message);
  }
  forget(name: string): Promise<void> {
    return this.#shown.reminders.forget(name);
  }
  get self(): ActorRef<Own> {
    return this.#cell.self as ActorRef<Own>;
  }
  get log() {
    return this.#cell.log;
  }
  get clock() {
    return this.#cell.clock;
  }
  get random() {
    return this.#cell.random;
  }
  get signal(): AbortSignal {
    return this.#cell.signal;
  }
  get children(): ReadonlyMap<string, AnyRef> {
    return this.#cell.children;
  }
  remainingMs(): number | undefined {
    return this.#cell.remainingMs();
  }
  spawn<C>(props: Props<C>, name?: string): ActorRef<C> {
    return this.#cell.spawn(props, name);
  }
  stop(child: AnyRef): void {
    this.#cell.stop(child);
  }
  watch(target: AnyRef, message?: Own): void {
    this.#cell.watch(target, message);
  }
  unwatch(target: AnyRef): void {
    this.#cell.unwatch(target);
  }
  after(delayMs: number, message: Own, key?: string): Cancel {
    return this.#cell.after(delayMs, message, key);
  }
  every(intervalMs: number, message: Own, key?: string): Cancel {
    return this.#cell.every(intervalMs, message, key);
  }
  stash(): void {
    this.#cell.stash();
  }
  unstashAll(): void {
    this.#cell.unstashAll();
  }
  pipe<T>(work: (signal: AbortSignal) => Promise<T>, toMessage: (outcome: Outcome<T>) => Own): void {
    this.#cell.pipe(work, toMessage);
  }
  agent<C extends Commands>(protocol: Protocol<C>, id: string): AgentRef<C> {
    return this.#cell.agent(protocol, id);
  }
  get receptionist(): OwnReceptionist<Own> {
    return this.#cell.receptionist;
  }
  subscribe<E extends RuntimeEvent['event']>(event: E, toMessage: (event: Extract<RuntimeEvent, { readonly event: E }>) => Own): Cancel {
    return this.#cell.subscribe(event, toMessage);
  }
  topic<T extends Message>(name: string): OwnTopic<T, Own> {
    return this.#cell.topic(name);
  }
}
