import { toNexaError } from '../../src/errors.ts';
import type { Run } from '../run.ts';
import type { EchoFinals } from '../workloads/echo.ts';
import type { WorkKind, WorkRecord } from '../workloads/work.ts';
import { availability } from './availability.ts';
import { costsOf, RECOVERED_MS } from './budgets.ts';
import { byKey } from './by-key.ts';
import { convergence } from './convergence.ts';
import { epochs } from './epochs.ts';
import { exits } from './exits.ts';
import { gate, showsSending } from './gate.ts';
import { goneForGood } from './gone-for-good.ts';
import { granted } from './granted.ts';
import type { Judged } from './judged.ts';
import { leaks } from './leaks.ts';
import { metBy } from './met.ts';
import { movedNeedlessly, movesBetween, movesOf } from './moved-needlessly.ts';
import type { Verdict } from './verdict.ts';

/**
 * What passes besides what a fault may cost: `slackMs` after it, for a call that was lost and a busy machine; `quietMs` of silence that no fault
 * explains. A report names what is longer than 300 ms all the same.
 */
export const LENIENCE = { slackMs: 5_000, quietMs: 2_000 } as const;

export interface JudgeOptions {
  /** By name: those of the table, and the user's own. */
  readonly workloads: Readonly<Record<string, WorkKind>>;
  /** From the heal to the first answer of each key. Default 20 s. */
  readonly recoveredWithinMs?: number;
  /** Added to what a fault may cost, for a call that was lost and a busy machine. Default 5 s. */
  readonly slackMs?: number;
  /** How long a key may be silent where no fault explains it. Default 2 s. */
  readonly quietMs?: number;
}

/** Everything that can be said of a run, from what was seen of it alone. What was not looked at is not among it: it did not pass. */
export function judge(run: Run, options: JudgeOptions): readonly Judged[] {
  const { recoveredWithinMs = RECOVERED_MS, slackMs = LENIENCE.slackMs, quietMs = LENIENCE.quietMs } = options;
  const met = metBy(run);
  const moves = run.records.some(({ log }) => log === 'AGENTS') ? movesOf(run.records) : movesBetween(run.placements);
  const allowed = costsOf(run, slackMs);
  return [
    ...run.works.flatMap((work) => ofWorkload(work, options.workloads[work.workload])),
    ...(run.records.length === 0
      ? []
      : [
          { promise: 'C1', by: 'who was gone stays so', verdict: goneForGood(run.records) },
          { promise: 'C3', by: 'epochs of the records', verdict: epochs(run.records) },
          { promise: 'C2', by: 'who wrote was the owner', verdict: granted(run.records) },
        ]),
    ...gates(run),
    ...run.works.map((work) => ({
      promise: 'C5',
      by: `availability, ${work.workload}`,
      verdict: availability({ operations: work.operations, allowed, mostMs: quietMs, untilMs: run.healedAtMs }),
    })),
    ...(run.records.length === 0 && run.placements.length === 0
      ? []
      : [{ promise: 'C10', by: 'nothing moved needlessly', verdict: movedNeedlessly(moves, met) }]),
    { promise: 'C6', by: 'recovery', verdict: recovery(run) },
    ...run.works.map((work) => ({
      promise: 'C6',
      by: `convergence, ${work.workload}`,
      verdict: convergence({ ...converging(run, work, recoveredWithinMs), views: new Map(), queues: new Map() }),
    })),
    { promise: 'C6', by: 'one view of the members', verdict: agreement(run) },
    { promise: 'L2', by: 'no process ended by itself', verdict: exits(run.exits, met) },
    { promise: 'B1', by: 'nothing was left behind', verdict: leaks(run.leaks) },
  ];
}

/** A check that fails itself says nothing of the product. */
function ofWorkload(work: WorkRecord, kind: WorkKind | undefined): readonly Judged[] {
  const unknown = (reason: string): readonly Judged[] => [{ promise: 'M3', by: work.workload, verdict: { verdict: 'unknown', reason } }];
  if (kind === undefined) return unknown(`nobody here knows a workload of the name ${work.workload}`);
  try {
    return kind.check(work);
  } catch (thrown) {
    return unknown(`its check failed: ${toNexaError(thrown).message}`);
  }
}

