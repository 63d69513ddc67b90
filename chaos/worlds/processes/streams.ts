import { readMonitor } from '../../../src/nats-server/monitor.ts';

/** What servers' monitors say of the streams of a cluster; a server that does not answer says nothing. */
export interface MonitorTarget {
  readonly place: string;
  readonly host: string;
  readonly port: number;
}

const CALL_MS = 1_000;

interface StreamDetail {
  readonly name?: string;
  readonly cluster?: { readonly leader?: string };
  readonly consumer_detail?: readonly {
    readonly name?: string;
    readonly config?: { readonly inactive_threshold?: number; readonly durable_name?: string };
  }[];
}

async function streamsAt({ host, port }: MonitorTarget, page: string): Promise<readonly StreamDetail[]> {
  const answer = await readMonitor(page, { host, port }, CALL_MS).catch(() => undefined);
  const accounts = (answer as { readonly account_details?: unknown } | undefined)?.account_details;
  if (!Array.isArray(accounts)) return [];
  return accounts.flatMap((account: { readonly stream_detail?: readonly StreamDetail[] }) => account.stream_detail ?? []);
}

/** The server that leads that stream: the one that says so of itself, else the one that most others name. */
export async function leaderOf(stream: string, servers: readonly MonitorTarget[]): Promise<string | undefined> {
  const [only] = servers;
  if (servers.length === 1) return only?.place;
  const said = await Promise.all(
    servers.map(async (server) => {
      const found = (await streamsAt(server, '/jsz?accounts=true&streams=true')).find(({ name }) => name === stream);
      return { by: server.place, leader: found?.cluster?.leader ?? '' };
    }),
  );
  const itself = said.find(({ by, leader }) => leader === by);
  const named = said.map(({ leader }) => leader).filter((leader) => leader !== '');
  const votes = (leader: string): number => named.filter((each) => each === leader).length;
  return itself?.by ?? named.sort((a, b) => votes(b) - votes(a))[0];
}

/**
 * Consumers that nobody will ever remove. One that ends by itself once its reader is silent for its threshold is none: readers that were
 * killed leave such.
 */
export async function endlessConsumers(servers: readonly MonitorTarget[]): Promise<readonly string[]> {
  const pages = await Promise.all(servers.map((server) => streamsAt(server, '/jsz?accounts=true&streams=true&consumers=true&config=true')));
  const found = pages
    .flat()
    .flatMap(({ name, consumer_detail = [] }) =>
      consumer_detail
        .filter(({ config }) => !((config?.inactive_threshold ?? 0) > 0))
        .map((consumer) => `consumer ${consumer.name} of stream ${name}`),
    );
  return [...new Set(found)];
}
