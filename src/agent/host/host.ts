import type { Address } from '../../actor/address.ts';
import { receive } from '../../actor/behavior.ts';
import type { Cell } from '../../actor/cell/cell.ts';
import type { CellContext } from '../../actor/cell/cell-context.ts';
import { arrivedMail, type Envelope } from '../../actor/envelope.ts';
import type { Pressure } from '../../actor/mailbox.ts';
import type { Props } from '../../actor/props.ts';
import { oneForOne } from '../../actor/strategy.ts';
import type { System } from '../../actor/system.ts';
import type { Activation, ActivationRules, AgentHost } from '../../cluster/hosting.ts';
import type { AgentRecord } from '../../cluster/place.ts';
import { agentKey, type Subjects } from '../../cluster/subject.ts';
import type { Standing } from '../../durable/change-reminder.ts';
import type { DurableState } from '../../durable/durable-state.ts';
import type { Kept } from '../../durable/kept.ts';
import { SnapshotTroubles } from '../../durable/snapshot-troubles.ts';
import type { Source } from '../../durable/turn.ts';
import { NexaError, toNexaError } from '../../errors.ts';
import type { Codec } from '../../ports/codec.ts';
import type { Stores } from '../../ports/stores.ts';
import { type AnyAgent, implementationOf } from '../define.ts';
import type { AgentRef, Commands } from '../protocol.ts';
import { withBinder } from '../ref-to.ts';
import { validateCommand, validateConfig } from '../schema.ts';
import { ActivationGate } from './activation-gate.ts';
import { Census } from './census.ts';
import { type DurableAccess, deleteState, openState } from './durable-states.ts';
import { hostedBehavior } from './hosted-agent.ts';
import { Meter } from './meter.ts';
import { SKIPPED, TakenMail } from './taken-mail.ts';

/** Crashes of one agent within a minute before it is put aside; between them it waits longer and longer. */
const INTENSITY = { maxRestarts: 5, withinMs: 60_000, backoff: { minMs: 100, maxMs: 10_000, factor: 2, jitter: 0.2 } } as const;

