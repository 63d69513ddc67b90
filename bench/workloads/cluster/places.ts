import type { Nodes } from './nodes.ts';

/** Which node each agent of a type is on; between two owners it is nowhere, and not in it. */
export async function placesOf({ client }: Nodes, type: string): Promise<ReadonlyMap<string, string>> {
  const rows = await client.cluster.list({ type, limit: 10_000 });
  return new Map(rows.flatMap(({ id, node }) => (node === null ? [] : [[id, node] as const])));
}
/** How many times its fair share the fullest of so many nodes has. */
export function skew(places: Iterable<string>, nodes: number): number {
  const counts = new Map<string, number>();
  for (const node of places) counts.set(node, (counts.get(node) ?? 0) + 1);
  const all = [...counts.values()];
  return (Math.max(...all) * nodes) / all.reduce((sum, count) => sum + count, 0);
}
