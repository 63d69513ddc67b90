import { z } from 'zod';
import { configSchema } from './config-schema.ts';

/** One key of nexa.config as docs/configuration.md lists it. */
export interface ConfigKey {
  /** `nats.urls`; `<name>` stands for a name of one's own, `[]` for an entry of a list. */
  readonly key: string;
  readonly about: string;
  /** JSON, or words where it is no constant; undefined: it has to be given, or there is none. */
  readonly default: unknown;
  readonly unit?: string;
  readonly flag?: string;
  readonly variable?: string;
}

/** The parts of a JSON schema that this schema has. */
interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: boolean | Schema;
  readonly items?: Schema;
  readonly oneOf?: readonly Schema[];
  readonly description?: string;
  readonly default?: unknown;
  readonly unit?: string;
  readonly flag?: string;
  readonly variable?: string;
}

const root = z.toJSONSchema(configSchema, { io: 'input' }) as Schema;

/** Every key there is, in the order of the schema. */
export function configKeys(): readonly ConfigKey[] {
  const rows = new Map<string, ConfigKey>();
  const walk = (schema: Schema, key: string): void => {
    const { description, default: fallback, unit, flag, variable } = schema;
    if (description !== undefined && !rows.has(key)) {
      rows.set(key, {
        key,
        about: description,
        default: fallback,
        ...(unit === undefined ? {} : { unit }),
        ...(flag === undefined ? {} : { flag }),
        ...(variable === undefined ? {} : { variable }),
      });
    }
    for (const [name, inner] of Object.entries(schema.properties ?? {})) walk(inner, key === '' ? name : `${key}.${name}`);
    if (typeof schema.additionalProperties === 'object') walk(schema.additionalProperties, `${key}.<name>`);
    if (schema.items !== undefined) walk(schema.items, `${key}[]`);
    for (const inner of schema.oneOf ?? []) walk(inner, key);
  };
  walk(root, '');
  return [...rows.values()];
}

/** The keys that an object at this path may have. */
export function keysAt(path: readonly PropertyKey[]): readonly string[] {
  let schemas: readonly Schema[] = [root];
  const unfold = (schema: Schema | undefined): readonly Schema[] =>
    schema === undefined ? [] : schema.oneOf === undefined ? [schema] : schema.oneOf.flatMap(unfold);
  for (const step of path) {
    schemas = schemas.flatMap(({ properties, additionalProperties, items }) =>
      unfold(
        typeof step === 'number'
          ? items
          : (properties?.[String(step)] ?? (typeof additionalProperties === 'object' ? additionalProperties : undefined)),
      ),
    );
  }
  return [...new Set(schemas.flatMap(({ properties }) => Object.keys(properties ?? {})))];
}