/** Of callers, which store nothing: callees keep what they handled in its order. */
function gates({ works, acts }: Run): readonly Judged[] {
  if (!showsSending(acts)) return [];
  return works.flatMap(({ workload, finals }) => {
    if (workload !== 'echo' || finals === null) return [];
    const received = (finals as EchoFinals).handled.map(({ callee, epoch, caller }) => ({
      receiver: `${callee}@${epoch}`,
      sender: caller,
    }));
    return [{ promise: 'C2', by: 'gate of agents without state', verdict: gate(received) }];
  });
}

function recovery({ recoveredAtMs, healedAtMs, endedAtMs, incomplete }: Run): Verdict {
  if (recoveredAtMs !== undefined) return { verdict: 'ok' };
  const within = `within ${(endedAtMs - healedAtMs).toFixed(0)} ms of the heal`;
  if (incomplete.length > 0) return { verdict: 'unknown', reason: `the run was broken off; nothing was seen to recover ${within}` };
  return { verdict: 'bad', violations: [`not everything was seen to work again ${within}`] };
}

/** The keys that were asked from the heal on: others were worn out before, or came later. One that was given up early and never answered is left to `recovery`. */
function converging({ healedAtMs }: Run, { operations }: WorkRecord, withinMs: number) {
  const since = operations.filter(({ invokedAtMs }) => invokedAtMs >= healedAtMs);
  const keys = [...byKey(since)].flatMap(([key, ofKey]) => {
    const first = Math.min(...ofKey.map(({ invokedAtMs }) => invokedAtMs));
    const last = Math.max(...ofKey.map(({ invokedAtMs }) => invokedAtMs));
    const judged = ofKey.some(({ outcome }) => outcome === 'ok') || last >= healedAtMs + withinMs;
    return first <= healedAtMs + SOON_MS && judged ? [key] : [];
  });
  return { healedAtMs, withinMs, keys, operations: since };
}
const SOON_MS = 1_000;

function agreement({ views, queues, healedAtMs, recoveredAtMs, incomplete }: Run): Verdict {
  if (Object.keys(views).length === 0) return { verdict: 'unknown', reason: 'no node was asked whom it takes to be a member' };
  if (recoveredAtMs === undefined && incomplete.length > 0) return { verdict: 'unknown', reason: 'the run was broken off' };
  const seen = { views: new Map(Object.entries(views)), queues: new Map(Object.entries(queues)) };
  return convergence({ ...seen, healedAtMs, withinMs: 0, keys: [], operations: [] });
}

export type Mark = 'pass' | 'fail' | 'unknown';
export interface Verdicts {
  /** One fail is fail; else one doubt, or anything that is incomplete, is unknown, and so is a run of which nothing was judged. */
  readonly verdict: Mark;
  /** In the order of docs/semantics.md; a promise that nobody looked at is absent. */
  readonly promises: Readonly<Record<string, Mark>>;
  readonly violations: readonly string[];
}

const MARKS = { ok: 'pass', bad: 'fail', unknown: 'unknown' } as const;
const worst = (marks: readonly Mark[]): Mark =>
  marks.includes('fail') ? 'fail' : marks.includes('unknown') || marks.length === 0 ? 'unknown' : 'pass';
/** Messages, life, cluster, bounds: where a promise stands in docs/semantics.md. */
export const placeOf = (promise: string): number => {
  const at = 'MLCB'.indexOf(promise[0] ?? '') * 1_000 + Number.parseInt(promise.slice(1), 10);
  // Those of users come last, under names of their own.
  return Number.isNaN(at) || at < 0 ? Number.MAX_SAFE_INTEGER : at;
};

export function verdictsOf(judged: readonly Judged[], incomplete: readonly string[] = []): Verdicts {
  const marks = new Map<string, Mark[]>();
  for (const { promise, verdict } of [...judged].sort((a, b) => placeOf(a.promise) - placeOf(b.promise)))
    marks.set(promise, [...(marks.get(promise) ?? []), MARKS[verdict.verdict]]);
  const promises = Object.fromEntries([...marks].map(([promise, all]) => [promise, worst(all)]));
  return {
    verdict: worst([...Object.values(promises), ...(incomplete.length > 0 ? (['unknown'] as const) : [])]),
    promises,
    violations: judged.flatMap(({ promise, by, verdict }) =>
      verdict.verdict === 'bad' ? verdict.violations.map((violation) => `${promise} ${by}: ${violation}`) : [],
    ),
  };
}
