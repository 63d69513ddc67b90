import { Refused } from '../../src/errors.ts';
import type { Random } from '../../src/ports/random.ts';
import { lock as checkLock } from '../checkers/lock.ts';
import type { Client as Holding } from '../history.ts';
import { agentPerKey, byKeyOf, finalsOf, operationsOf } from './asked.ts';
import type { WorkloadOptions } from './drive.ts';
import { keyedWork } from './keyed.ts';
import { outcomesOf } from './outcomes.ts';
import type { WorkKind } from './work.ts';

/**
 * W5. A holder asks the lock for a lease, writes to the vault under the token it got (also when its lease is long over: nobody tells it),
 * and gives the lock back. A holder makes one call at a time.
 */
export type LockOp =
  | { readonly type: 'acquire'; readonly holder: string }
  | { readonly type: 'release'; readonly holder: string; readonly token: number }
  | { readonly type: 'write'; readonly holder: string; readonly token: number; readonly value: number };
/**
 * `token`: granted, or given back (`release`), or written under it. `held`: not granted, somebody else has that token. `stale`: refused by
 * the vault, which has seen that newer token.
 */
export type LockResult = { readonly token: number } | { readonly held: number } | { readonly stale: number };

/** One write as the vault keeps it; no value is written twice. */
export interface VaultWrite {
  readonly holder: string;
  readonly token: number;
  readonly value: number;
}
/** `finals` by key: the newest token that the lock gave out, and all that the vault took, in its order. */
export type LockFinals = Readonly<Record<number, { readonly token: number; readonly writes: readonly VaultWrite[] }>>;

const LOCK = 'drill-lock';
const VAULT = 'drill-vault';
const LEASE_MS = 1_500;
const MOST_WRITES = 4;
const REPEATS = 2;
/** Of holders that stand still for longer than their lease, and of those that never give it back. */
const ASLEEP = 0.15;
const FORGETFUL = 0.1;

/** Holders of one lock, each one call after the other; what nobody knows is repeated under its request id. */
async function lockWorkload(options: WorkloadOptions<LockOp, LockResult>): Promise<void> {
  const { clock, history, ask, timeoutMs, signal, firstKey: key = 0, perKey = 300, perSecond = 5, clients = 3 } = options;
  const random = options.random(key);
  const paceMs = (1_000 * clients) / perSecond;
  let left = perKey;
  let written = 0;
  const over = (): boolean => left === 0 || signal?.aborted === true;
  const pause = (ms: number): Promise<void> => new Promise((resolve) => void clock.after(ms, resolve));

  const call = async (as: Holding<LockOp, LockResult>, op: LockOp): Promise<LockResult | undefined> => {
    const requestId = random.id();
    left--;
    for (let tries = 0; tries <= REPEATS; tries++) {
      await pause(paceMs * (0.5 + random.next()));
      const operation = await as.run({ key, op, timeoutMs, requestId }, () => ask(key, op, { timeoutMs, requestId }));
      if (operation.outcome === 'ok') return operation.result;
      if (operation.outcome === 'fail') break;
    }
    return undefined;
  };
  const hold = async (as: Holding<LockOp, LockResult>, holder: string): Promise<void> => {
    const granted = await call(as, { type: 'acquire', holder });
    if (granted === undefined || !('token' in granted)) return;
    const { token } = granted;
    if (random.next() < ASLEEP) await pause(LEASE_MS * (1 + random.next()));
    for (let writes = whole(random, MOST_WRITES); writes > 0 && !over(); writes--) {
      const took = await call(as, { type: 'write', holder, token, value: ++written });
      if (took !== undefined && 'stale' in took) return;
    }
    if (!over() && random.next() >= FORGETFUL) await call(as, { type: 'release', holder, token });
  };
  const holding = async (at: number): Promise<void> => {
    const as = history.client();
    while (!over()) await hold(as, `h${at}`);
  };
  await Promise.all([...Array(clients).keys()].map(holding));
}

const whole = (random: Random, most: number): number => 1 + Math.floor(random.next() * most);

/** W5. */
export const lock: WorkKind = {
  name: 'lock',
  about: 'leases with fencing tokens: tokens only rise, and what is guarded takes nothing under an older one',
  start: (scene) =>
    keyedWork<LockOp, LockResult>(scene, (calls) => {
      const { timeoutMs } = scene;
      const { agentOf, prepare } = agentPerKey(calls, LOCK);
      return {
        ...{ name: 'lock', lanes: 2, perSecond: 6, drive: lockWorkload, agentOf },
        async prepare(key) {
          await prepare(key);
          await calls.spawn(key, { agent: VAULT, id: `k${key}` });
        },
        ask: async (key, op, { requestId }) => {
          const asked =
            op.type === 'acquire' ? { ...op, leaseMs: LEASE_MS } : op.type === 'release' ? { type: op.type, token: op.token } : op;
          const type = op.type === 'write' ? VAULT : LOCK;
          try {
            return (await calls.by(key, (client) => client.askRaw(type, `k${key}`, asked, { timeoutMs, requestId }))) as LockResult;
          } catch (thrown) {
            // What they declare is an answer.
            if (thrown instanceof Refused && (thrown.refusal === 'held' || thrown.refusal === 'stale'))
              return { [thrown.refusal]: (thrown.details as { readonly token: number }).token } as LockResult;
            throw thrown;
          }
        },
        finals: (keys) =>
          finalsOf(calls, keys, async (key, client): Promise<LockFinals[number]> => {
            const read = { type: 'read' };
            const { token } = (await client.askRaw(LOCK, `k${key}`, read, { timeoutMs })) as { readonly token: number };
            const { writes } = (await client.askRaw(VAULT, `k${key}`, read, { timeoutMs })) as { readonly writes: readonly VaultWrite[] };
            return { token, writes };
          }),
      };
    }),
  check: (record) => [
    { promise: 'C3', by: 'lock', verdict: checkLock(operationsOf(record), byKeyOf<LockFinals[number]>(record.finals)) },
    outcomesOf(record),
  ],
};
