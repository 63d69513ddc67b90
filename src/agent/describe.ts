import { z } from 'zod';
import { type AnyAgent, implementationOf } from './define.ts';
import { type JsonSchema, jsonForm } from './json-form.ts';
import { type CommandSpec, isPublic } from './protocol.ts';

export interface CommandDescription {
  readonly kind: 'ask' | 'stream';
  readonly summary: string;
  /** Of the whole message, `type` included. */
  readonly input: JsonSchema;
  /** For a stream, of one item. Null: it answers nothing but that it was handled and stored. */
  readonly reply: JsonSchema | null;
  readonly refusals: Readonly<Record<string, JsonSchema>>;
}
/** A type as callers see it: what `….agents {"type":"describe"}`, `nexa types` and generated help show. Plain JSON. */
export interface AgentDescription {
  readonly type: string;
  readonly version: number;
  readonly summary: string;
  readonly storage: 'durable' | 'memory';
  readonly exclusive: boolean;
  readonly restart: 'permanent' | 'transient' | 'temporary';
  /** Null: without that limit. */
  readonly activation: { readonly onDemand: boolean; readonly idleMs: number | null; readonly mostActive: number | null };
  readonly placement: { readonly strategy: string; readonly labels: Readonly<Record<string, string>> };
  readonly limits: Readonly<Record<string, number | string>>;
  readonly config: JsonSchema;
  readonly commands: Readonly<Record<string, CommandDescription>>;
}

const noConfig: JsonSchema = { type: 'object', properties: {}, additionalProperties: false };

function message(command: string, spec: CommandSpec): JsonSchema {
  const { type, properties, required, ...rest } = jsonForm(spec.input, 'input');
  return {
    type: type ?? 'object',
    properties: { type: { const: command }, ...(properties as object | undefined) },
    required: ['type', ...((required as readonly string[] | undefined) ?? [])],
    ...rest,
  };
}

function describeCommand(command: string, spec: CommandSpec): CommandDescription {
  return {
    kind: spec.kind === 'stream' ? 'stream' : 'ask',
    summary: spec.summary,
    input: message(command, spec),
    reply: spec.reply instanceof z.ZodVoid ? null : jsonForm(spec.reply, 'output'),
    refusals: Object.fromEntries(Object.entries(spec.refusals).map(([name, schema]) => [name, jsonForm(schema, 'output')])),
  };
}

/** Internal and local commands are left out: from outside they do not exist. */
export function describe(definition: AnyAgent): AgentDescription {
  const { storage, exclusive, restart, activation, placement, limits, configSchema } = implementationOf(definition);
  return {
    type: definition.type,
    version: definition.version,
    summary: definition.summary ?? '',
    storage,
    exclusive,
    restart,
    activation: { onDemand: activation.onDemand, idleMs: activation.idleMs ?? null, mostActive: activation.mostActive ?? null },
    placement,
    limits: { ...limits },
    config: configSchema === undefined ? noConfig : jsonForm(configSchema, 'input'),
    commands: Object.fromEntries(
      Object.entries(definition.commands).flatMap(([command, spec]) => (isPublic(spec) ? [[command, describeCommand(command, spec)]] : [])),
    ),
  };
}
