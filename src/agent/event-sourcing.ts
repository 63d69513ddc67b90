import { z } from 'zod';
import type { StoredEvent } from '../durable/turn.ts';
import { checkJsonForm, invalid, reserved } from './check.ts';
import { upcasts } from './implementation.ts';
import { problemOf } from './problem.ts';
import type { FieldsOut, Shape, Tagged } from './protocol.ts';

/** The events of a type: their fields besides `type`, by name. */
export type Events = Readonly<Record<string, Shape>>;
/** One event, as a handler returns it. */
export type EventOf<E extends Events> = { [K in keyof E & string]: Tagged<K, FieldsOut<z.ZodObject<E[K]>>> }[keyof E & string];

/** What the runtime reads of an event-sourced definition, besides what all have. */
export interface EventSourcing {
  readonly schemas: ReadonlyMap<string, z.ZodObject>;
  /** Pure: they run again at every replay. */
  readonly folds: Readonly<Record<string, (state: unknown, event: unknown) => unknown>>;
  /** From version n to n + 1. */
  readonly upcast: ReadonlyMap<number, (event: StoredEvent) => readonly StoredEvent[]>;
  readonly snapshotEvery: { readonly events: number; readonly bytes: number };
}

const eventName = /^[a-zA-Z][a-zA-Z0-9_-]{0,62}$/;
const fn = z.custom<(...args: never) => unknown>((value) => typeof value === 'function', 'expected a function');
const options = z.strictObject({
  snapshotEvery: z
    .strictObject({
      events: z.int().positive().max(100_000).default(200),
      bytes: z.int().positive().max(67_108_864).default(262_144),
    })
    .prefault({}),
  upcast: z.record(z.string(), fn).default({}),
});

/** @throws NexaError `invalid-definition` naming the event and the field. */
export function eventSourcing(
  spec: { readonly type: string; readonly version: number },
  events: unknown,
  given: { readonly snapshotEvery?: unknown; readonly upcast?: unknown },
): Omit<EventSourcing, 'folds'> {
  const { type } = spec;
  if (typeof events !== 'object' || events === null || Object.getPrototypeOf(events) !== Object.prototype)
    throw invalid('events must be an object of shapes', { type, field: 'events' });
  const schemas = new Map(Object.entries(events).map(([name, shape]) => [name, schemaOf(type, name, shape)]));
  const read = options.safeParse(given);
  if (!read.success) {
    const { field, message } = problemOf(read.error);
    throw invalid(message, { type, field });
  }
  return { schemas, snapshotEvery: read.data.snapshotEvery, upcast: upcasts(spec, 'upcast', read.data.upcast) };
}

function schemaOf(type: string, name: string, shape: unknown): z.ZodObject {
  const where = { type, field: `events.${name}` };
  if (reserved.has(name) || !eventName.test(name))
    throw invalid("an event's name is a letter and up to 62 letters, digits, - and _, and none that every object has", where, 'Rename it.');
  if (typeof shape !== 'object' || shape === null || shape instanceof z.ZodType)
    throw invalid('is no shape', where, 'Give its fields as an object of schemas, as in { cents: z.int() }.');
  for (const [field, schema] of Object.entries(shape)) {
    const at = { type, field: `${where.field}.${field}` };
    if (reserved.has(field)) throw invalid('is a reserved field name', at, 'Choose another name.');
    checkJsonForm(schema, 'input', at);
    checkJsonForm(schema, 'output', at);
  }
  return z.object(shape as z.core.$ZodLooseShape);
}

/** Types say all of this already; modules written in JavaScript are why it is checked. @throws NexaError `invalid-definition`. */
export function foldsOf(type: string, schemas: EventSourcing['schemas'], folds: object): EventSourcing['folds'] {
  const given = new Map(Object.entries(folds));
  for (const event of schemas.keys()) {
    if (typeof given.get(event) !== 'function')
      throw invalid('nothing applies it', { type, field: `events.${event}` }, `Add ${event}(state, event) to apply({ … }).`);
    given.delete(event);
  }
  for (const event of given.keys())
    throw invalid('applies an event that is not declared', { type, field: `apply.${event}` }, 'Declare the event or remove it.');
  return { ...folds } as EventSourcing['folds'];
}
