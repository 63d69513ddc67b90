import { natsPublish } from '../../contenders/told/nats.ts';
import { nexaTold } from '../../contenders/told/nexa.ts';
import type { Told } from '../../contenders/told/told.ts';
import { cpuMs } from '../../suite/cpu.ts';
import type { Contender, Far, Run, Seen, Workload } from '../../suite/workload.ts';
import { Arrivals, type Arrived, type Awaited, machineMs } from './arrivals.ts';

/** A little more than is asked, so that the way of the last one has room. */
const PER_MS = 51;
const MESSAGES = 153_000;
const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 1));

/** Each is sent when it is due, and its latency counts from then on: a sender that is kept waiting is late. */
function steadily(told: Told): Contender {
  return {
    async far({ urls: [url = ''] }) {
      const arrivals = new Arrivals();
      const { said, stop } = await told.far(url, 1, (receiver, n, dueMs) => arrivals.take(receiver, n, dueMs));
      return { said, stop, answer: (awaited) => arrivals.reached(awaited as Awaited) };
    },
    async run({ count, urls: [url = ''], fars }: Run): Promise<Seen> {
      const [far] = fars as readonly [Far];
      const near = await told.near(url, far.said);
      const timed = count(MESSAGES);
      const warm = Math.ceil(timed / 3);
      const total = warm + timed;
      const arrived = far.ask({ total, warm } satisfies Awaited) as Promise<Arrived>;
      const usedMs = cpuMs() + (await far.cpuMs());
      const startMs = machineMs();
      const due = (n: number): number => startMs + n / PER_MS;
      await near.send(0, async (receiver) => {
        for (let n = 0; n < total; await pause())
          for (; n < total && due(n) <= machineMs(); n++) if (!receiver.tell(n, due(n))) await receiver.ready();
      });
      const { inOrder, lastMs, latencyMs } = await arrived;
      const cpu = ((cpuMs() + (await far.cpuMs()) - usedMs) * 1_000) / total;
      await near.stop();
      return { values: { rate: timed / ((lastMs - due(warm)) / 1_000), ...latencyMs, cpu }, expected: total, seen: inOrder };
    },
  };
}

export const delivery: Workload = {
  name: 'delivery',
  about: `Messages of 200 bytes from one node to another, ${PER_MS},000 of them a second at a steady rate: how many are handled a second, and how long after it was due to be sent each is.`,
  measures: {
    rate: { unit: 'messages/s', better: 'more' },
    p50: { unit: 'ms', better: 'less' },
    p99: { unit: 'ms', better: 'less' },
    cpu: { unit: 'µs of both processes per message', better: 'less' },
  },
  cases: [''],
  servers: 1,
  contenders: { nexa: steadily(nexaTold), publish: steadily(natsPublish) },
  reach: [
    { measure: 'rate', limit: 50_000 },
    { measure: 'p99', limit: 5 },
  ],
  words:
    'Times are of the one monotonic clock of the machine. The sender wakes once a millisecond, so about half of one is part of every latency, for both. No network is between the processes: on two machines its way is to be added.',
};
