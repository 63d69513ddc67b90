import type { ErrorCode } from '../src/errors.ts';

/** The exit codes of `nexa`; docs/cli.md lists them. 75 is sysexits' EX_TEMPFAIL: start it again. */
export const EXIT = {
  ok: 0,
  failure: 1,
  usage: 2,
  notFound: 3,
  unreachable: 4,
  conflict: 5,
  denied: 6,
  /** Of a drill: it was not decided, or not ended. */
  unknown: 7,
  /** Of a drill: what ran it failed, not what it was about. */
  harness: 8,
  over: 75,
} as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

const exits: Readonly<Record<ErrorCode, ExitCode>> = {
  'ask-timeout': EXIT.unreachable,
  'ask-cycle': EXIT.failure,
  cancelled: EXIT.failure,
  crashed: EXIT.failure,
  'context-misused': EXIT.failure,
  'invalid-definition': EXIT.failure,
  conflict: EXIT.conflict,
  fenced: EXIT.over,
  quarantined: EXIT.failure,
  'corrupt-record': EXIT.failure,
  'store-misconfigured': EXIT.failure,
  internal: EXIT.failure,
  'invalid-message': EXIT.usage,
  'bad-id': EXIT.usage,
  'unknown-command': EXIT.notFound,
  'unknown-type': EXIT.notFound,
  'unknown-version': EXIT.failure,
  'not-encodable': EXIT.usage,
  'no-such-actor': EXIT.notFound,
  'not-owner': EXIT.unreachable,
  unavailable: EXIT.unreachable,
  'node-lost': EXIT.unreachable,
  'stream-broken': EXIT.unreachable,
  disconnected: EXIT.unreachable,
  'mailbox-full': EXIT.failure,
  'stash-full': EXIT.failure,
  overloaded: EXIT.failure,
  'payload-too-large': EXIT.usage,
  'quota-exceeded': EXIT.failure,
  denied: EXIT.denied,
  refused: EXIT.failure,
};

/** How the process ends after this error. */
export const exitCodeOf = (code: ErrorCode): ExitCode => exits[code];
