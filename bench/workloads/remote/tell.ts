import { natsPublish } from '../../contenders/told/nats.ts';
import { nexaTold } from '../../contenders/told/nexa.ts';
import type { Receiver, Told } from '../../contenders/told/told.ts';
import { cpuMs } from '../../suite/cpu.ts';
import type { Contender, Far, Run, Seen, Workload } from '../../suite/workload.ts';
import { Arrivals, type Arrived, type Awaited } from './arrivals.ts';

const MESSAGES = 400_000;
/** `burst`: after so many a sender lets the others have their turn. */
const cases: Readonly<Record<string, { readonly senders: number; readonly burst: number }>> = {
  '1 to 1': { senders: 1, burst: Number.POSITIVE_INFINITY },
  '100 to 100': { senders: 100, burst: 20 },
};
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const sending = (from: number, to: number, burst: number) => async (receiver: Receiver) => {
  for (let n = from; n < to; n++) {
    if (!receiver.tell(n, 0)) await receiver.ready();
    if ((n + 1) % burst === 0) await turn();
  }
};

function telling(told: Told): Contender {
  return {
    async far({ at, urls: [url = ''] }) {
      const arrivals = new Arrivals();
      const { said, stop } = await told.far(url, cases[at]?.senders ?? 1, (receiver, n, dueMs) => arrivals.take(receiver, n, dueMs));
      return { said, stop, answer: (awaited) => arrivals.reached(awaited as Awaited) };
    },
    async run({ at, count, urls: [url = ''], fars }: Run): Promise<Seen> {
      const [far] = fars as readonly [Far];
      const { senders = 1, burst = 1 } = cases[at] ?? {};
      const near = await told.near(url, far.said);
      const each = Math.ceil(count(MESSAGES) / senders);
      const warm = Math.ceil(each / 2);
      const send = async (from: number, to: number): Promise<Arrived> => {
        const arrived = far.ask({ total: senders * to, warm: 0 } satisfies Awaited) as Promise<Arrived>;
        await Promise.all(Array.from({ length: senders }, (_, sender) => near.send(sender, sending(from, to, burst))));
        return arrived;
      };
      await send(0, warm);
      const usedMs = cpuMs() + (await far.cpuMs());
      const fromMs = performance.now();
      const { inOrder } = await send(warm, warm + each);
      const seconds = (performance.now() - fromMs) / 1_000;
      const cpu = ((cpuMs() + (await far.cpuMs()) - usedMs) * 1_000) / (senders * each);
      await near.stop();
      return { values: { rate: (senders * each) / seconds, cpu }, expected: senders * (warm + each), seen: inOrder };
    },
  };
}

export const tell: Workload = {
  name: 'remote-tell',
  about:
    'Messages of 200 bytes from one process to another over one nats-server, as fast as the receivers take them: from one sender to one receiver, and from 100 each to its own.',
  measures: {
    rate: { unit: 'messages/s', better: 'more' },
    cpu: { unit: 'µs of both processes per message', better: 'less' },
  },
  cases: Object.keys(cases),
  servers: 1,
  contenders: { nexa: telling(nexaTold), publish: telling(natsPublish) },
  reach: [{ measure: 'rate', beside: 'publish', ratio: 1.2 }],
  words:
    'Both wait when about 4,096 messages are under way. Ours encodes objects, keeps the order of each sender, notices gaps, and sends what one turn of the loop sends to one node as one message of NATS; the other is a publish of bytes for each message and a callback for each subject, which is all that it does. Every receiver checks that all came in order.',
};
