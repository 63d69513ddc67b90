/// <reference lib="es2024.string" />

/** The four families of the source documents, and what an agent itself said. */
export type ErrorCategory = 'system' | 'protocol' | 'connection' | 'resource' | 'refusal';

type Traits = { readonly category: ErrorCategory; readonly retryable: boolean; readonly definite: boolean };
const traits = (category: ErrorCategory, kind: '' | 'retryable' | 'definite' | 'retryable definite'): Traits => ({
  category,
  retryable: kind.includes('retryable'),
  definite: kind.includes('definite'),
});

/**
 * The one table of errors: what TypeScript, JSON, the command line and docs/errors.md call them. `definite`: it certainly did
 * not happen; `retryable`: worth repeating unchanged. These are defaults: an error that knows better says so when it is made.
 */
export const ERRORS = {
  'ask-timeout': traits('system', 'retryable'),
  'ask-cycle': traits('system', 'definite'),
  cancelled: traits('system', ''),
  crashed: traits('system', ''),
  'context-misused': traits('system', 'definite'),
  'invalid-definition': traits('system', 'definite'),
  conflict: traits('system', 'definite'),
  fenced: traits('system', 'retryable'),
  quarantined: traits('system', 'definite'),
  'corrupt-record': traits('system', 'definite'),
  'store-misconfigured': traits('system', 'definite'),
  internal: traits('system', ''),
  'invalid-message': traits('protocol', 'definite'),
  'bad-id': traits('protocol', 'definite'),
  'unknown-command': traits('protocol', 'definite'),
  'unknown-type': traits('protocol', 'definite'),
  'unknown-version': traits('protocol', 'definite'),
  'not-encodable': traits('protocol', 'definite'),
  'no-such-actor': traits('protocol', 'definite'),
  'not-owner': traits('protocol', 'retryable definite'),
  unavailable: traits('connection', 'retryable definite'),
  'node-lost': traits('connection', 'retryable'),
  'stream-broken': traits('connection', 'retryable'),
  disconnected: traits('connection', 'retryable'),
  'mailbox-full': traits('resource', 'retryable definite'),
  'stash-full': traits('resource', 'retryable definite'),
  overloaded: traits('resource', 'retryable definite'),
  'payload-too-large': traits('resource', 'definite'),
  'quota-exceeded': traits('resource', 'definite'),
  denied: traits('refusal', 'definite'),
  refused: traits('refusal', 'definite'),
} as const satisfies Record<string, Traits>;

export type ErrorCode = keyof typeof ERRORS;

export interface ErrorDetails {
  readonly where?: Readonly<Record<string, string>>;
  readonly fix?: string;
  readonly retryable?: boolean;
  readonly definite?: boolean;
  readonly cause?: unknown;
}

/** What of an error travels: on the wire, in JSON, on the command line. `cause` stays on the node that has it. */
export interface ErrorData {
  readonly code: string;
  readonly message: string;
  readonly category?: string;
  readonly retryable?: boolean;
  readonly definite?: boolean;
  readonly where?: Readonly<Record<string, string>>;
  readonly fix?: string;
  readonly refusal?: string;
  readonly details?: unknown;
}

/** The only error class that crosses a boundary: every promise of this package rejects with it and with nothing else. */
export class NexaError extends Error {
  readonly code: ErrorCode;
  readonly category: ErrorCategory;
  /** Worth repeating unchanged. */
  readonly retryable: boolean;
  /** It certainly did not happen. */
  readonly definite: boolean;
  /** Node, agent, subject, file and field: whatever names the place. */
  readonly where: Readonly<Record<string, string>>;
  /** One imperative sentence, or absent. */
  readonly fix?: string;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'NexaError';
    this.code = code;
    this.category = ERRORS[code].category;
    this.retryable = details.retryable ?? ERRORS[code].retryable;
    this.definite = details.definite ?? ERRORS[code].definite;
    this.where = details.where ?? {};
    if (details.fix !== undefined) this.fix = details.fix;
  }

  toJSON(): ErrorData {
    return {
      code: this.code,
      message: this.message.toWellFormed(),
      category: this.category,
      retryable: this.retryable,
      definite: this.definite,
      ...(Object.keys(this.where).length > 0 ? { where: wellFormed(this.where) } : {}),
      ...(this.fix === undefined ? {} : { fix: this.fix.toWellFormed() }),
    };
  }
}

/** A refusal that the command declares: code `refused`, definite, not retryable. */
export class Refused<Name extends string = string, Details = unknown> extends NexaError {
  readonly refusal: Name;
  readonly details: Details;

  constructor(refusal: Name, details: Details, where: Readonly<Record<string, string>> = {}) {
    super('refused', `refused: ${refusal}`, { where });
    this.name = 'Refused';
    this.refusal = refusal;
    this.details = details;
  }

  override toJSON(): ErrorData {
    return { ...super.toJSON(), refusal: this.refusal, details: this.details };
  }
}

/** A text cut in the middle of a character has no UTF-8 and could not travel. */
const wellFormed = (where: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(where).map(([name, value]) => [name, String(value).toWellFormed()]));

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);
const text = (value: unknown, longest: number): string => (typeof value === 'string' ? value.slice(0, longest) : '');

/** Back from what travelled. Unknown codes (a newer peer) become `internal` and keep what they said; nothing is trusted. */
export function errorFrom(data: unknown): NexaError {
  if (!isRecord(data)) return new NexaError('internal', 'an error without a shape arrived');
  const where = isRecord(data.where)
    ? Object.fromEntries(
        Object.entries(data.where)
          .slice(0, 16)
          .map(([key, value]) => [key.slice(0, 64), text(value, 512)]),
      )
    : {};
  if (data.code === 'refused' && typeof data.refusal === 'string') return new Refused(data.refusal.slice(0, 128), data.details, where);
  const known = typeof data.code === 'string' && Object.hasOwn(ERRORS, data.code);
  const message = text(data.message, 2_000);
  return new NexaError(known ? (data.code as ErrorCode) : 'internal', known ? message : `${text(data.code, 64)}: ${message}`, {
    where,
    ...(typeof data.retryable === 'boolean' ? { retryable: data.retryable } : {}),
    ...(typeof data.definite === 'boolean' ? { definite: data.definite } : {}),
    ...(typeof data.fix === 'string' ? { fix: data.fix.slice(0, 500) } : {}),
  });
}

/** Any thrown value as a NexaError; what is none becomes `code` (default `crashed`) with the original as its cause. */
export function toNexaError(thrown: unknown, code: ErrorCode = 'crashed', where?: Readonly<Record<string, string>>): NexaError {
  if (thrown instanceof NexaError) return thrown;
  const details = where === undefined ? { cause: thrown } : { cause: thrown, where };
  if (!(thrown instanceof Error)) return new NexaError(code, String(thrown), details);
  // The stack of the cause is the one that tells. A second one, of where it was caught, costs more than the rest of a restart.
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    return new NexaError(code, thrown.message, details);
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}
