import { startNode } from 'nexa';
import { inFlight } from '../../suite/in-flight.ts';
import type { Contender, Run, Workload } from '../../suite/workload.ts';
import { clusterOf, memory, subscriptions } from './seen-of-node.ts';
import { type Stranger, strangers } from './strangers.ts';

const CONNECTIONS = 10_000;
/** Below the 1,024 that a node answers at a time. */
const ASKED_AT_ONCE = 128;
/** A tenth of the files that a process may open, for whatever else it has open. */
const SPARE = 1.1;

interface Limits {
  readonly userLimits: { readonly open_files: { readonly soft: number | 'unlimited' } };
}
const openFiles = (): number => {
  const { soft } = (process.report.getReport() as unknown as Limits).userLimits.open_files;
  return soft === 'unlimited' ? Number.POSITIVE_INFINITY : soft;
};
type Order = 'connect' | 'enter';

/** The connections are the other process's, the node is this one's. */
const nexa: Contender = {
  lacking: () =>
    openFiles() < CONNECTIONS * SPARE ? `it takes ${CONNECTIONS * SPARE} open files, ${openFiles()} are allowed (ulimit -n)` : undefined,
  async far({ urls: [url = ''], count }) {
    let all: readonly Stranger[] = [];
    const subject = `nexa.${clusterOf(process.ppid)}.v1.connect`;
    return {
      said: undefined,
      async answer(question) {
        if ((question as Order) === 'connect') {
          all = await strangers(url, count(CONNECTIONS));
          return all.length;
        }
        let entered = 0;
        await inFlight(ASKED_AT_ONCE, all.length, async (index) => {
          const client = `stranger-${index}`;
          const own = all[index] as Stranger;
          const answer = await own.request(subject, { type: 'connect', version: 1, client, wants: { heartbeatMs: 60_000 } });
          if (answer.ok && (answer.reply as { readonly client: string }).client === client) entered++;
        });
        return entered;
      },
      async stop() {
        for (const each of all) each.close();
      },
    };
  },
  async run({ urls: [nats = ''], monitors: [monitor = ''], fars: [far], count }: Run) {
    await using _node = await startNode({ nats, name: 'n1', cluster: clusterOf(process.pid) });
    const size = count(CONNECTIONS);
    const [before, subscribed] = [await memory(), await subscriptions(monitor, 'n1')];
    const connected = Number(await far?.ask('connect'));
    const fromMs = performance.now();
    const entered = Number(await far?.ask('enter'));
    const seconds = (performance.now() - fromMs) / 1_000;
    const bytes = ((await memory()).liveBytes - before.liveBytes) / size;
    const values = { bytes, rate: size / seconds, subscriptions: (await subscriptions(monitor, 'n1')) - subscribed };
    return { values, expected: 2 * size, seen: connected + entered };
  },
};

export const connections: Workload = {
  name: 'connections',
  about:
    '10,000 programs, each with a connection of its own to the server and an inbox of its own, make themselves known to one node by the public messages: it lists them, answers each, and expects their heartbeats.',
  measures: {
    bytes: { unit: 'B of live objects at the node a client', better: 'less', steady: true },
    rate: { unit: 'clients accepted/s', better: 'more' },
    subscriptions: { unit: 'subscriptions of the node more than without clients', better: 'less', steady: true },
  },
  cases: [''],
  servers: 1,
  contenders: { nexa },
  reach: [
    { measure: 'bytes', limit: 4_096 },
    // All of them within a minute of their server's return.
    { measure: 'rate', limit: CONNECTIONS / 60 },
    { measure: 'subscriptions', limit: 0 },
  ],
  words: 'The connections end at the server: a node holds none of them. What it keeps is the list of who said that it is there.',
};
