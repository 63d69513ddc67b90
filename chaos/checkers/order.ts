import type { Operation } from '../history.ts';
import type { EchoFinals, EchoOp, EchoResult, HandledRun } from '../workloads/echo.ts';
import { type Verdict, verdictOf } from './verdict.ts';

type EchoOperation = Operation<EchoOp, EchoResult>;

/**
 * M2: what one activation of a sender sends to one activation of a receiver is handled in the order sent, and nothing is handled twice, by whichever
 * activation. Numbers may be missing: across a broken connection, and where the receiver moved. An ask may come after what was sent later, for it
 * counts as sent when it is sent again; never before what was sent earlier.
 */
export function inOrder(handled: readonly HandledRun[]): Verdict {
  const reached = new Map<string, number>();
  const byCaller = new Map<string, HandledRun[]>();
  const violations: string[] = [];
  for (const run of handled) {
    const { callee, epoch, caller, from, to, asked } = run;
    const pair = JSON.stringify([callee, epoch, caller]);
    const before = reached.get(pair) ?? 0;
    if (from <= before && asked !== true) violations.push(`${callee}@${epoch} handled ${span(run)} of ${caller} after ${before}`);
    reached.set(pair, Math.max(before, to));
    byCaller.set(caller, [...(byCaller.get(caller) ?? []), run]);
  }
  return verdictOf([...violations, ...[...byCaller.values()].flatMap(twice)]);
}

const span = ({ from, to }: HandledRun): string => (from === to ? `${from}` : `${from} to ${to}`);

/** Of one activation of a caller, whoever handled it. */
function twice(runs: readonly HandledRun[]): string[] {
  let last: HandledRun | undefined;
  return [...runs]
    .sort((a, b) => a.from - b.from)
    .flatMap((run) => {
      const before = last;
      if (last === undefined || run.to > last.to) last = run;
      if (before === undefined || run.from > before.to) return [];
      return [`${run.from} of ${run.caller} was handled by ${before.callee}@${before.epoch} and by ${run.callee}@${run.epoch}`];
    });
}

/** M3: an ask between agents that was answered was handled, and one that was definitely refused was not. */
export function answersTrue(operations: readonly EchoOperation[], handled: readonly HandledRun[]): Verdict {
  const by = byCaller(handled);
  return verdictOf(
    results(operations).flatMap(({ caller, to, asked: { code, definite } }) => {
      const there = has(by.get(caller) ?? [], to + 1);
      if (code === null) return there ? [] : [`ask ${to + 1} of ${caller} was answered, and nobody handled it`];
      return definite && there ? [`ask ${to + 1} of ${caller} was definitely refused (${code}), and was handled`] : [];
    }),
  );
}

/**
 * M4: what was told and never handled is counted by some node, as a gap or as a dead letter. Judged of pairs that never moved, whose nodes are
 * therefore likely to be alive with what they counted; if too little was counted all the same, it is unknown.
 */
export function gapsCounted(operations: readonly EchoOperation[], { handled, nodes }: Omit<EchoFinals, 'unread'>): Verdict {
  const by = byCaller(handled);
  const moved = new Set(repeated([...new Set(handled.map(({ callee, epoch }) => `${callee}@${epoch}`))]));
  const callers = new Set(repeated([...new Set(results(operations).map(({ caller }) => caller))]));
  const missing = results(operations).reduce((total, { caller, from, to, pushedBack }) => {
    const runs = by.get(caller) ?? [];
    const callee = runs[0]?.callee;
    if (callee === undefined || callers.has(nameOf(caller)) || moved.has(callee)) return total;
    let absent = 0;
    for (let n = from; n <= to; n++) if (!has(runs, n)) absent++;
    return total + Math.max(0, absent - pushedBack);
  }, 0);
  const counted = Object.values(nodes).reduce((total, { gaps, deadLetters }) => total + gaps + deadLetters, 0);
  if (missing <= counted) return { verdict: 'ok' };
  return { verdict: 'unknown', reason: `${missing} messages that were told are missing, and the nodes that live counted ${counted}` };
}

const results = (operations: readonly EchoOperation[]): readonly EchoResult[] =>
  operations.flatMap((each) => (each.outcome === 'ok' ? [each.result] : []));
const has = (runs: readonly HandledRun[], n: number): boolean => runs.some(({ from, to }) => from <= n && n <= to);
function byCaller(handled: readonly HandledRun[]): ReadonlyMap<string, readonly HandledRun[]> {
  const by = new Map<string, HandledRun[]>();
  for (const run of handled) {
    const runs = by.get(run.caller);
    if (runs === undefined) by.set(run.caller, [run]);
    else runs.push(run);
  }
  return by;
}

/** `type/id@epoch` without the epoch. */
const nameOf = (activation: string): string => activation.slice(0, activation.lastIndexOf('@'));
/** The names that have more than one activation here. */
const repeated = (activations: readonly string[]): readonly string[] => {
  const names = activations.map(nameOf);
  return names.filter((name, index) => names.indexOf(name) !== index);
};
