import { connect } from 'nats';
import { startNode } from 'nexa';
import type { Contender, Run, Seen, Workload } from '../../suite/workload.ts';
import { fountain, fountainProtocol } from './fountain.ts';
import { clusterOf, memory } from './seen-of-node.ts';

const BYTES = 1_024;
const ITEMS = 200_000;
const WINDOW = 1_024;
const STOP_MS = 2_000;
const SUBJECT = 'bench.stream';
const within = { idleTimeoutMs: 10_000, window: WINDOW };
const MEBIBYTE = 2 ** 20;

/** The second of two runs is timed: the first is for the compilers. */
async function timed(read: (items: number) => Promise<number>, items: number): Promise<Pick<Seen, 'expected' | 'seen'> & { rate: number }> {
  await read(Math.ceil(items / 4));
  const fromMs = performance.now();
  const seen = await read(items);
  return { expected: items, seen, rate: items / ((performance.now() - fromMs) / 1_000) };
}

/** The producer is an agent of the other process. */
const nexa: Contender = {
  async far({ urls: [nats = ''] }) {
    const node = await startNode({ nats, name: 'n1', cluster: clusterOf(process.ppid), agents: [fountain] });
    await node.spawn(fountain, { id: 'f', placement: { node: 'n1' } });
    return { said: undefined, answer: async () => (await memory()).liveBytes, stop: () => node.stop() };
  },
  async run({ urls: [nats = ''], fars: [far], count }: Run) {
    await using node = await startNode({ nats, name: 'n2', cluster: clusterOf(process.pid), agents: [fountain] });
    const from = node.agent(fountainProtocol, 'f');
    const items = (wanted: number) => from.stream({ type: 'flow', bytes: BYTES, items: wanted }, within);
    const { rate, ...counted } = await timed(async (wanted) => {
      let right = 0;
      for await (const { index, text } of items(wanted)) if (index === right && text.length === BYTES) right++;
      return right;
    }, count(ITEMS));
    const liveBytes = async (): Promise<number> => Number(await far?.ask('memory'));
    const before = await liveBytes();
    // A reader that stands still: what it does not take is not made.
    let held = 0;
    for await (const _item of items(100_000_000)) {
      await new Promise((resolve) => setTimeout(resolve, count(STOP_MS)));
      held = ((await liveBytes()) - before) / MEBIBYTE;
      break;
    }
    return { values: { rate, held: Math.max(0, held) }, ...counted };
  },
};

/** As many bytes without anything that could slow the producer down but its socket. */
const publish: Contender = {
  async far({ urls: [servers = ''] }) {
    const nats = await connect({ servers });
    const payload = new Uint8Array(BYTES);
    return {
      said: undefined,
      async answer(items) {
        for (let sent = 1; sent <= Number(items); sent++) {
          nats.publish(SUBJECT, payload);
          if (sent % WINDOW === 0) await nats.flush();
        }
        return nats.flush();
      },
      stop: () => nats.close(),
    };
  },
  async run({ urls: [servers = ''], fars: [far], count }: Run) {
    const nats = await connect({ servers });
    let heard: (message: { readonly data: Uint8Array }) => void = () => undefined;
    nats.subscribe(SUBJECT, { callback: (_error, message) => heard(message) });
    await nats.flush();
    const { rate, ...counted } = await timed(async (wanted) => {
      let got = 0;
      const all = new Promise<void>((resolve) => {
        heard = ({ data }) => {
          if (data.length === BYTES && ++got === wanted) resolve();
        };
      });
      await Promise.all([far?.ask(wanted), all]);
      return got;
    }, count(ITEMS));
    await nats.close();
    return { values: { rate }, ...counted };
  },
};

export const stream: Workload = {
  name: 'stream',
  about:
    'Items of 1 kB from an agent of one process to a reader in another, with 1,024 of them on their way at most, beside messages of as many bytes that are published with as many between two looks at the socket. Then the reader stands still.',
  measures: {
    rate: { unit: 'items/s', better: 'more' },
    held: { unit: 'MiB more at the producer while its reader stands still', better: 'less', steady: true },
  },
  cases: [''],
  servers: 1,
  contenders: { nexa, 'NATS publish': publish },
  reach: [
    { measure: 'rate', beside: 'NATS publish', ratio: 0.25 },
    { measure: 'held', limit: 8 },
  ],
  words:
    'A message that is published knows no reader: nothing slows its producer, and what a slow reader cannot take is lost. An item is checked, numbered and paid for by credit.',
};
