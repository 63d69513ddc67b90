import type { Operation } from '../history.ts';
import { byKey } from './by-key.ts';
import { requestsOf } from './requests.ts';
import { type SetOp, type SetResult, setFull } from './set-full.ts';
import { type Verdict, verdictOf, worstOf } from './verdict.ts';

/** `write` is acknowledged when it is stored; what makes its handler throw each time is `poison`. */
export type MailOp = { readonly type: 'write'; readonly value: number; readonly poison: boolean } | { readonly type: 'read' };
/** Of a `write`: the id under which it is stored. Of a `read`: what was handled so far, in the order of handling. */
export type MailResult = { readonly messageId: string } | { readonly values: readonly number[] };
/** What was handled, in order, and what was put aside. */
export interface MailFinal {
  readonly values: readonly number[];
  readonly dead: readonly number[];
}
type MailOperation = Operation<MailOp, MailResult>;

/**
 * M7: whatever was stored is handled or put aside in the end, exactly once and never both; poison is put aside, what was definitely refused
 * is nowhere, and of two messages the one that was stored before the other was sent is handled before it.
 *
 * `finals`: read when nothing waited any more. A key without one is `unknown`.
 */
export function durableMail(operations: readonly MailOperation[], finals: ReadonlyMap<number, MailFinal>): Verdict {
  const found = new Map([...finals].map(([key, { values, dead }]) => [key, { values: [...values, ...dead] }]));
  return worstOf([
    setFull(operations.map(asSet), found),
    ...[...byKey(operations)].map(([key, ofKey]) => {
      const final = finals.get(key);
      if (final === undefined) return { verdict: 'ok' } as const;
      return verdictOf([...poisoned(ofKey, final), ...disordered(ofKey, final.values)].map((each) => `key ${key}: ${each}`));
    }),
  ]);
}

const asSet = (operation: MailOperation): Operation<SetOp, SetResult> => {
  const { op } = operation;
  const added: SetOp = op.type === 'write' ? { type: 'add', value: op.value } : op;
  if (operation.outcome !== 'ok') return { ...operation, op: added };
  return { ...operation, op: added, result: 'values' in operation.result ? { values: operation.result.values } : {} };
};

function poisoned(operations: readonly MailOperation[], { values }: MailFinal): string[] {
  const poison = new Set(operations.flatMap(({ op }) => (op.type === 'write' && op.poison ? [op.value] : [])));
  return values.filter((value) => poison.has(value)).map((value) => `${value} was handled, which its handler never can`);
}

function disordered(operations: readonly MailOperation[], values: readonly number[]): string[] {
  const place = new Map(values.map((value, index) => [value, index]));
  const stored = requestsOf(operations).flatMap(({ operation: { op, outcome, invokedAtMs, endedAtMs } }) => {
    const at = op.type === 'write' ? place.get(op.value) : undefined;
    return op.type === 'write' && at !== undefined && outcome === 'ok' ? [{ value: op.value, at, invokedAtMs, endedAtMs }] : [];
  });
  const byEnd = [...stored].sort((a, b) => a.endedAtMs - b.endedAtMs);
  let latest: (typeof stored)[number] | undefined;
  let ended = 0;
  return stored
    .sort((a, b) => a.invokedAtMs - b.invokedAtMs)
    .flatMap((each) => {
      for (let next = byEnd[ended]; next !== undefined && next.endedAtMs < each.invokedAtMs; next = byEnd[++ended])
        if (latest === undefined || next.at > latest.at) latest = next;
      return latest !== undefined && latest.at > each.at
        ? [`${each.value} was handled before ${latest.value}, which was stored before it was sent`]
        : [];
    });
}
