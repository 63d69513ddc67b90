import type { Workload } from '../../suite/workload.ts';
import { stateAgents } from './agents.ts';
import { formStores, stateRecord } from './journals.ts';
import { type Load, type Writer, writeMeasures, writes } from './writes.ts';

const loads: Readonly<Record<string, Load>> = {
  '1 agent': { lanes: 1, writes: 4_000 },
  '1,000 agents': { lanes: 1_000, writes: 24_000 },
};

/** The next state over the last one, if nobody wrote in between; no agent, no repeat, nothing that would tell what an error means. */
const updated: Writer = async ({ url, names, bucket }, lanes) => {
  await formStores(url, names, ['STATE']);
  const kv = await bucket('STATE');
  const key = (lane: number): string => `counter.t${lane}`;
  const revisions = await Promise.all(Array.from({ length: lanes }, (_, lane) => kv.create(key(lane), stateRecord)));
  return async (lane) => {
    revisions[lane] = await kv.update(key(lane), stateRecord, revisions[lane] as number);
  };
};

export const state: Workload = {
  name: 'state',
  about:
    'Agents with durable state count up: one increment of each is under way, and answered once three replicating servers have the new state. Beside it, updates of as many keys in the same bucket by hand, each checked against the revision before.',
  measures: writeMeasures,
  cases: Object.keys(loads),
  servers: 3,
  contenders: { nexa: writes('STATE', loads, stateAgents), 'kv.update': writes('STATE', loads, updated) },
  reach: [{ measure: 'rate', at: '1,000 agents', beside: 'kv.update', ratio: 1 }],
  words:
    'By hand there is no message, no check of it, no supervision, and nobody who would know after an error whether the write is there. With one agent the figure is the time of one round trip to the store.',
};
