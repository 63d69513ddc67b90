import type { Client } from '../../src/client.ts';
import type { Place } from '../act.ts';

/** What each of these nodes takes the members to be that are not gone; without those that do not answer. */
export async function viewsOf(client: Client, nodes: readonly Place[]): Promise<Readonly<Record<Place, readonly string[]>>> {
  const views = await Promise.all(
    nodes.map(async (node) => {
      try {
        return [
          node,
          rowsOf(await client.cluster.nodes(node))
            .map(textOf)
            .sort(),
        ] as const;
      } catch {
        return undefined;
      }
    }),
  );
  return Object.fromEntries(views.filter((view) => view !== undefined));
}

/** Each of them runs, and takes exactly them to be the members. */
export const agree = (views: Readonly<Record<Place, readonly string[]>>, nodes: readonly Place[]): boolean => {
  const texts = new Set(Object.values(views).map((view) => view.join(', ')));
  const [view] = Object.values(views);
  return (
    Object.keys(views).length === nodes.length &&
    texts.size === 1 &&
    view?.length === nodes.length &&
    view.every((member) => member.endsWith(' running'))
  );
};

/** Messages that wait on each of these nodes, all actors together; without those that do not answer. */
export async function mailboxesOf(client: Client, nodes: readonly Place[]): Promise<Readonly<Record<string, number>>> {
  const waiting = await Promise.all(
    nodes.map(async (node) => {
      try {
        return [`mailboxes of ${node}`, waitingIn(await client.cluster.tree(node))] as const;
      } catch {
        return undefined;
      }
    }),
  );
  return Object.fromEntries(waiting.filter((each) => each !== undefined));
}

interface Row {
  readonly node: string;
  readonly incarnation: number;
  readonly state: string;
  readonly suspended: boolean;
}
const rowsOf = (answer: unknown): readonly Row[] =>
  Array.isArray(answer) ? (answer as Row[]).filter(({ state }) => state !== 'gone') : [];
const textOf = ({ node, incarnation, state, suspended }: Row): string => `${node}.${incarnation} ${suspended ? 'suspended' : state}`;

function waitingIn(tree: unknown): number {
  const { mailbox, children } = (tree ?? {}) as { readonly mailbox?: unknown; readonly children?: unknown };
  const below = Array.isArray(children) ? children.reduce((sum: number, child) => sum + waitingIn(child), 0) : 0;
  return (typeof mailbox === 'number' ? mailbox : 0) + below;
}
