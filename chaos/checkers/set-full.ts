import type { Operation } from '../history.ts';
import { byKey } from './by-key.ts';
import { type Requested, requestsOf } from './requests.ts';
import { type Verdict, verdictOf, worstOf } from './verdict.ts';

/** An addition is acknowledged when it is stored; whether it is to be seen at once is for whoever asks the checker to say. */
export type SetOp = { readonly type: 'add'; readonly value: number | string } | { readonly type: 'read' };
/** Everything that was added, as often as it took effect. Of an addition: nothing. */
export interface SetResult {
  readonly values?: readonly (number | string)[];
}
type SetOperation = Operation<SetOp, SetResult>;
type Request = Requested<SetOp, SetResult>;
type Value = number | string;

/** Where among the acknowledged additions, in the order of their acknowledgement, the lost ones are: it tells what kind of loss it was. */
export type Stretch = 'prefix' | 'middle' | 'postfix' | 'all';

/** What became of the additions to one set. */
export interface SetReport {
  readonly acknowledged: number;
  /** Acknowledged, and not there in the end. */
  readonly lost: readonly { readonly value: Value; readonly stretch: Stretch }[];
  /** Acknowledged, missing in a read that began later, and there afterwards: for so long at least. */
  readonly stale: readonly { readonly value: Value; readonly forMs: number }[];
  /** Seen, and missing in a read that began later. */
  readonly vanished: readonly Value[];
  readonly duplicated: readonly { readonly value: Value; readonly times: number }[];
  /** There, although nobody added it, or whoever did was definitely refused. */
  readonly unasked: readonly Value[];
  readonly refused: readonly Value[];
  /** Of unknown outcome and in no read: they never happened. No violation. */
  readonly neverRead: readonly Value[];
}

/**
 * Values that are each added once to a set that only grows: every acknowledged one is in it in the end, none twice, one whose outcome nobody
 * knows once at most, a refused one never; and what was seen once is seen by every later read. With `atOnce` an acknowledged one is
 * also in every read that begins after its acknowledgement.
 *
 * `finals`: each key's values, read when nothing was in flight or waiting any more. A key without one is `unknown`.
 */
export function setFull(
  operations: readonly SetOperation[],
  finals: ReadonlyMap<number, SetResult>,
  options: { readonly atOnce?: boolean } = {},
): Verdict {
  return worstOf(
    [...byKey(operations)].map(([key, ofKey]) => {
      const final = finals.get(key)?.values;
      if (final === undefined) return { verdict: 'unknown', reason: `key ${key}: no final set was read` };
      const report = setReport(ofKey, final);
      return verdictOf(complaints(report, options.atOnce === true).map((each) => `key ${key}: ${each}`));
    }),
  );
}

function complaints(report: SetReport, atOnce: boolean): string[] {
  const { lost, stale, vanished, duplicated, unasked, refused, acknowledged } = report;
  return [
    ...lost.map(({ value, stretch }) => `${value} was acknowledged and is lost (${where(stretch, lost.length, acknowledged)})`),
    ...vanished.map((value) => `${value} was seen, and a later read does not see it`),
    ...duplicated.map(({ value, times }) => `${value} took effect ${times} times`),
    ...unasked.map((value) => `${value} is there, which nobody added`),
    ...refused.map((value) => `${value} was definitely refused, and is there`),
    ...(atOnce ? stale.map(({ value, forMs }) => `${value} was acknowledged, and still not seen ${forMs.toFixed(0)} ms later`) : []),
  ];
}
const where = (stretch: Stretch, lost: number, all: number): string =>
  stretch === 'all' ? `all ${all} are` : `the ${stretch} of ${all}; ${lost} in all`;

interface Read {
  readonly fromMs: number;
  readonly untilMs: number;
  readonly times: ReadonlyMap<Value, number>;
}

