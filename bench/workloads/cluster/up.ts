import { createServer } from 'node:net';
import { connect, counter } from 'nexa';
import { temporaryFolder } from '../../suite/home.ts';
import type { Contender, Workload } from '../../suite/workload.ts';
import { nexaProgram } from './program.ts';

const NODES = 3;
const SERVERS: Readonly<Record<string, number>> = { '1 server': 1, '3 servers': 3 };

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => (typeof address === 'object' && address !== null ? resolve(address.port) : reject(new Error('no port'))));
    });
  });
}

const nexa: Contender = {
  async run({ at }) {
    await using data = await temporaryFolder();
    const port = await freePort();
    const fromMs = performance.now();
    const program = nexaProgram('up', { servers: SERVERS[at] as number, nodes: NODES, 'nats-port': port, data: data.path });
    try {
      await program.until(/^ready after/m);
      const ready = performance.now() - fromMs;
      await using client = await connect({ nats: `127.0.0.1:${port}` });
      const { ref } = await client.spawn(counter, { id: 'alice' });
      const { value } = await ref.ask({ type: 'add' }, { timeoutMs: 5_000 });
      const answered = performance.now() - fromMs;
      const nodes = (await client.cluster.nodes()) as readonly { readonly state: string }[];
      return {
        values: { ready, answered },
        expected: NODES + 1,
        seen: nodes.filter(({ state }) => state === 'running').length + value,
      };
    } finally {
      await program.end();
    }
  },
};

export const up: Workload = {
  name: 'up',
  about: 'What a user waits for after `nexa up`: servers of its own, three nodes, each in a process of its own, and a first durable agent.',
  measures: {
    ready: { unit: 'ms until it says that it is ready', better: 'less' },
    answered: { unit: 'ms until a first agent has counted', better: 'less' },
  },
  cases: Object.keys(SERVERS),
  contenders: { nexa },
  reach: [
    { measure: 'ready', limit: 10_000 },
    { measure: 'answered', limit: 10_000 },
  ],
};
