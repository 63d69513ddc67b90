import type { Address } from '../../actor/address.ts';
import type { Cell } from '../../actor/cell/cell.ts';
import type { CellOptions } from '../../actor/cell/options.ts';
import { arrivedMail, type Envelope } from '../../actor/envelope.ts';
import type { Pressure } from '../../actor/mailbox.ts';
import type { Props } from '../../actor/props.ts';
import type { System } from '../../actor/system.ts';
import type { Activation, ActivationRules } from '../../cluster/hosting.ts';
import type { AgentRecord } from '../../cluster/place.ts';
import type { Declarer } from '../../cluster/reminders.ts';
import type { Standing } from '../../durable/change-reminder.ts';
import type { DurableState } from '../../durable/durable-state.ts';
import type { Kept } from '../../durable/kept.ts';
import type { Source } from '../../durable/turn.ts';
import { NexaError } from '../../errors.ts';
import type { Codec } from '../../ports/codec.ts';
import { type AnyAgent, implementationOf } from '../define.ts';
import { ActivationGate } from './activation-gate.ts';
import type { Hosted } from './hosted-agent.ts';
import { Meter, type TypeMeter } from './meter.ts';
import { SKIPPED, TakenMail } from './taken-mail.ts';

/** What all activations of one type have in common on a node. */
export interface HostedType {
  readonly definition: AnyAgent;
  readonly props: Props<unknown>;
  readonly system: System;
  readonly codec: Codec;
  readonly meter: TypeMeter;
  /** A message that this node cannot take after all, because the agent is leaving it. */
  readonly onRefused: (envelope: Envelope, error: NexaError) => void;
  readonly onFailed: (type: string, id: string, error: NexaError) => void;
}

interface Waiting {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: NexaError) => void;
}
function waiting(): Waiting {
  let settle: Pick<Waiting, 'resolve' | 'reject'> = { resolve: () => {}, reject: () => {} };
  const promise = new Promise<void>((resolve, reject) => {
    settle = { resolve, reject };
  });
  // Nobody need wait for it.
  promise.catch(() => undefined);
  return { promise, ...settle };
}

/** An activation: the cell, its gate, and how it ends. */
export class Hosting implements Activation, Hosted, CellOptions {
  cell: Cell | undefined = undefined;
  store: DurableState | undefined = undefined;
  killed = false;
  readonly epoch: number;
  readonly config: unknown;
  readonly gate: ActivationGate | undefined;
  readonly face: Extract<Address, { kind: 'agent' }>;
  readonly meter: Meter;
  readonly #of: HostedType;
  readonly #rules: ActivationRules;
  readonly #temporary: boolean;
  #ending = false;
  #busyMs = 0;
  #ended = false;
  #failure: NexaError | undefined = undefined;
  #abort: AbortController | undefined = undefined;
  #taking: Set<TakenMail> | undefined = undefined;
  /** Who waits until it has begun, and until its cell has ended; nobody most of the time. */
  #ready: Waiting | undefined = undefined;
  #over: Waiting | undefined = undefined;

  constructor(of: HostedType, record: AgentRecord, epoch: number, rules: ActivationRules, config: unknown) {
    const { type, id, restart } = record;
    this.#of = of;
    this.#rules = rules;
    this.#temporary = restart === 'temporary';
    this.epoch = epoch;
    this.config = config;
    this.gate = implementationOf(of.definition).exclusive ? new ActivationGate(epoch, rules.owns) : undefined;
    this.face = { kind: 'agent', type, id };
    this.meter = new Meter(of.meter);
  }

