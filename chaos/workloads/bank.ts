import { bank as checkBank } from '../checkers/bank.ts';
import { byKeyOf, finalsOf, operationsOf, resultOf } from './asked.ts';
import { drive, type WorkloadOptions } from './drive.ts';
import { type KeyedNotes, keyedWork } from './keyed.ts';
import { outcomesOf } from './outcomes.ts';
import type { WorkKind } from './work.ts';

/** W4. `transfer` is answered when the teller has it stored; it then goes on by itself. Accounts are a0 … of their bank. */
export type BankOp =
  | { readonly type: 'transfer'; readonly transfer: string; readonly from: string; readonly to: string; readonly cents: number }
  | { readonly type: 'balance'; readonly account: string };
/** Of a `transfer`: how far it is. Of a `balance`: what is there at that moment; money on its way is nowhere. */
export type BankResult = { readonly state: TransferState } | { readonly cents: number };

/** `withdrawn`, `refunding`: on the way. `refused`: never withdrawn. `refunded`: withdrawn, not taken at the other end, and given back. */
export type TransferState = 'begun' | 'withdrawn' | 'refunding' | 'completed' | 'refused' | 'refunded';
export interface Transfer {
  readonly transfer: string;
  readonly from: string;
  readonly to: string;
  readonly cents: number;
  readonly state: TransferState;
}

/** `finals` by key: one bank each, read until no transfer was on its way any more or it had had its time. */
export type BankFinals = Readonly<
  Record<number, { readonly accounts: Readonly<Record<string, number>>; readonly transfers: readonly Transfer[] }>
>;
/** `notes`: with how many accounts every bank began, and with how much in each. */
export interface BankNotes {
  readonly accounts: number;
  readonly openingCents: number;
}

const TELLER = 'drill-teller';
const ACCOUNT = 'drill-account';
const ACCOUNTS = 5;
const OPENING_CENTS = 100;
/** So that some deposits are refused, and money goes back. */
const MOST_CENTS = 160;
const LARGEST_CENTS = 60;
/** How long the last transfers may take at the end, when all is quiet. */
const DONE_MS = 30_000;
const LOOK_MS = 500;
const FINAL: readonly TransferState[] = ['completed', 'refused', 'refunded'];

/** Transfers between two accounts, and now and then a look at one; what nobody knows is repeated under its request id. */
function bankWorkload(options: WorkloadOptions<BankOp, BankResult>): Promise<void> {
  let begun = 0;
  return drive({
    ...options,
    retries: 3,
    next(random): BankOp {
      const at = Math.floor(random.next() * ACCOUNTS);
      if (random.next() < 0.2) return { type: 'balance', account: `a${at}` };
      const to = (at + 1 + Math.floor(random.next() * (ACCOUNTS - 1))) % ACCOUNTS;
      const cents = 1 + Math.floor(random.next() * LARGEST_CENTS);
      return { type: 'transfer', transfer: `t${++begun}`, from: `a${at}`, to: `a${to}`, cents };
    },
  });
}

/** W4. */
export const bank: WorkKind = {
  name: 'bank',
  about: 'transfers between agents in durable steps: no money comes or goes, and every transfer ends in one way',
  start: (scene) =>
    keyedWork<BankOp, BankResult>(scene, (calls) => {
      const { clock, timeoutMs } = scene;
      const accounts = [...Array(ACCOUNTS).keys()].map((at) => `a${at}`);
      const bankOf = (key: number): string => `k${key}`;
      return {
        ...{ name: 'bank', lanes: 2, perSecond: 4, clients: 2, drive: bankWorkload },
        agentOf: (key) => `${TELLER}/${bankOf(key)}`,
        async prepare(key) {
          const config = { openingCents: OPENING_CENTS, mostCents: MOST_CENTS };
          for (const account of accounts) await calls.spawn(key, { agent: ACCOUNT, id: `${bankOf(key)}-${account}`, config });
          await calls.spawn(key, { agent: TELLER, id: bankOf(key) });
        },
        ask: (key, op, { requestId }) =>
          calls.by(
            key,
            (client) =>
              (op.type === 'balance'
                ? client.askRaw(ACCOUNT, `${bankOf(key)}-${op.account}`, { type: 'read' }, { timeoutMs })
                : client.askRaw(TELLER, bankOf(key), op, { timeoutMs, requestId })) as Promise<BankResult>,
          ),
        finals(keys, { caller }) {
          const untilMs = clock.monotonicMs() + DONE_MS;
          return finalsOf(calls, keys, async (key, client): Promise<BankFinals[number]> => {
            for (;;) {
              const said = await client.askRaw(TELLER, bankOf(key), { type: 'read' }, { timeoutMs });
              const { transfers } = said as { readonly transfers: readonly Transfer[] };
              if (clock.monotonicMs() < untilMs && transfers.some(({ state }) => !FINAL.includes(state))) {
                await calls.wait(LOOK_MS);
                continue;
              }
              const balances: Record<string, number> = {};
              for (const account of accounts) {
                const read = () =>
                  client.askRaw(ACCOUNT, `${bankOf(key)}-${account}`, { type: 'read' }, { timeoutMs }) as Promise<BankResult>;
                const there = await resultOf(caller.run({ key, op: { type: 'balance', account }, timeoutMs }, read));
                if ('cents' in there) balances[account] = there.cents;
              }
              return { accounts: balances, transfers };
            }
          });
        },
        notes: (): BankNotes => ({ accounts: ACCOUNTS, openingCents: OPENING_CENTS }),
      };
    }),
  check: (record) => [
    {
      promise: 'C8',
      by: 'bank',
      verdict: checkBank(operationsOf(record), byKeyOf<BankFinals[number]>(record.finals), record.notes as BankNotes & KeyedNotes),
    },
    outcomesOf(record),
  ],
};
