import { faultOf } from '../../cluster/plain-data.ts';
import { NexaError } from '../../errors.ts';

/** Replicas that may ever have changed one value. */
export const MOST_REPLICAS = 1_000;
const replicaName = /^[A-Za-z0-9_.~-]{1,128}$/;

export type Fields = Readonly<Record<string, unknown>>;

export const misfit = (field: string, problem: string): NexaError =>
  new NexaError('invalid-message', `${field === '' ? 'a replicated value' : field.slice(0, 256)}: ${problem}`, {
    where: { field: field.slice(0, 256) },
  });

/** @throws NexaError `bad-id`: 1 … 128 of letters, digits, `_`, `.`, `~` and `-`, and a name that no object has by itself. */
export function checkReplica(replica: string): void {
  if (!isReplica(replica))
    throw new NexaError('bad-id', `${JSON.stringify(String(replica).slice(0, 64))} names no replica`, {
      where: { replica: String(replica).slice(0, 128) },
      fix: 'Use letters, digits, _, ., ~ and -, 128 at the most.',
    });
}
export const isReplica = (text: unknown): boolean => typeof text === 'string' && replicaName.test(text) && text !== '__proto__';
export const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0 && !Object.is(value, -0);

/** The fields of a plain object. @throws NexaError `invalid-message`. */
export function fieldsOf(data: unknown, field: string, most: number): readonly (readonly [string, unknown])[] {
  if (typeof data !== 'object' || data === null || ![Object.prototype, null].includes(Object.getPrototypeOf(data)))
    throw misfit(field, 'is no plain object');
  const fields = Object.entries(data);
  if (fields.length > most) throw misfit(field, `has ${fields.length} fields; ${most} are allowed`);
  return fields;
}

/** @throws NexaError `invalid-message` for a field that is missing or not among them. */
export function exactly<Name extends string>(data: unknown, field: string, names: readonly Name[]): Readonly<Record<Name, unknown>> {
  const fields = fieldsOf(data, field, names.length);
  for (const name of names) if (!fields.some(([key]) => key === name)) throw misfit(`${field}${name}`, 'is missing');
  return Object.fromEntries(fields) as Record<Name, unknown>;
}

export const own = <T>(record: Readonly<Record<string, T>>, key: string): T | undefined =>
  Object.hasOwn(record, key) ? record[key] : undefined;

/** JSON with sorted keys: equal data has equal text. @throws NexaError `not-encodable`, `payload-too-large`. */
export function canonical(value: unknown, mostBytes?: number): string {
  const fault = faultOf(value, 'json', mostBytes);
  if (fault !== undefined)
    throw new NexaError(fault.code, `a replicated value ${fault.why}`, { where: { path: fault.path.reverse().join('.') } });
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
