import type { Bare } from './bare-nats.ts';
import { ownedBy } from './owned-by.ts';

/** A node that was emptied on purpose, while the clients went on. */
export interface DrainRun {
  readonly node: string;
  readonly moved: number;
  readonly ms: number;
}

const DRAIN_MS = 30_000;

/** Drains a node, looks whether it is empty, and lets it work again. */
export async function drainAndWatch(options: {
  readonly node: string;
  readonly client: Bare;
  readonly prefix: string;
  readonly violations: string[];
  readonly onProgress: (line: string) => void;
}): Promise<DrainRun> {
  const { node, client, prefix, violations, onProgress } = options;
  onProgress(`drain: node ${node} with ${(await ownedBy(client, prefix, node)).length} agents`);
  const fromMs = performance.now();
  const answer = await client.request(`${prefix}.ctl.${node}`, { type: 'drain' }, { timeoutMs: DRAIN_MS });
  const ms = Math.round(performance.now() - fromMs);
  const { moved = 0, left = 0 } = (answer.ok ? answer.reply : {}) as { readonly moved?: number; readonly left?: number };
  if (!answer.ok) violations.push(`node ${node} could not be drained: ${answer.error.code} ${answer.error.message}`);
  const still = (await ownedBy(client, prefix, node)).length;
  if (left > 0 || still > 0) violations.push(`node ${node} was drained and still has ${Math.max(left, still)} agents`);
  onProgress(`its ${moved} agents moved in ${ms} ms`);
  await client.request(`${prefix}.ctl.${node}`, { type: 'uncordon' }, { timeoutMs: 5_000 });
  return { node, moved, ms };
}
