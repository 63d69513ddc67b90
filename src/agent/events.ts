import type { StoredEvent } from '../durable/turn.ts';
import { NexaError, toNexaError } from '../errors.ts';
import { type AnyAgent, implementationOf } from './define.ts';
import type { EventSourcing } from './event-sourcing.ts';
import { deepFreeze } from './freeze.ts';
import { problemOf } from './problem.ts';
import { type Checked, validateState } from './schema.ts';

/** Of one turn: they are one record. */
const MOST_EVENTS = 10_000;

const sourcingOf = (definition: AnyAgent): EventSourcing => {
  const { eventSourcing } = implementationOf(definition);
  if (eventSourcing === undefined)
    throw new NexaError('internal', `${definition.type} has no events`, { where: { type: definition.type } });
  return eventSourcing;
};

/** The events that a handler returned, as they are stored. Error: `internal` naming type, command and event: the agent's bug. */
export function readEvents(definition: AnyAgent, command: string, returned: unknown): Checked<readonly StoredEvent[]> {
  const where = { type: definition.type, command };
  const bug = (problem: string, field: string): Checked<never> => ({
    ok: false,
    error: new NexaError('internal', `${definition.type}/${command}: ${problem}`.slice(0, 400), { where: { ...where, field } }),
  });
  if (!Array.isArray(returned)) return bug('its events are no array', 'events');
  if (returned.length > MOST_EVENTS) return bug(`${returned.length} events; ${MOST_EVENTS} are allowed in one turn`, 'events');
  const { schemas } = sourcingOf(definition);
  const events: StoredEvent[] = [];
  for (const [index, event] of returned.entries()) {
    const field = `events[${index}]`;
    const { type, ...fields } = (typeof event === 'object' && event !== null ? event : {}) as { readonly type?: unknown };
    const schema = typeof type === 'string' ? schemas.get(type) : undefined;
    if (schema === undefined) return bug(`${field} is no event that is declared`, field);
    const odd = Object.keys(fields).find((name) => !Object.hasOwn(schema.shape, name));
    if (odd !== undefined) return bug(`${field}.${odd.slice(0, 64)} is not a known field of ${type}`, field);
    const read = fieldsOf(schema, fields);
    if (!read.ok) return bug(`${field}, ${type}, does not fit its schema: ${read.problem}`, field);
    events.push({ type: type as string, data: read.data });
  }
  return { ok: true, value: events };
}

/** The state after these events. Error: `crashed` or `internal`: what applies them threw, or made no state of it. */
export function applyEvents(definition: AnyAgent, state: unknown, events: readonly StoredEvent[]): Checked<unknown> {
  if (events.length === 0) return { ok: true, value: state };
  const { folds } = sourcingOf(definition);
  let next = state;
  for (const { type, data } of events) {
    try {
      next = folds[type]?.(next, data);
    } catch (thrown) {
      const { message } = toNexaError(thrown);
      return {
        ok: false,
        error: new NexaError('crashed', `${definition.type}: apply.${type} threw: ${message}`.slice(0, 400), {
          where: { type: definition.type, field: `apply.${type}` },
          cause: thrown,
        }),
      };
    }
  }
  return validateState(definition, next);
}

/**
 * Today's events from stored ones: lifted version by version, and checked against their schemas.
 * @throws NexaError `unknown-version` (a newer version wrote them), `corrupt-record` (they cannot be lifted, or do not fit).
 */
export function liftEvents(definition: AnyAgent, id: string, stored: readonly StoredEvent[], from: number): readonly StoredEvent[] {
  const { schemas, upcast } = sourcingOf(definition);
  const where = { type: definition.type, id, version: String(from) };
  if (from > definition.version)
    throw new NexaError('unknown-version', `its events were written by version ${from}, this node has ${definition.version}`, {
      where,
      fix: 'Update the agent type on this node.',
    });
  const corrupt = (problem: string, field: string, fix: string, cause?: unknown): NexaError =>
    new NexaError('corrupt-record', problem.slice(0, 400), { where: { ...where, field }, fix, ...(cause === undefined ? {} : { cause }) });
  let events = stored;
  for (let version = from; version < definition.version && events.length > 0; version++) {
    const field = `upcast.${version}`;
    const step = upcast.get(version);
    if (step === undefined)
      throw corrupt(`nothing lifts its events from version ${version}`, field, `Add upcast: { ${version}: (event) => [event] }.`);
    try {
      events = events.flatMap((event) => [...step(event)]);
    } catch (cause) {
      const { message } = toNexaError(cause);
      throw corrupt(`lifting an event from version ${version} threw: ${message}`, field, `Correct upcast ${version}.`, cause);
    }
  }
  return events.map(({ type, data }) => {
    const field = `events.${String(type).slice(0, 64)}`;
    const schema = schemas.get(type);
    if (schema === undefined)
      throw corrupt(`an event ${JSON.stringify(type)} that is not declared`, field, 'Declare it, or lift it by an upcast.');
    const read = fieldsOf(schema, data);
    if (!read.ok)
      throw corrupt(`a stored event ${type} does not fit its schema: ${read.problem}`, field, 'Correct the upcast or the schema.');
    return { type, data: read.data };
  });
}

function fieldsOf(schema: NonNullable<ReturnType<EventSourcing['schemas']['get']>>, fields: unknown) {
  try {
    const read = schema.safeParse(fields);
    if (read.success) return { ok: true, data: deepFreeze(read.data) } as const;
    const { field, message } = problemOf(read.error);
    return { ok: false, problem: `${field} ${message}` } as const;
  } catch (thrown) {
    return { ok: false, problem: `its schema threw: ${toNexaError(thrown).message}` } as const;
  }
}
