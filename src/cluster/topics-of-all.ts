import type { System } from '../actor/system.ts';
import type { Cluster } from './cluster-contract.ts';
import { endpointRef } from './endpoint.ts';
import type { TopicRow } from './topics.ts';

/** Who listens on which node; programs outside that subscribe by themselves are known to the broker alone. */
export interface TopicsOfAll {
  /** By pattern, group and node. */
  readonly topics: readonly (TopicRow & { readonly node: string })[];
  /** There are more than these. */
  readonly more: boolean;
  /** Nodes that did not say in time. */
  readonly silent: readonly string[];
}

const WITHIN_MS = 1_000;
const MOST_ROWS = 2_000;

/** What every node that is up says, within a second. */
export async function topicsOfAll(
  system: System,
  { members, topics, self }: Pick<Cluster, 'members' | 'topics' | 'self'>,
): Promise<TopicsOfAll> {
  const up = members.all().filter(({ state }) => state === 'up' || state === 'leaving');
  const silent: string[] = [];
  const asked = up.map(async ({ node, incarnation }) => {
    try {
      const here =
        node === self.node
          ? topics.rows()
          : await endpointRef(system, node, incarnation).ask({ type: 'topics-here' }, { timeoutMs: WITHIN_MS });
      return here.map((row) => ({ ...row, node }));
    } catch {
      silent.push(node);
      return [];
    }
  });
  const rows = (await Promise.all(asked)).flat();
  const text = ({ pattern, group, node }: (typeof rows)[number]): string => `${pattern} ${group ?? ''} ${node}`;
  rows.sort((a, b) => (text(a) < text(b) ? -1 : 1));
  return { topics: rows.slice(0, MOST_ROWS), more: rows.length > MOST_ROWS, silent: silent.sort() };
}
