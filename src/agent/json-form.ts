import { z } from 'zod';

/** JSON schema (draft 2020-12) of a data shape, as `describe`, the command line and OpenAPI show it. */
export type JsonSchema = Readonly<Record<string, unknown>>;

const forms = { input: new WeakMap<z.ZodType, JsonSchema>(), output: new WeakMap<z.ZodType, JsonSchema>() };

/**
 * The JSON form of a schema: of what goes in, or of what comes out. Remembered per schema.
 * @throws Error from zod if it has none: a date, a bigint, a map, a transform's output …
 */
export function jsonForm(schema: z.ZodType, io: 'input' | 'output'): JsonSchema {
  const known = forms[io].get(schema);
  if (known !== undefined) return known;
  const { $schema: _, ...form } = z.toJSONSchema(schema, { io });
  forms[io].set(schema, form);
  return form;
}
