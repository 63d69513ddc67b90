import type { Bare } from './bare-nats.ts';

/** Ids of the agents that run on a node. */
export async function ownedBy(client: Bare, prefix: string, node: string): Promise<readonly string[]> {
  const listed = await client.request(`${prefix}.agents`, { type: 'list', limit: 10_000 }, { timeoutMs: 5_000 });
  const { agents } = (listed.ok ? listed.reply : {}) as {
    readonly agents?: readonly { readonly id: string; readonly node: string | null }[];
  };
  return (agents ?? []).filter((agent) => agent.node === node).map((agent) => agent.id);
}