  /** Spawns its cell; resolves once it has started. @throws NexaError: it did not. */
  begin(parent: Cell): Promise<void> {
    const { system, props } = this.#of;
    if (this.killed) throw new NexaError('fenced', 'the activation ended before it began');
    this.#ready = waiting();
    this.cell = system.spawnCell(props, this.#rules.key, this, parent);
    return this.#ready.promise;
  }

  get type(): string {
    return this.face.type;
  }
  get id(): string {
    return this.face.id;
  }
  /** Settles when the cell has ended. */
  get over(): Promise<void> {
    if (this.#ended) return Promise.resolve();
    this.#over ??= waiting();
    return this.#over.promise;
  }
  get signal(): AbortSignal {
    this.#abort ??= new AbortController();
    if (this.killed) this.#abort.abort();
    return this.#abort.signal;
  }
  /** Whether it may write at this instant. */
  get standing(): Standing {
    if (this.killed || this.gate?.shut === true) return 'over';
    return this.gate?.open() === false ? 'wait' : 'holds';
  }
  // ── what its behaviour asks

  get definition(): AnyAgent {
    return this.#of.definition;
  }
  get system(): System {
    return this.#of.system;
  }
  get codec(): Codec {
    return this.#of.codec;
  }
  get reminders(): ActivationRules['reminders'] {
    return this.#rules.reminders;
  }
  get declarer(): Declarer {
    const { type, id, epoch } = this;
    return { type, id, epoch, standing: () => this.standing };
  }
  failed(error: NexaError): void {
    this.#of.onFailed(this.type, this.id, error);
  }
  rests(): void {
    this.#rules.onPassivate();
  }
  handledIn(tookMs: number): void {
    this.#busyMs += tookMs;
  }

  // ── what its cell asks

  get handlerMs(): number {
    return implementationOf(this.#of.definition).limits.handlerMs;
  }
  onGiveUp(error: NexaError): void {
    this.#failure = error;
  }

  // ── what the cluster asks

  get mailbox(): number {
    return this.cell?.mailbox.size ?? 0;
  }
  get pressure(): Pressure {
    return this.cell?.mailbox.pressure ?? 'room';
  }
  get restarts(): number {
    return this.cell?.restarts ?? 0;
  }

  deliver(envelope: Envelope): boolean {
    const { cell } = this;
    if (cell === undefined || this.#ending || cell.wantsStop) {
      this.#of.onRefused(envelope, this.#leaving());
      return true;
    }
    if (this.gate !== undefined && !this.gate.open() && envelope.replyTo !== undefined) {
      this.#of.onRefused(
        envelope,
        new NexaError('unavailable', 'its node has no contact with the store and is suspended', {
          where: this.#where,
          fix: 'Try again; it resumes, or moves.',
        }),
      );
      return true;
    }
    return cell.offer(arrivedMail(envelope, cell.system.clock));
  }
  get kept(): Kept | undefined {
    return this.store?.kept;
  }
  take(message: unknown, source: Source, traceparent?: string): Promise<void> {
    const { cell } = this;
    if (cell === undefined || this.#ending || cell.wantsStop) return Promise.reject(this.#leaving());
    const mail = new TakenMail(this.face, message, source, traceparent);
    this.#taking ??= new Set();
    const taking = this.#taking.add(mail);
    const done = (): void => void taking.delete(mail);
    mail.stored.then(done, done);
    // Bounded by its source, which waits for each.
    cell.mailbox.push(mail);
    cell.wake();
    return mail.stored;
  }
  skip(source: Source): Promise<void> {
    return this.take(SKIPPED, source);
  }
  /** What the incarnation before this one was at will not be settled by it. */
  restarted(): void {
    for (const mail of this.#taking ?? []) {
      if (mail.begun) mail.settle(new NexaError('crashed', 'its actor was restarted while it was handled', { where: this.#where }));
    }
  }
  busySince(): number {
    const busyMs = this.#busyMs;
    this.#busyMs = 0;
    return busyMs;
  }
  resume(): void {
    this.gate?.release();
    this.cell?.reopened();
  }
  get usedAt(): number {
    return this.cell?.usedAt ?? 0;
  }
  passivate(): Promise<void> | undefined {
    if (this.#ending || this.gate?.open() === false || this.cell?.passivate() !== true) return undefined;
    this.#ending = true;
    return this.over.then(() => this.gate?.close());
  }
  async end(): Promise<void> {
    this.#ending = true;
    this.#handBack();
    if (this.cell === undefined) return;
    this.cell.requestStop();
    await this.over;
    this.gate?.close();
  }
  kill(reason: NexaError): void {
    if (this.killed) return;
    this.killed = true;
    this.#ending = true;
    this.#handBack();
    this.gate?.close();
    this.#abort?.abort();
    this.#ready?.reject(reason);
    this.cell?.requestStop();
  }

  /** The store showed a later owner: over this instant, and the cluster is told. */
  fenced(error: NexaError): void {
    this.kill(error);
    this.#rules.onFenced(this.epoch);
  }
  /** What it stored cannot be read any more: to start it again would not help, here or elsewhere. */
  spoilt(error: NexaError): void {
    this.kill(error);
    if (this.#temporary) this.#rules.onFinished(error);
    else this.#rules.onGaveUp(error);
  }
  started(): void {
    this.#ready?.resolve();
    this.#ready = undefined;
  }
  /** The cell is over, for whatever reason. */
  ended(): void {
    for (const mail of this.#taking ?? []) mail.settle(this.#leaving());
    this.#ended = true;
    this.#over?.resolve();
    this.#ready?.reject(this.#failure ?? new NexaError('unavailable', 'its activation ended before it had started'));
    if (this.killed || this.#ending) return;
    this.gate?.close();
    if (this.#failure !== undefined && !this.#temporary) this.#rules.onGaveUp(this.#failure);
    else this.#rules.onFinished(this.#failure);
  }

  /** What waits is somebody else's to answer: an ask is sent on by whoever asked. */
  #handBack(): void {
    for (const mail of this.cell?.mailbox.drain(this.cell) ?? []) {
      if (mail.guard === undefined) this.#of.onRefused(mail, this.#leaving());
      else mail.guard.lost?.(mail);
    }
  }
  #leaving(): NexaError {
    return new NexaError('not-owner', 'its activation has ended here', { where: this.#where });
  }
  get #where(): { readonly agent: string } {
    return { agent: `${this.type}/${this.id}` };
  }
}