/** Runs named agents of the given types on this node, each as a cell of its own below `agents`. */
export function agentHost(options: {
  readonly system: System;
  readonly definitions: readonly AnyAgent[];
  readonly stores: Stores;
  readonly subjects: Subjects;
  readonly codec: Codec;
  readonly storeMs: number;
  /** A message that this node cannot take after all, because the agent is leaving it. */
  readonly onRefused: (envelope: Envelope, error: NexaError) => void;
}): AgentHost {
  const { system, codec } = options;
  const types = new Map(options.definitions.map((definition) => [definition.type, definition]));
  const running = new Map<string, Hosting>();
  const census = new Census(types, running);
  const parent = system.spawnCell(idle(oneForOne(INTENSITY)), 'agents');
  const temporary = system.spawnCell(idle(oneForOne({ maxRestarts: 0, withinMs: 60_000 })), 'temporary-agents');
  system.events.subscribe((event) => {
    if (event.event !== 'stopped' && event.event !== 'restarted' && event.event !== 'passivated') return;
    if (event.address.kind !== 'agent') return;
    const { type, id } = event.address;
    const key = agentKey(type, id);
    const hosting = running.get(key);
    const cell = hosting?.cell;
    const failed = event.event === 'restarted' || (event.event === 'stopped' && event.reason === 'failed');
    const { lastError, failedAtMs = 0 } = cell?.crashes ?? {};
    if (failed && lastError !== undefined) census.crashed(type, id, lastError, failedAtMs);
    if (cell?.state === 'stopped') {
      running.delete(key);
      hosting?.ended();
    }
  });
  const definitionOf = (type: string): AnyAgent => {
    const definition = types.get(type);
    if (definition !== undefined) return definition;
    throw new NexaError('unknown-type', `this node does not know the agent type ${JSON.stringify(type.slice(0, 64))}`, {
      where: { type: type.slice(0, 64), node: system.node },
      fix: 'Start the node with --agents and a folder that defines it.',
    });
  };
  const { stores, subjects, storeMs } = options;
  const { clock, random } = system;
  const troubles = new SnapshotTroubles(system);
  const access = (type: string, id: string, epoch: number, signal: AbortSignal): DurableAccess => ({
    ...{ stores, subjects, type, id, codec, clock, random, storeMs, epoch, signal },
  });

  return {
    types: Object.fromEntries(options.definitions.map((definition) => [definition.type, definition.version])),
    resume() {
      for (const hosting of running.values()) hosting.resume();
    },
    keepsState(type) {
      const definition = types.get(type);
      return definition !== undefined && implementationOf(definition).storage === 'durable';
    },
    kindOf: (type) => implementationOf(definitionOf(type)).activation,
    checkConfig(type, config) {
      const checked = validateConfig(definitionOf(type), config);
      if (!checked.ok) throw checked.error;
      return checked.value;
    },
    checkCommand(type, message) {
      const definition = definitionOf(type);
      const bind = (target: Address | string) => system.unsafeRef(target) as unknown as AgentRef<Commands>;
      const checked = withBinder(bind, () => validateCommand(definition, message, { from: 'public' }));
      if (!checked.ok) throw checked.error;
      const { command, spec } = checked.value;
      if (spec.kind !== 'stream') return;
      throw new NexaError('invalid-message', `${type}/${command} answers with a stream, and nobody would read it`, {
        where: { type, command },
      });
    },
    triesOf: (type) => implementationOf(definitionOf(type)).limits.tries,
    usage: () => census.usage(),
    look: (type, id) => census.look(type, id),
    async forget(type, id, epoch) {
      await deleteState(types.get(type), access(type, id, epoch, new AbortController().signal));
    },
    async activate(record, epoch, rules) {
      const definition = definitionOf(record.type);
      const agent = implementationOf(definition);
      const checked = validateConfig(definition, record.config);
      if (!checked.ok) throw checked.error;
      const hosting = new Hosting(record, epoch, rules, agent.exclusive, new Meter(census.meterOf(record.type)), options.onRefused);
      const key = agentKey(record.type, record.id);
      const previous = running.get(key);
      if (previous !== undefined) {
        // The predecessor was ended and is still winding down; two of them never share the name.
        previous.kill(new NexaError('fenced', 'a later activation takes its place'));
        await previous.over;
      }
      running.set(key, hosting);
      try {
        const store = await openState(definition, access(record.type, record.id, epoch, hosting.signal), {
          given: record.config,
          config: checked.value,
          troubles,
        });
        hosting.store = store;
        if (hosting.killed) throw new NexaError('fenced', 'the activation ended before it began');
        const address = { kind: 'agent', type: record.type, id: record.id } as const satisfies Address;
        const props: Props<unknown> = {
          mailbox: agent.limits,
          ...(agent.strategy === undefined ? {} : { strategy: agent.strategy }),
          behavior: (context) => {
            hosting.restarted();
            return hostedBehavior(
              {
                definition,
                address,
                config: checked.value,
                gate: hosting.gate,
                store,
                reminders: rules.reminders,
                declarer: { type: record.type, id: record.id, epoch, standing: () => hosting.standing },
                system,
                codec,
                meter: hosting.meter,
                cell: () => hosting.cell as Cell,
                onStarted: () => hosting.started(),
                onFenced: (error) => hosting.fenced(error),
                onUnreadable: (error) => hosting.spoilt(error),
                onFailed: (error) => census.crashed(record.type, record.id, error, system.clock.wallMs()),
                onPassivate: rules.onPassivate,
                onHandled: (tookMs) => {
                  hosting.busyMs += tookMs;
                },
              },
              context as unknown as CellContext,
            );
          },
        };
        hosting.cell = system.spawnCell(
          props,
          key,
          {
            face: address,
            ...(hosting.gate === undefined ? {} : { gate: hosting.gate }),
            onGiveUp: (error) => hosting.gaveUp(error),
            handlerMs: agent.limits.handlerMs,
          },
          record.restart === 'temporary' ? temporary : parent,
        );
        await hosting.ready;
        return hosting;
      } catch (thrown) {
        const error = toNexaError(thrown, 'internal');
        if (running.get(key) === hosting && hosting.cell === undefined) {
          running.delete(key);
          // It never began: that is told by this error alone, and is no agent that stopped by itself.
          hosting.kill(error);
          hosting.ended();
        }
        throw error;
      }
    },
  };
}

/** An activation: the cell, its gate, and how it ends. */
class Hosting implements Activation {
  cell: Cell | undefined = undefined;
  store: DurableState | undefined = undefined;
  busyMs = 0;
  readonly gate: ActivationGate | undefined;
  readonly epoch: number;
  readonly meter: Meter;
  readonly ready: Promise<void>;
  /** Settles when the cell has ended. */
  readonly over: Promise<void>;
  killed = false;
  readonly #record: AgentRecord;
  readonly #rules: ActivationRules;
  readonly #refused: (envelope: Envelope, error: NexaError) => void;
  readonly #abort = new AbortController();
  readonly #taking = new Set<TakenMail>();
  #ending = false;
  #failure: NexaError | undefined = undefined;
  #settleReady: { resolve: () => void; reject: (error: NexaError) => void } = { resolve: () => {}, reject: () => {} };
  #settleOver: () => void = () => {};

