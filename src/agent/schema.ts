import type { z } from 'zod';
import { NexaError, Refused } from '../errors.ts';
import { type AnyAgent, implementationOf } from './define.ts';
import { deepFreeze } from './freeze.ts';
import { plainProblem } from './plain.ts';
import { type Problem, problemOf } from './problem.ts';
import { type CommandSpec, isPublic, type Protocol } from './protocol.ts';

/** The outcome of a validation: the parsed value, or the typed error to answer with. Nothing here throws. */
export type Checked<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: NexaError };
/** A command that may be handled: its name and its fields without `type`, defaults filled in, refs live. */
export interface ValidCommand {
  readonly command: string;
  readonly spec: CommandSpec;
  readonly fields: object;
}

const ok = <T>(value: T): Checked<T> => ({ ok: true, value });
const failed = (error: NexaError): { readonly ok: false; readonly error: NexaError } => ({ ok: false, error });
type Where = Readonly<Record<string, string>>;

const describeName = (where: Where): string => (where.command === undefined ? `${where.type}` : `${where.type}/${where.command}`);
function misfit(where: Where, { field, message }: Problem): NexaError {
  const named = field === '' ? '' : `${field}: `;
  return new NexaError('invalid-message', `${describeName(where)}: ${named}${message}`, {
    where: field === '' ? where : { ...where, field },
  });
}
function unknownCommand(protocol: Protocol, name: string): NexaError {
  const open = Object.entries(protocol.commands).flatMap(([command, spec]) => (isPublic(spec) ? [command] : []));
  return new NexaError('unknown-command', `${protocol.type} has no command ${JSON.stringify(name.slice(0, 64))}`, {
    where: { type: protocol.type, command: name.slice(0, 64) },
    fix: open.length === 0 ? 'This type takes no commands.' : `Use one of: ${open.join(', ').slice(0, 400)}.`,
  });
}

/** Runs a schema: what does not fit is a Problem; a schema that throws or is asynchronous is a bug of its author. */
function parse(
  schema: z.ZodType,
  value: unknown,
  where: Where,
): { readonly value: unknown } | { readonly problem: Problem } | { readonly bug: NexaError } {
  try {
    const read = schema.safeParse(value);
    return read.success ? { value: read.data } : { problem: problemOf(read.error) };
  } catch (cause) {
    const bug = new NexaError('internal', `${describeName(where)}: its schema threw`, { where, cause, definite: true });
    return { bug };
  }
}

/** What came in: a misfit is the sender's. */
function accept(schema: z.ZodType, value: unknown, where: Where): Checked<unknown> {
  const read = parse(schema, value, where);
  if ('value' in read) return ok(read.value);
  return failed('bug' in read ? read.bug : misfit(where, read.problem));
}
/** What goes out: a misfit is a bug of the agent, and its asker learns only that. */
function give(schema: z.ZodType, value: unknown, what: string, where: Where): Checked<unknown> {
  const read = parse(schema, value, where);
  if ('value' in read) return ok(read.value);
  return failed(
    'bug' in read
      ? read.bug
      : new NexaError(
          'internal',
          `${describeName(where)}: ${what} does not fit its schema: ${read.problem.field} ${read.problem.message}`,
          { where },
        ),
  );
}

/**
 * A message on its way to an agent. `own` are those that the agent's own context sent (timers, pipe, itself); everything else is
 * `public`, for which internal and local commands do not exist.
 *
 * Errors: `unknown-command`; `invalid-message` naming the field, also for unknown fields and keys that would reach a prototype.
 * Runs refs through {@link withBinder}'s binder.
 */
