import type { Operation } from '../history.ts';
import type { LockFinals, LockOp, LockResult, VaultWrite } from '../workloads/lock.ts';
import { byKey } from './by-key.ts';
import { type Requested, requestsOf } from './requests.ts';
import { type Verdict, verdictOf, worstOf } from './verdict.ts';

type LockOperation = Operation<LockOp, LockResult>;
type Request = Requested<LockOp, LockResult>;
type Final = LockFinals[number];
type Write = Extract<LockOp, { readonly type: 'write' }>;

/**
 * A lock with fencing tokens: each grant has a token of its own, above all that were seen before it was asked for; what it guards takes the writes of
 * one holder after the other, each acknowledged one once and in the order of time, and none of an older token after a newer.
 *
 * `finals`: each key's newest token and all its writes, read when nothing was in flight any more. A key without one is `unknown`.
 */
export function lock(operations: readonly LockOperation[], finals: ReadonlyMap<number, Final>): Verdict {
  return worstOf(
    [...byKey(operations)].map(([key, ofKey]) => {
      const final = finals.get(key);
      if (final === undefined) return { verdict: 'unknown', reason: `key ${key}: what was written was not read in the end` };
      const requests = requestsOf(ofKey);
      const violations = [...tokens(requests, final), ...fencing(requests, final), ...writes(requests, final.writes)];
      return verdictOf(violations.map((each) => `key ${key}: ${each}`));
    }),
  );
}

/** The token that an answer shows, whatever was asked. */
const shown = (result: LockResult): number => ('token' in result ? result.token : 'held' in result ? result.held : result.stale);
const granted = ({ operation }: Request): { readonly token: number; readonly holder: string } | undefined =>
  operation.op.type === 'acquire' && operation.outcome === 'ok' && 'token' in operation.result
    ? { token: operation.result.token, holder: operation.op.holder }
    : undefined;

function tokens(requests: readonly Request[], final: Final): string[] {
  const owner = new Map<number, string>();
  const ends = requests
    .flatMap(({ operation }) => (operation.outcome === 'ok' ? [{ atMs: operation.endedAtMs, token: shown(operation.result) }] : []))
    .sort((a, b) => a.atMs - b.atMs);
  let at = 0;
  let newest = 0;
  return [...requests]
    .sort((a, b) => a.operation.invokedAtMs - b.operation.invokedAtMs)
    .flatMap((request) => {
      const { name, operation, attempts } = request;
      for (let end = ends[at]; end !== undefined && end.atMs < operation.invokedAtMs; end = ends[++at])
        newest = Math.max(newest, end.token);
      const grant = granted(request);
      if (grant === undefined) {
        const { op } = operation;
        const stale = operation.outcome === 'ok' && 'stale' in operation.result ? operation.result.stale : undefined;
        return op.type === 'write' && stale !== undefined && stale <= op.token
          ? [`${name} was refused for token ${stale}, and has ${op.token}`]
          : [];
      }
      const { token, holder } = grant;
      const before = owner.get(token);
      owner.set(token, `${holder} by ${name}`);
      const others = new Set(attempts.flatMap((each) => (each.outcome === 'ok' && 'token' in each.result ? [each.result.token] : [])));
      return [
        ...(before === undefined ? [] : [`token ${token} was granted to ${before} and to ${holder} by ${name}`]),
        ...(others.size > 1 ? [`${name} was granted ${[...others].join(' and ')}: it took effect more than once`] : []),
        ...(token <= newest ? [`${name} was granted token ${token}, and ${newest} had been seen before it was asked for`] : []),
        ...(token > final.token ? [`${name} was granted token ${token}, and the lock ended with ${final.token}: a grant is lost`] : []),
      ];
    });
}

/** In the order in which they were taken. */
function fencing(requests: readonly Request[], final: Final): string[] {
  const holders = new Map(requests.flatMap((each) => (granted(each) === undefined ? [] : [[granted(each)?.token, granted(each)?.holder]])));
  const writers = new Map<number, string>();
  let newest: VaultWrite | undefined;
  return final.writes.flatMap((write) => {
    const { token, holder, value } = write;
    const what = `${value} of ${holder} with token ${token}`;
    const holding = holders.get(token) ?? writers.get(token) ?? holder;
    writers.set(token, holding);
    const before = newest;
    if (newest === undefined || token >= newest.token) newest = write;
    return [
      ...(before !== undefined && token < before.token ? [`${what} was taken after ${before.value} with token ${before.token}`] : []),
      ...(holding === holder ? [] : [`${what} was taken, and the token is that of ${holding}`]),
      ...(token > final.token ? [`${what} was taken, and the lock never gave out a token above ${final.token}`] : []),
    ];
  });
}

function writes(requests: readonly Request[], taken: readonly VaultWrite[]): string[] {
  const places = new Map<number, number[]>();
  taken.forEach(({ value }, index) => void places.set(value, [...(places.get(value) ?? []), index]));
  const asked = new Map<number, Request>();
  const violations = requests.flatMap((request) => {
    const { op, outcome } = request.operation;
    if (op.type !== 'write') return [];
    asked.set(op.value, request);
    const found = places.get(op.value) ?? [];
    const stale = request.operation.outcome === 'ok' && 'stale' in request.operation.result;
    if (found.length > 1) return [`${op.value} was taken ${found.length} times`];
    if (found.length === 0) return outcome === 'ok' && !stale ? [`${op.value} was acknowledged and is lost`] : [];
    if (outcome === 'fail' || stale) return [`${op.value} was definitely refused, and is there`];
    return sameAs(op, taken[found[0] as number] as VaultWrite) ? [] : [`${op.value} is there as somebody else's`];
  });
  return [
    ...violations,
    ...taken.filter(({ value }) => !asked.has(value)).map(({ value }) => `${value} is there, which nobody wrote`),
    ...outOfTime(taken, asked),
  ];
}

const sameAs = (op: Write, { holder, token }: VaultWrite): boolean => op.holder === holder && op.token === token;

/** One that was answered before another was asked for comes before it. */
function outOfTime(taken: readonly VaultWrite[], asked: ReadonlyMap<number, Request>): string[] {
  let latest: { readonly value: number; readonly invokedAtMs: number } | undefined;
  return taken.flatMap(({ value }) => {
    const operation = asked.get(value)?.operation;
    if (operation === undefined) return [];
    const early = latest !== undefined && operation.outcome === 'ok' && operation.endedAtMs < latest.invokedAtMs;
    const found = early ? [`${value} was acknowledged before ${latest?.value} was asked for, and is there after it`] : [];
    if (latest === undefined || operation.invokedAtMs > latest.invokedAtMs) latest = { value, invokedAtMs: operation.invokedAtMs };
    return found;
  });
}
