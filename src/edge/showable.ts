import { NexaError } from '../errors.ts';
import { HIDDEN, hideLogins } from '../ports/hide-logins.ts';

/** Bounds of what is shown: characters of a text, entries of a list or of an object, levels. */
const TEXT = 500;
const ENTRIES = 32;
const LEVELS = 5;

const SECRET = /passw|passphrase|^pass$|token|secret|credential|authorization|cookie|api[-_]?key|private[-_]?key/i;
const BEARER = /\b(bearer|basic)\s+[\w.~+/=-]{8,}/gi;

/** A name as it is, cut where it is longer than any name. */
export const shownName = (name: string): string => name.slice(0, TEXT).toWellFormed();

/** A text that strangers may see: bounded, well-formed, without the credentials of a URL or a header. */
export const shownText = (text: string, most = TEXT): string =>
  hideLogins(text.slice(0, most * 2))
    .replace(BEARER, `$1 ${HIDDEN}`)
    .slice(0, most)
    .toWellFormed();

/**
 * Whatever somebody logged, configured or announced, as plain data that strangers may see: bounded, and nothing of fields whose
 * names say that they are secret. What is no data is left out.
 */
export function shownData(value: unknown, levels = LEVELS): unknown {
  if (typeof value === 'string') return shownText(value);
  if (typeof value === 'boolean' || value === null) return value;
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined;
  if (typeof value === 'bigint') return String(value);
  if (value instanceof NexaError) return { code: value.code, message: shownText(value.message) };
  if (value instanceof Error) return { code: 'error', message: shownText(String(value)) };
  if (typeof value !== 'object' || levels === 0) return undefined;
  if (ArrayBuffer.isView(value)) return `${value.byteLength} bytes`;
  if (Array.isArray(value)) return value.slice(0, ENTRIES).flatMap((entry) => [shownData(entry, levels - 1) ?? null]);
  return shownFields(value, levels - 1);
}

export function shownFields(value: object, levels = LEVELS): Readonly<Record<string, unknown>> {
  const shown: [string, unknown][] = [];
  // Enumerating is bounded too: an object may have a million fields.
  for (const name in value) {
    if (shown.length >= ENTRIES) break;
    if (!Object.hasOwn(value, name)) continue;
    let entry: unknown;
    try {
      entry = SECRET.test(name) ? HIDDEN : shownData((value as Record<string, unknown>)[name], levels);
    } catch {
      entry = undefined;
    }
    if (entry !== undefined) shown.push([shownText(name, 64), entry]);
  }
  return Object.fromEntries(shown);
}
