import type { Client } from '../../src/client.ts';
import { NexaError } from '../../src/errors.ts';
import { HERE, type Here, ROLL } from '../agents/household.ts';
import { createdOnce, liveSet, noOrphans } from '../checkers/churn.ts';
import { operationsOf } from './asked.ts';
import { drive, type WorkloadOptions } from './drive.ts';
import { keyedWork } from './keyed.ts';
import { outcomesOf } from './outcomes.ts';
import type { WorkKind } from './work.ts';

/** W7. One client for each agent: spawned, stopped, told to have a child, one after the other. */
export type ChurnOp =
  | { readonly type: 'spawn'; readonly agent: string; readonly spawnId: string }
  | { readonly type: 'stop'; readonly agent: string }
  | { readonly type: 'bear'; readonly agent: string; readonly child: string };
/** Of a `spawn`; of a `bear`; of a `stop`. `absent`: there was no such agent, which is an answer where agents come and go. */
export type ChurnResult =
  | { readonly created: boolean; readonly node: string | null; readonly epoch: number }
  | { readonly epoch: number }
  | { readonly absent: boolean };

/** Who answered the last roll call: an agent (`child` null), or an actor under it that was made in that epoch. */
export interface Present {
  readonly agent: string;
  readonly epoch: number;
  readonly child: string | null;
}
/** `finals`: what the registry says of these agents, and who was there; null: it could not be read. */
export interface ChurnFinals {
  readonly registry:
    | readonly { readonly agent: string; readonly node: string | null; readonly epoch: number; readonly state: string }[]
    | null;
  readonly present: readonly Present[] | null;
}

const TYPE = 'drill-household';
/** The roll is called until two calls one after the other give the same, so often at most. */
const CALLS = 20;
const CALL_MS = 700;
const REGISTRY_MS = 15_000;

/** Spawns under ever new ids, stops, and children; what nobody knows is repeated, a spawn under its id. */
function churnWorkload(options: WorkloadOptions<ChurnOp, ChurnResult>): Promise<void> {
  let spawned = 0;
  let born = 0;
  return drive({
    ...options,
    // One after the other: so it is known which of them was the last.
    clients: 1,
    retries: 2,
    next(random, key): ChurnOp {
      const agent = `${TYPE}/k${key}`;
      const roll = random.next();
      if (roll < 0.4) return { type: 'spawn', agent, spawnId: `k${key}-${++spawned}` };
      return roll < 0.75 ? { type: 'bear', agent, child: `c${++born}` } : { type: 'stop', agent };
    },
  });
}

/** W7. */
export const churn: WorkKind = {
  name: 'churn',
  about: 'agents that come and go, with actors under them: a spawn id creates once, nobody outlives what it was under',
  start: (scene) =>
    keyedWork<ChurnOp, ChurnResult>(scene, (calls) => {
      const { timeoutMs } = scene;
      return {
        ...{ name: 'churn', perSecond: 3, clients: 1, drive: churnWorkload },
        agentOf: (key) => `${TYPE}/k${key}`,
        // Those of their own history spawn them.
        prepare: async () => undefined,
        ask: (key, op, { requestId }) =>
          calls
            .by(key, (client) => perform(client, key, op, { timeoutMs, requestId }))
            .catch((thrown: unknown) => {
              if (thrown instanceof NexaError && thrown.code === 'no-such-actor') return { absent: true };
              throw thrown;
            }),
        async finals(keys): Promise<ChurnFinals> {
          const key = keys[0] ?? 0;
          const registry = (await calls.patiently(key, calls.nowMs() + REGISTRY_MS, registryOf)) ?? null;
          const present = await rollCall(scene.client(key), calls.wait);
          // Where nobody says what there is, nobody being there says nothing.
          return { registry, present: registry === null && present?.length === 0 ? null : present };
        },
      };
    }),
  check: (record) => {
    const operations = operationsOf<ChurnOp, ChurnResult>(record);
    const finals = (record.finals as ChurnFinals | null) ?? { registry: null, present: null };
    return [
      { promise: 'C8', by: 'created once', verdict: createdOnce(operations) },
      { promise: 'C2', by: 'the registry is what lives', verdict: liveSet(operations, finals) },
      { promise: 'L1', by: 'no orphans', verdict: noOrphans(operations, finals) },
      outcomesOf(record),
    ];
  },
};

async function perform(
  client: Client,
  key: number,
  op: ChurnOp,
  { timeoutMs, requestId }: { readonly timeoutMs: number; readonly requestId: string },
): Promise<ChurnResult> {
  const id = `k${key}`;
  switch (op.type) {
    case 'spawn': {
      const { created, node, epoch } = await client.spawnRaw({ agent: TYPE, id, spawnId: op.spawnId, timeoutMs });
      return { created, node, epoch };
    }
    case 'bear':
      return (await client.askRaw(TYPE, id, { type: 'bear', child: op.child }, { timeoutMs, requestId })) as ChurnResult;
    case 'stop':
      await client.stopAgent(client.agent({ type: TYPE } as never, id), { timeoutMs });
      return { absent: false };
  }
}

/** Who answers when the roll is called: agents that live, and whoever was made by one. */
async function rollCall(client: Client, wait: (ms: number) => Promise<void>): Promise<ChurnFinals['present']> {
  try {
    let present = new Map<string, Present>();
    const cancel = await client.topic<Here>(HERE).subscribe(({ type, agent, epoch, child }) => {
      if (type === 'here') present.set(JSON.stringify([agent, epoch, child]), { agent, epoch, child });
    });
    try {
      let before: string | undefined;
      for (let call = 0; call < CALLS; call++) {
        present = new Map();
        const sent = client.topic(ROLL).publish({ type: 'roll' });
        await wait(CALL_MS);
        if (!sent) continue;
        const heard = JSON.stringify([...present.keys()].sort());
        if (heard === before) return [...present.values()];
        before = heard;
      }
      return null;
    } finally {
      cancel();
    }
  } catch {
    return null;
  }
}

async function registryOf(client: Client): Promise<NonNullable<ChurnFinals['registry']>> {
  const rows = await client.cluster.list({ type: TYPE, limit: 10_000 });
  return rows.map(({ id, node, epoch, state }) => ({ agent: `${TYPE}/${id}`, node, epoch, state }));
}
