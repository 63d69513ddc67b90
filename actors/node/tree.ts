import type { CellSnapshot } from '../../src/actor/snapshot.ts';
import type { System } from '../../src/actor/system.ts';
import type { NodeTree } from './protocol.ts';

/** Bounds of one answer, in any encoding: actors, estimated bytes, levels, characters of a reason. */
const MOST = { actors: 2_000, bytes: 400_000, levels: 24, reason: 300 } as const;
/** Names of fields, numbers and punctuation of one actor. */
const FIXED_BYTES = 120;
const AGENT = 'nexa:';

/** The live actors of a node, from its name downwards; what exceeds the bounds is counted in `more`. */
export function nodeTree(system: System): NodeTree {
  let left: number = MOST.bytes;
  let shown = 0;
  const branch = (actor: CellSnapshot, above: string, level: number): NodeTree => {
    // A named agent is known by its name: nexa:<type>/<id>.
    const name =
      actor.address.startsWith(AGENT) && !actor.address.startsWith(`${AGENT}//`) ? actor.address.slice(AGENT.length) : actor.name;
    const path = `${above}/${actor.name}`;
    const lastReason = actor.lastReason?.slice(0, MOST.reason).toWellFormed() ?? null;
    left -= FIXED_BYTES + name.length + path.length + (lastReason?.length ?? 0);
    shown++;
    return {
      name,
      path,
      state: actor.state,
      mailbox: actor.mailbox,
      restarts: actor.restarts,
      lastReason,
      children: below(actor, path, level),
    };
  };
  const below = (actor: CellSnapshot, path: string, level: number): readonly NodeTree[] => {
    const children: NodeTree[] = [];
    for (const child of actor.children) {
      if (left <= 0 || level >= MOST.levels) break;
      children.push(branch(child, path, level + 1));
    }
    return children;
  };
  const root = system.snapshot(MOST.actors);
  const children = below(root, '', 1);
  const more = system.actors - shown;
  const { state, mailbox, restarts } = root;
  const tree = { name: system.node, path: '/', state, mailbox, restarts, lastReason: root.lastReason ?? null, children };
  return more > 0 ? { ...tree, more } : tree;
}
