import { z } from 'zod';
import { NexaError, toNexaError } from '../errors.ts';
import { jsonForm } from './json-form.ts';
import type { Commands, Protocol } from './protocol.ts';

/** Names that JavaScript objects already have: as a command or a field they would be found where nobody put them. */
export const reserved: ReadonlySet<string> = new Set(['type', 'prototype', ...Object.getOwnPropertyNames(Object.prototype)]);
const typeName = /^[a-z][a-z0-9-]{0,62}$/;
const commandName = /^[a-zA-Z][a-zA-Z0-9_-]{0,62}$/;

export function invalid(problem: string, where: Readonly<Record<string, string>>, fix?: string, cause?: unknown): NexaError {
  const named = [where.type, where.command, where.field].filter((part) => part !== undefined).join('/');
  return new NexaError('invalid-definition', named === '' ? problem : `${named}: ${problem}`, {
    where,
    cause,
    ...(fix === undefined ? {} : { fix }),
  });
}

/** @throws NexaError `invalid-definition` if the schema has no JSON form, so could neither travel, be stored nor be described. */
export function checkJsonForm(schema: unknown, io: 'input' | 'output', where: Readonly<Record<string, string>>): void {
  if (!(schema instanceof z.ZodType)) throw invalid('is no zod schema', where, 'Pass a schema made with zod 4.');
  try {
    jsonForm(schema, io);
  } catch (error) {
    throw invalid(
      `has no JSON form: ${toNexaError(error).message}`,
      where,
      'Use types that JSON has, for instance epoch milliseconds for a date.',
      error,
    );
  }
}

function checkName(name: string, what: string, where: Readonly<Record<string, string>>): void {
  if (reserved.has(name)) throw invalid(`${JSON.stringify(name)} is a reserved ${what} name`, where, 'Choose another name.');
}

function checkCommand(type: string, name: string, spec: Commands[string]): void {
  const where = { type, command: name };
  checkName(name, 'command', where);
  if (!commandName.test(name)) throw invalid(`a command's name is a letter and up to 62 letters, digits, - and _`, where, 'Rename it.');
  if (spec?.kind === 'local') return;
  if (spec?.kind !== 'ask' && spec?.kind !== 'stream' && spec?.kind !== 'internal')
    throw invalid('is no command', where, 'Make it with command(), streaming(), internal() or local().');
  for (const field of Object.keys(spec.input.shape)) checkName(field, 'field', { ...where, field });
  for (const [field, schema] of Object.entries(spec.input.shape)) checkJsonForm(schema, 'input', { ...where, field });
  // What the handler gives is checked on its way out, so what the asker gets must be JSON; `void` is no reply at all.
  const field = spec.kind === 'stream' ? 'item' : 'reply';
  if (!(spec.reply instanceof z.ZodVoid) || spec.kind === 'stream') checkJsonForm(spec.reply, 'output', { ...where, field });
  for (const [refusal, schema] of Object.entries(spec.refusals)) {
    checkName(refusal, 'refusal', { ...where, field: refusal });
    checkJsonForm(schema, 'output', { ...where, field: refusal });
  }
}

/** @throws NexaError `invalid-definition` naming the type, command and field. */
export function checkProtocol(protocol: Protocol): void {
  const { type, version, commands } = protocol;
  if (typeof type !== 'string' || !typeName.test(type)) {
    throw invalid(`a type's name is a-z and up to 62 of a-z, 0-9, -; got ${String(type).slice(0, 80)}`, {}, 'Rename the type.');
  }
  if (!Number.isSafeInteger(version) || version < 1) throw invalid('version must be a positive integer', { type, field: 'version' });
  if (typeof commands !== 'object' || commands === null) throw invalid('commands must be an object', { type, field: 'commands' });
  // A literal `__proto__: …` sets the prototype instead of a key, so that a command would silently be missing.
  if (![Object.prototype, null].includes(Object.getPrototypeOf(commands)))
    throw invalid('"__proto__" is a reserved command name', { type, field: 'commands' });
  for (const [name, spec] of Object.entries(commands)) checkCommand(type, name, spec);
}

/**
 * A protocol for callers that must not import the behaviour.
 * @throws NexaError `invalid-definition`, at once: a reserved name, a schema without a JSON form.
 */
export function defineProtocol<C extends Commands>(protocol: Protocol<C>): Protocol<C> {
  checkProtocol(protocol);
  return Object.freeze({ ...protocol });
}
