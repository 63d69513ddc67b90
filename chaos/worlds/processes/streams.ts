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

/**
 * The server that leads that stream: by its own word, as others go on naming one that has died. Of two that both say so, one of which is cut
 * off and has not noticed, it is the one that others name too.
 */
export async function leaderOf(stream: string, servers: readonly MonitorTarget[]): Promise<string | undefined> {
  const [only] = servers;
  if (servers.length === 1) return only?.place;
  const said = await Promise.all(
    servers.map(async (server) => {
      const found = (await streamsAt(server, '/jsz?accounts=true&streams=true')).find(({ name }) => name === stream);
      return { by: server.place, leader: found?.cluster?.leader };
    }),
  );
  const votes = (place: string): number => said.filter(({ leader }) => leader === place).length;
  const [first] = said.filter(({ by, leader }) => by === leader).sort((a, b) => votes(b.by) - votes(a.by));
  return first?.by;
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
