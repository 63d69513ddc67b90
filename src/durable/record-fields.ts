import { NexaError } from '../errors.ts';
import type { Codec } from '../ports/codec.ts';

type Where = Readonly<Record<string, string>>;

/**
 * The fields of a stored record, its layout first.
 * @throws NexaError `corrupt-record` for what cannot be read, `unknown-version` for a layout of a later release.
 */
export function fieldsOf(bytes: Uint8Array, codec: Codec, what: string, layouts: readonly number[], where: Where): readonly unknown[] {
  let fields: unknown;
  try {
    fields = codec.decode(bytes);
  } catch (cause) {
    throw new NexaError('corrupt-record', `${what} that cannot be read`, { where, cause });
  }
  if (!Array.isArray(fields) || !isCount(fields[0])) throw new NexaError('corrupt-record', `${what} of no layout`, { where });
  if (layouts.includes(fields[0])) return fields;
  throw new NexaError('unknown-version', `${what} of layout ${fields[0]}; this release knows ${layouts.join(' and ')}`, {
    where,
    fix: 'Update this node.',
  });
}

export const isText = (value: unknown): value is string => typeof value === 'string' && value.length > 0;
export const isNumber = (value: unknown): value is number => Number.isFinite(value);
export const isWhole = (value: unknown): value is number => Number.isSafeInteger(value);
export const isCount = (value: unknown): value is number => isWhole(value) && value >= 0;
