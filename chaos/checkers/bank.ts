import type { Operation } from '../history.ts';
import type { BankFinals, BankNotes, BankOp, BankResult, Transfer, TransferState } from '../workloads/bank.ts';
import { byKey } from './by-key.ts';
import { requestsOf } from './requests.ts';
import { type Verdict, verdictOf, worstOf } from './verdict.ts';

type BankOperation = Operation<BankOp, BankResult>;
type Final = BankFinals[number];
type Wanted = Extract<BankOp, { readonly type: 'transfer' }>;

const ENDS: readonly TransferState[] = ['completed', 'refused', 'refunded'];

/**
 * Money neither comes nor goes: when all is quiet every transfer that was acknowledged is there once, as it was asked for and in an end of its own, no
 * other is there but those of unknown outcome, every account has what it began with and what completed transfers brought and took, and none
 * was ever below nothing.
 *
 * `finals`: each key's bank when nothing was in flight any more. A key without one is `unknown`.
 */
export function bank(operations: readonly BankOperation[], finals: ReadonlyMap<number, Final>, notes: BankNotes): Verdict {
  return worstOf(
    [...byKey(operations)].map(([key, ofKey]) => {
      const final = finals.get(key);
      if (final === undefined) return { verdict: 'unknown', reason: `key ${key}: its bank was not read in the end` };
      const violations = [...transfers(ofKey, final), ...balances(ofKey, final, notes)];
      return verdictOf(violations.map((each) => `key ${key}: ${each}`));
    }),
  );
}

const sameAs = (wanted: Wanted, { from, to, cents }: Transfer): boolean =>
  wanted.from === from && wanted.to === to && wanted.cents === cents;
const money = ({ from, to, cents }: Transfer | Wanted): string => `${cents} from ${from} to ${to}`;

function transfers(operations: readonly BankOperation[], final: Final): string[] {
  const there = new Map<string, Transfer[]>();
  for (const each of final.transfers) there.set(each.transfer, [...(there.get(each.transfer) ?? []), each]);
  const asked = new Map<string, Wanted>();
  const violations = requestsOf(operations).flatMap(({ operation: { op, outcome }, attempts }) => {
    if (op.type !== 'transfer') return [];
    asked.set(op.transfer, op);
    const [found, ...more] = there.get(op.transfer) ?? [];
    if (found === undefined) return outcome === 'ok' ? [`${op.transfer} was acknowledged and is lost`] : [];
    if (more.length > 0) return [`${op.transfer} is there ${more.length + 1} times`];
    if (outcome === 'fail') return [`${op.transfer} was definitely refused, and is there as ${found.state}`];
    if (!sameAs(op, found)) return [`${op.transfer} is ${money(found)}, and ${money(op)} was asked for`];
    const seen = attempts.flatMap((each) => (each.outcome === 'ok' && 'state' in each.result ? [each.result.state] : []));
    const other = seen.find((state) => ENDS.includes(state) && state !== found.state);
    if (other !== undefined) return [`${op.transfer} was seen as ${other}, and ended as ${found.state}`];
    return ENDS.includes(found.state) ? [] : [`${op.transfer} never came to an end: it is ${found.state}`];
  });
  const unasked = [...there.keys()].filter((transfer) => !asked.has(transfer));
  return [...violations, ...unasked.map((transfer) => `${transfer} is there, which nobody asked for`)];
}

function balances(operations: readonly BankOperation[], final: Final, { accounts, openingCents }: BankNotes): string[] {
  const names = Object.keys(final.accounts);
  const due = new Map(names.map((account) => [account, openingCents]));
  for (const { from, to, cents, state } of final.transfers) {
    if (state !== 'completed') continue;
    due.set(from, (due.get(from) ?? 0) - cents);
    due.set(to, (due.get(to) ?? 0) + cents);
  }
  // A step that was made and not yet written down is nobody's fault; that it never came to an end is said by name.
  const quiet = final.transfers.every(({ state }) => ENDS.includes(state));
  const total = names.reduce((sum, account) => sum + (final.accounts[account] ?? 0), 0);
  return [
    ...(names.length === accounts ? [] : [`${names.length} accounts were read of ${accounts}`]),
    ...(quiet && names.length === accounts && total !== accounts * openingCents
      ? [`all accounts together have ${total}, and began with ${accounts * openingCents}`]
      : []),
    ...names.flatMap((account) => {
      const [has, should] = [final.accounts[account] ?? 0, due.get(account) ?? 0];
      return quiet && has !== should ? [`${account} has ${has}, and its transfers make ${should}`] : [];
    }),
    ...names.filter((account) => (final.accounts[account] ?? 0) < 0).map((account) => `${account} ended below nothing`),
    ...operations.flatMap(({ op, ...each }) =>
      op.type === 'balance' && each.outcome === 'ok' && 'cents' in each.result && each.result.cents < 0
        ? [`${op.account} was seen with ${each.result.cents}`]
        : [],
    ),
  ];
}
