import type { Address } from '../../actor/address.ts';
import { receive } from '../../actor/behavior.ts';
import type { CellContext } from '../../actor/cell/cell-context.ts';
import type { Envelope } from '../../actor/envelope.ts';
import type { Props } from '../../actor/props.ts';
import { oneForOne } from '../../actor/strategy.ts';
import type { System } from '../../actor/system.ts';
import type { AgentHost } from '../../cluster/hosting.ts';
import { agentKey, type Subjects } from '../../cluster/subject.ts';
import { SnapshotTroubles } from '../../durable/snapshot-troubles.ts';
import { NexaError, toNexaError } from '../../errors.ts';
import type { Codec } from '../../ports/codec.ts';
import type { Stores } from '../../ports/stores.ts';
import { type AnyAgent, implementationOf } from '../define.ts';
import type { AgentRef, Commands } from '../protocol.ts';
import { withBinder } from '../ref-to.ts';
import { validateCommand, validateConfig } from '../schema.ts';
import { Census } from './census.ts';
import { type DurableAccess, deleteState, openState } from './durable-states.ts';
import { HostedAgent } from './hosted-agent.ts';
import { type HostedType, Hosting } from './hosting.ts';

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
  const hosted = new Map<string, HostedType>();
  const hostedType = (definition: AnyAgent): HostedType => {
    const known = hosted.get(definition.type);
    if (known !== undefined) return known;
    const { limits, strategy } = implementationOf(definition);
    const props: Props<unknown> = {
      mailbox: limits,
      ...(strategy === undefined ? {} : { strategy }),
      behavior(context) {
        const cellContext = context as unknown as CellContext;
        const hosting = cellContext.options as Hosting;
        hosting.restarted();
        return new HostedAgent(hosting, cellContext);
      },
    };
    const onFailed = (type: string, id: string, error: NexaError): void => census.crashed(type, id, error, system.clock.wallMs());
    const fresh = { definition, props, system, codec, meter: census.meterOf(definition.type), onRefused: options.onRefused, onFailed };
    hosted.set(definition.type, fresh);
    return fresh;
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
      const { type, id } = record;
      const definition = definitionOf(type);
      const checked = validateConfig(definition, record.config);
      if (!checked.ok) throw checked.error;
      const hosting = new Hosting(hostedType(definition), record, epoch, rules, checked.value);
      const previous = running.get(rules.key);
      if (previous !== undefined) {
        // The predecessor was ended and is still winding down; two of them never share the name.
        previous.kill(new NexaError('fenced', 'a later activation takes its place'));
        await previous.over;
      }
      running.set(rules.key, hosting);
      try {
        if (implementationOf(definition).storage === 'durable')
          hosting.store = await openState(definition, access(type, id, epoch, hosting.signal), {
            given: record.config,
            config: checked.value,
            troubles,
          });
        await hosting.begin(record.restart === 'temporary' ? temporary : parent);
        return hosting;
      } catch (thrown) {
        const error = toNexaError(thrown, 'internal');
        if (running.get(rules.key) === hosting && hosting.cell === undefined) {
          running.delete(rules.key);
          // It never began: that is told by this error alone, and is no agent that stopped by itself.
          hosting.kill(error);
          hosting.ended();
        }
        throw error;
      }
    },
  };
}

const idle = (strategy: Props<unknown>['strategy']): Props<unknown> => ({
  behavior: () => receive(() => undefined),
  ...(strategy === undefined ? {} : { strategy }),
});
