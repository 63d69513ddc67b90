import { echo, startNode } from 'nexa';
import { inFlight } from '../../suite/in-flight.ts';
import type { Contender, Run, Seen, Workload } from '../../suite/workload.ts';
import { clusterOf } from './seen-of-node.ts';

const TARGETS = 16;
const LANES = 64;
/** Asks of all nodes together. */
const SIZES: Readonly<Record<string, number>> = { 'own agents': 400_000, "others' agents": 60_000 };
const within = { timeoutMs: 30_000 };
interface Drive {
  /** The nodes whose agents are asked, by turns. */
  readonly of: readonly number[];
  readonly asks: number;
}
const targetOn = (node: number, index: number): string => `t${node}-${index % TARGETS}`;

/** So many nodes, each in a process of its own; each with the same agents, and with somebody who asks. */
const nodes = (count: number): Contender => ({
  fars: count,
  async far({ urls: [nats = ''] }, index) {
    const name = `n${index}`;
    const node = await startNode({ nats, name, cluster: clusterOf(process.ppid) });
    for (let at = 0; at < TARGETS; at++) await node.spawn(echo, { id: targetOn(index, at), placement: { node: name } });
    return {
      said: name,
      async answer(question) {
        const { of, asks } = question as Drive;
        let answered = 0;
        await inFlight(LANES, asks, async (sent) => {
          const text = `${sent}`;
          const target = targetOn(of[sent % of.length] as number, Math.floor(sent / of.length));
          if ((await node.agent(echo, target).ask({ type: 'echo', text }, within)).text === text) answered++;
        });
        return answered;
      },
      stop: () => node.stop(),
    };
  },
  async run({ at, fars, count: sized }: Run): Promise<Seen> {
    const size = sized(SIZES[at] ?? 0);
    const all = fars.map((_far, index) => index);
    const drive = async (total: number): Promise<{ readonly expected: number; readonly seen: number }> => {
      const asks = Math.ceil(total / count);
      const answered = await Promise.all(
        fars.map((far, self) => far.ask({ of: at === 'own agents' || count === 1 ? [self] : all.filter((node) => node !== self), asks })),
      );
      return { expected: asks * count, seen: answered.map(Number).reduce((sum, each) => sum + each, 0) };
    };
    const cpuMs = async (): Promise<number> => (await Promise.all(fars.map((far) => far.cpuMs()))).reduce((sum, each) => sum + each, 0);
    await drive(size / 4);
    const [fromMs, fromCpuMs] = [performance.now(), await cpuMs()];
    const done = await drive(size);
    const [seconds, cpuSeconds] = [(performance.now() - fromMs) / 1_000, ((await cpuMs()) - fromCpuMs) / 1_000];
    return { values: { perCpu: done.expected / cpuSeconds, rate: done.expected / seconds }, ...done };
  },
});

export const scaling: Workload = {
  name: 'scaling',
  about:
    'One, two and four nodes on this machine, each in a process of its own and each asking agents, 64 asks in flight a node. `own agents`: all are of the same node, so what is seen is what it costs to be in a cluster. `others’ agents`: each ask leaves its node, to all the other nodes by turns; the one node has nobody else, and is the bound.',
  measures: { perCpu: { unit: 'asks a CPU second of all nodes', better: 'more' }, rate: { unit: 'asks/s', better: 'more' } },
  cases: Object.keys(SIZES),
  servers: 1,
  contenders: { 'four nodes': nodes(4), 'two nodes': nodes(2), 'one node': nodes(1) },
  reach: [
    { measure: 'perCpu', at: 'own agents', beside: 'one node', ratio: 0.8 },
    { measure: 'perCpu', at: 'own agents', of: 'two nodes', beside: 'one node', ratio: 0.8 },
    { measure: 'perCpu', at: "others' agents", beside: 'two nodes', ratio: 0.8 },
  ],
  words:
    'A machine with fewer cores than nodes shows nothing of how throughput grows: asks for each CPU second do. The time of the server is not in them.',
};