export function validateCommand(
  protocol: Protocol,
  message: unknown,
  { from }: { readonly from: 'public' | 'own' },
): Checked<ValidCommand> {
  const { type } = protocol;
  if (typeof message !== 'object' || message === null || Array.isArray(message)) {
    return failed(misfit({ type }, { field: '', message: 'a command is an object with a type' }));
  }
  if (!Object.hasOwn(message, 'type')) return failed(misfit({ type }, { field: 'type', message: 'a command names its type' }));
  const { type: command, ...fields } = message as { readonly type: unknown };
  if (typeof command !== 'string') return failed(misfit({ type }, { field: 'type', message: 'expected a string' }));
  const spec = Object.hasOwn(protocol.commands, command) ? protocol.commands[command] : undefined;
  if (spec === undefined || (from === 'public' && !isPublic(spec))) return failed(unknownCommand(protocol, command));
  if (spec.kind === 'local') return ok({ command, spec, fields });
  const where = { type, command };
  const unsafe = plainProblem(message);
  if (unsafe !== undefined) return failed(misfit(where, unsafe));
  const read = accept(spec.input, fields, where);
  return read.ok ? ok({ command, spec, fields: read.value as object }) : read;
}

/** A handler's reply, as the asker gets it. Error: `internal` naming type and command. */
export function validateReply(protocol: Protocol, command: string, reply: unknown): Checked<unknown> {
  const spec = protocol.commands[command];
  return spec === undefined
    ? failed(unknownCommand(protocol, command))
    : give(spec.reply, reply, 'the reply', { type: protocol.type, command });
}

/** An item of a stream, as its reader gets it. @throws NexaError `internal` naming type and command. */
export function validItem(protocol: Protocol, command: string, item: unknown): unknown {
  const spec = protocol.commands[command];
  if (spec === undefined) throw unknownCommand(protocol, command);
  const read = give(spec.reply, item, 'an item', { type: protocol.type, command });
  if (read.ok) return read.value;
  throw read.error;
}

/** A handler's refusal, as the error that the asker gets. Error: `internal` for one that the command does not declare or that does not fit. */
export function validateRefusal(protocol: Protocol, command: string, refusal: string, details: unknown): Checked<Refused> {
  const where = { type: protocol.type, command };
  const refusals = protocol.commands[command]?.refusals ?? {};
  const schema = Object.hasOwn(refusals, refusal) ? refusals[refusal] : undefined;
  if (schema === undefined)
    return failed(
      new NexaError('internal', `${describeName(where)}: the refusal ${JSON.stringify(refusal.slice(0, 64))} is not declared`, { where }),
    );
  const read = give(schema, details, `the refusal ${refusal}`, where);
  return read.ok ? ok(new Refused(refusal, read.value, where)) : read;
}

/** A next or a stored state, frozen. Error: `internal` naming the type and the field. */
export function validateState(definition: AnyAgent, state: unknown): Checked<unknown> {
  const read = give(implementationOf(definition).stateSchema, state, 'the state', { type: definition.type });
  return read.ok ? ok(deepFreeze(read.value)) : read;
}

const isEmpty = (value: unknown): boolean => typeof value === 'object' && value !== null && Object.keys(value).length === 0;

/**
 * What a spawn configures, frozen. Nothing and `{}` are the same, so that a type whose config has only defaults needs none.
 * Store what was given, not what comes out: it is parsed again at every activation. Error: `invalid-message` naming the field.
 */
export function validateConfig(definition: AnyAgent, config: unknown): Checked<unknown> {
  const { configSchema } = implementationOf(definition);
  const where = { type: definition.type };
  if (configSchema === undefined) {
    if (config === undefined || config === null || isEmpty(config)) return ok(undefined);
    return failed(misfit(where, { field: 'config', message: 'this type takes none' }));
  }
  const unsafe = plainProblem(config);
  if (unsafe !== undefined) return failed(misfit(where, inConfig(unsafe)));
  const read = parse(configSchema, config, where);
  if ('value' in read) return ok(deepFreeze(read.value));
  if ('bug' in read) return failed(read.bug);
  return config === undefined ? validateConfig(definition, {}) : failed(misfit(where, inConfig(read.problem)));
}
const inConfig = ({ field, message }: Problem): Problem => ({
  field: field === '' ? 'config' : `config.${field}`,
  message: `config: ${message}`,
});