  constructor(
    record: AgentRecord,
    epoch: number,
    rules: ActivationRules,
    exclusive: boolean,
    meter: Meter,
    refused: (envelope: Envelope, error: NexaError) => void,
  ) {
    this.#record = record;
    this.epoch = epoch;
    this.meter = meter;
    this.#rules = rules;
    this.#refused = refused;
    this.gate = exclusive ? new ActivationGate(epoch, rules.owns) : undefined;
    this.ready = new Promise((resolve, reject) => {
      this.#settleReady = { resolve, reject };
    });
    this.ready.catch(() => undefined);
    this.over = new Promise((resolve) => {
      this.#settleOver = resolve;
    });
  }

  get type(): string {
    return this.#record.type;
  }
  get id(): string {
    return this.#record.id;
  }
  get signal(): AbortSignal {
    return this.#abort.signal;
  }
  /** Whether it may write at this instant. */
  get standing(): Standing {
    if (this.killed || this.gate?.shut === true) return 'over';
    return this.gate?.open() === false ? 'wait' : 'holds';
  }
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
      this.#refused(envelope, this.#leaving());
      return true;
    }
    if (this.gate !== undefined && !this.gate.open() && envelope.replyTo !== undefined) {
      this.#refused(
        envelope,
        new NexaError('unavailable', 'its node has no contact with the store and is suspended', {
          where: this.#where,
          fix: 'Try again; it resumes, or moves.',
        }),
      );
      return true;
    }
    return cell.offer(arrivedMail(envelope, cell.system.clock.monotonicMs()));
  }
  get kept(): Kept | undefined {
    return this.store?.kept;
  }
  take(message: unknown, source: Source, traceparent?: string): Promise<void> {
    const { cell } = this;
    if (cell === undefined || this.#ending || cell.wantsStop) return Promise.reject(this.#leaving());
    const mail = new TakenMail({ kind: 'agent', type: this.#record.type, id: this.#record.id }, message, source, traceparent);
    const done = (): void => void this.#taking.delete(mail);
    this.#taking.add(mail);
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
    for (const mail of this.#taking) {
      if (mail.begun) mail.settle(new NexaError('crashed', 'its actor was restarted while it was handled', { where: this.#where }));
    }
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
    this.#abort.abort();
    this.#settleReady.reject(reason);
    this.cell?.requestStop();
  }

  /** The store showed a later owner: over this instant, and the cluster is told. */
  fenced(error: NexaError): void {
    this.kill(error);
    this.#rules.onFenced();
  }
  /** What it stored cannot be read any more: to start it again would not help, here or elsewhere. */
  spoilt(error: NexaError): void {
    this.kill(error);
    if (this.#record.restart === 'temporary') this.#rules.onFinished(error);
    else this.#rules.onGaveUp(error);
  }
  started(): void {
    this.#settleReady.resolve();
  }
  gaveUp(error: NexaError): void {
    this.#failure = error;
  }
  /** The cell is over, for whatever reason. */
  ended(): void {
    for (const mail of this.#taking) mail.settle(this.#leaving());
    this.#settleOver();
    this.#settleReady.reject(this.#failure ?? new NexaError('unavailable', 'its activation ended before it had started'));
    if (this.killed || this.#ending) return;
    this.gate?.close();
    if (this.#failure !== undefined && this.#record.restart !== 'temporary') this.#rules.onGaveUp(this.#failure);
    else this.#rules.onFinished(this.#failure);
  }

  /** What waits is somebody else's to answer: an ask is sent on by whoever asked. */
  #handBack(): void {
    for (const mail of this.cell?.mailbox.drain() ?? []) {
      if (mail.guard === undefined) this.#refused(mail, this.#leaving());
      else mail.guard.lost?.(mail);
    }
  }
  #leaving(): NexaError {
    return new NexaError('not-owner', 'its activation has ended here', { where: this.#where });
  }
  get #where(): { readonly agent: string } {
    return { agent: `${this.#record.type}/${this.#record.id}` };
  }
}

const idle = (strategy: Props<unknown>['strategy']): Props<unknown> => ({
  behavior: () => receive(() => undefined),
  ...(strategy === undefined ? {} : { strategy }),
});
