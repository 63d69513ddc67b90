import { join } from 'node:path';
import { type Client, connect } from 'nexa';
import { home } from '../../suite/home.ts';
import type { Run } from '../../suite/workload.ts';
import { runStores } from '../durable/run-stores.ts';
import { become } from './again.ts';
import { nexaProgram, type Program } from './program.ts';

const NODES = 3;
const AGENTS = join(home, 'bench/agents');

interface Member {
  readonly node: string;
  readonly state: string;
  readonly pid: number;
}
/** Three nodes, each a process of its own below one launcher, whose records and states are on three servers. */
export interface Nodes extends AsyncDisposable {
  readonly client: Client;
  running(): Promise<readonly Member[]>;
  /** One more, as whoever adds a machine starts it. */
  add(name: string): void;
}

export async function threeNodes({ urls }: Run): Promise<Nodes> {
  const stores = await runStores(urls[0] as string);
  const given = { cluster: stores.names.cluster, nats: urls.join(','), agents: AGENTS, replicas: urls.length };
  const programs: Program[] = [nexaProgram('node', { ...given, name: 'n1', workers: NODES })];
  const client = await connect({ nats: urls, cluster: given.cluster, listed: false });
  const running = async () => ((await client.cluster.nodes()) as readonly Member[]).filter(({ state }) => state === 'running');
  const nodes: Nodes = {
    client,
    running,
    add: (name) => void programs.push(nexaProgram('node', { ...given, name })),
    async [Symbol.asyncDispose]() {
      await client[Symbol.asyncDispose]();
      await Promise.all(programs.map((program) => program.end()));
      await stores.remove();
    },
  };
  try {
    await become(`${NODES} nodes run`, async () => (await running()).length === NODES);
    return nodes;
  } catch (error) {
    await nodes[Symbol.asyncDispose]();
    throw new Error(`${(error as Error).message}\n${programs[0]?.said()}`);
  }
}