/** Of the operations of one key; `final` is one more read, after everything. */
export function setReport(operations: readonly SetOperation[], final: readonly Value[]): SetReport {
  const requests = requestsOf(operations);
  const additions = new Map(
    requests.flatMap((each) => (each.operation.op.type === 'add' ? [[each.operation.op.value, each] as const] : [])),
  );
  const last: Read = { fromMs: Number.POSITIVE_INFINITY, untilMs: Number.POSITIVE_INFINITY, times: counted(final) };
  const reads = [...readsOf(requests), last].sort((a, b) => a.fromMs - b.fromMs);
  const values = [...new Set([...additions.keys(), ...reads.flatMap((each) => [...each.times.keys()])])];
  const seen = new Map(values.map((value) => [value, fateOf(value, additions.get(value), reads)]));
  const having = (holds: (fate: Fate) => boolean): Value[] => values.filter((value) => holds(seen.get(value) as Fate));
  const outcome = (value: Value) => additions.get(value)?.operation.outcome;
  return {
    acknowledged: values.filter((value) => outcome(value) === 'ok').length,
    lost: stretches(additions, last.times),
    stale: values.flatMap((value) => {
      const { missingForMs } = seen.get(value) as Fate;
      return missingForMs === undefined || !last.times.has(value) ? [] : [{ value, forMs: missingForMs }];
    }),
    vanished: having((fate) => fate.vanished).filter((value) => outcome(value) !== 'ok' || last.times.has(value)),
    duplicated: values.flatMap((value) => {
      const { most } = seen.get(value) as Fate;
      return most > 1 ? [{ value, times: most }] : [];
    }),
    unasked: having((fate) => fate.most > 0).filter((value) => !additions.has(value)),
    refused: having((fate) => fate.most > 0).filter((value) => outcome(value) === 'fail'),
    neverRead: having((fate) => fate.most === 0).filter((value) => outcome(value) === 'info'),
  };
}

const counted = (values: readonly Value[]): ReadonlyMap<Value, number> => {
  const times = new Map<Value, number>();
  for (const value of values) times.set(value, (times.get(value) ?? 0) + 1);
  return times;
};

/** A repeat of a read may get the stored answer of the first: it is as old as that. */
const readsOf = (requests: readonly Request[]): Read[] =>
  requests.flatMap(({ operation }) =>
    operation.op.type === 'read' && operation.outcome === 'ok'
      ? [{ fromMs: operation.invokedAtMs, untilMs: operation.endedAtMs, times: counted(operation.result.values ?? []) }]
      : [],
  );

interface Fate {
  /** How often it was there at most, in one read. */
  readonly most: number;
  readonly vanished: boolean;
  /** From its acknowledgement to the last read that missed it. */
  readonly missingForMs: number | undefined;
}

/** `reads` in the order of their beginnings; the last one is after everything. */
function fateOf(value: Value, addition: Request | undefined, reads: readonly Read[]): Fate {
  const knownMs = addition?.operation.outcome === 'ok' ? addition.operation.endedAtMs : undefined;
  let most = 0;
  let seenMs = Number.POSITIVE_INFINITY;
  for (const { untilMs, times } of reads) {
    most = Math.max(most, times.get(value) ?? 0);
    if (times.has(value)) seenMs = Math.min(seenMs, untilMs);
  }
  const missing = reads.filter((each) => !each.times.has(value));
  const late = missing.filter((each) => knownMs !== undefined && each.fromMs > knownMs && Number.isFinite(each.fromMs)).at(-1);
  return {
    most,
    vanished: missing.some((each) => each.fromMs > seenMs),
    missingForMs: late === undefined || knownMs === undefined ? undefined : late.fromMs - knownMs,
  };
}

function stretches(additions: ReadonlyMap<Value, Request>, final: ReadonlyMap<Value, number>): SetReport['lost'] {
  const acknowledged = [...additions.entries()]
    .filter(([, each]) => each.operation.outcome === 'ok')
    .sort(([, a], [, b]) => a.operation.endedAtMs - b.operation.endedAtMs)
    .map(([value]) => value);
  const kept = acknowledged.map((value) => final.has(value));
  const first = kept.indexOf(true);
  const last = kept.lastIndexOf(true);
  const stretchAt = (index: number): Stretch => (first < 0 ? 'all' : index < first ? 'prefix' : index > last ? 'postfix' : 'middle');
  return acknowledged.flatMap((value, index) => (kept[index] === true ? [] : [{ value, stretch: stretchAt(index) }]));
}
