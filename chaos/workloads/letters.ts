import type { Client } from '../../src/client.ts';
import { durableMail, type MailFinal, type MailOp, type MailResult } from '../checkers/durable-mail.ts';
import { byKeyOf, finalsOf, operationsOf, resultOf } from './asked.ts';
import { drive, type WorkloadOptions } from './drive.ts';
import { keyedWork } from './keyed.ts';
import { outcomesOf } from './outcomes.ts';
import type { WorkKind } from './work.ts';

const TYPE = 'drill-letterbox';
const POISON = 0.04;
/** How long what is stored may take at the end, when all is quiet: a sweep, and the tries of what is poison. */
const HANDLED_MS = 20_000;
const LOOK_MS = 500;

/** Letters with a number of their own each, now and then one that is poison; what nobody knows is repeated under its id. */
function letterWorkload(options: WorkloadOptions<MailOp, MailResult>): Promise<void> {
  let written = 0;
  return drive({
    ...options,
    retries: 3,
    next: (random): MailOp =>
      random.next() < 0.85 ? { type: 'write', value: ++written, poison: random.next() < POISON } : { type: 'read' },
  });
}

/** W2. A letterbox comes on demand: its first letter makes it. */
export const letters: WorkKind = {
  name: 'letters',
  about: 'durable messages, some of them poison: each handled once and in order, or put aside',
  start: (scene) =>
    keyedWork<MailOp, MailResult>(scene, (calls) => {
      const { clock, timeoutMs } = scene;
      const id = (key: number): string => `k${key}`;
      const read = (client: Client, key: number) => client.askRaw(TYPE, id(key), { type: 'read' }, { timeoutMs }) as Promise<MailResult>;
      return {
        name: 'letters',
        agentOf: (key) => `${TYPE}/${id(key)}`,
        prepare: async () => undefined,
        drive: letterWorkload,
        ask: (key, op, { requestId }) =>
          calls.by(key, async (client) =>
            op.type === 'read'
              ? read(client, key)
              : { messageId: await client.tellDurablyRaw(TYPE, id(key), op, { timeoutMs, messageId: requestId }) },
          ),
        finals: (keys, { caller, history }) => {
          const sent = new Map<number, Map<string, number>>(keys.map((key) => [key, new Map()]));
          const due = new Map<number, Set<number>>(keys.map((key) => [key, new Set()]));
          for (const { key, op, requestId, outcome } of history.operations()) {
            if (op.type !== 'write' || requestId === undefined) continue;
            sent.get(key)?.set(requestId, op.value);
            if (outcome === 'ok') due.get(key)?.add(op.value);
          }
          const untilMs = clock.monotonicMs() + HANDLED_MS;
          return finalsOf(calls, keys, async (key, client): Promise<MailFinal> => {
            for (;;) {
              const dead = await deadOf(client, id(key), sent.get(key) ?? new Map());
              const said = await resultOf(caller.run({ key, op: { type: 'read' }, timeoutMs }, () => read(client, key)));
              const values = 'values' in said ? said.values : [];
              const found = new Set([...values, ...dead]);
              if ([...(due.get(key) ?? [])].every((value) => found.has(value)) || clock.monotonicMs() > untilMs) return { values, dead };
              await calls.wait(LOOK_MS);
            }
          });
        },
      };
    }),
  check: (record) => [
    { promise: 'M7', by: 'durable mail', verdict: durableMail(operationsOf(record), byKeyOf(record.finals)) },
    outcomesOf(record),
  ],
};

/** What was put aside of one letterbox, by the numbers of its letters. */
async function deadOf(client: Client, id: string, sent: ReadonlyMap<string, number>): Promise<number[]> {
  const found: number[] = [];
  for (let after: number | undefined; ; ) {
    const said = (await client.cluster.dead.list({ type: TYPE, id, limit: 1_000, ...(after === undefined ? {} : { after }) })) as {
      readonly dead: readonly { readonly number: number; readonly messageId: string }[];
      readonly more: boolean;
    };
    for (const { messageId } of said.dead) {
      const value = sent.get(messageId);
      if (value !== undefined) found.push(value);
    }
    after = said.dead.at(-1)?.number;
    if (!said.more || after === undefined) return found;
  }
}
