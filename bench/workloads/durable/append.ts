import { nuid } from 'nats';
import type { Workload } from '../../suite/workload.ts';
import { eventAgents } from './agents.ts';
import { eventRecord, formStores, openJournals } from './journals.ts';
import { type Load, type Writer, writeMeasures, writes } from './writes.ts';

const loads: Readonly<Record<string, Load>> = {
  '64 in flight': { lanes: 64, writes: 60_000 },
  '1,000 in flight': { lanes: 1_000, writes: 60_000 },
};
const journals: Writer = ({ url, names }, lanes) => openJournals(url, names, lanes);

/** What a user of the library writes for the same promise: an id that the server drops repeats by, and the number of the record before. */
const published: Writer = async ({ url, names, js }, lanes) => {
  await formStores(url, names, ['JOURNAL']);
  const publish = async (lane: number, lastSubjectSequence: number): Promise<number> => {
    const options = { msgID: nuid.next(), expect: { lastSubjectSequence } };
    return (await js.publish(names.record('journal', 'tally', `t${lane}`), eventRecord, options)).seq;
  };
  const last = await Promise.all(Array.from({ length: lanes }, (_, lane) => publish(lane, 0)));
  return async (lane) => {
    last[lane] = await publish(lane, last[lane] as number);
  };
};

export const append: Workload = {
  name: 'append',
  about:
    'One small event behind the last one of its journal, acknowledged by three replicating servers with file storage; each journal has one append under way. Ours are journals without agents, then event-sourced agents of the same process that are asked.',
  measures: writeMeasures,
  cases: Object.keys(loads),
  servers: 3,
  contenders: {
    nexa: writes('JOURNAL', loads, journals),
    'nexa agents': writes('JOURNAL', loads, eventAgents),
    'js.publish': writes('JOURNAL', loads, published),
  },
  reach: [{ measure: 'rate', beside: 'js.publish', ratio: 1.5 }],
  words:
    'The server leads the same stream in all three, one hop away, and takes as many bytes to as many subjects under the same headers. Servers and writer share the machine: what the writer does not need, the servers get.',
};
