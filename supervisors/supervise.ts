import { receive } from '../src/actor/behavior.ts';
import type { Props } from '../src/actor/props.ts';
import type { ActorRef } from '../src/actor/ref.ts';
import type { Strategy } from '../src/actor/strategy.ts';
import type { System } from '../src/actor/system.ts';

/**
 * Who runs under whom, as a table: the children of one supervisor by name, in the order in which they start, and what happens when
 * one falls. `Needs` is what they are made of, `Messages` what each of them takes.
 */
export interface Tree<Needs, Messages> {
  readonly name: string;
  readonly strategy: Strategy;
  readonly children: { readonly [Name in keyof Messages]: (needs: Needs) => Props<Messages[Name]> };
}
/** By the place in the tree, so they hold through restarts of the child and of its supervisor. */
export type Refs<Messages> = { readonly [Name in keyof Messages]: ActorRef<Messages[Name]> };

/** The child of a tree on any node: whoever is at that place when a message arrives. */
export const childRef = <Messages, Name extends keyof Messages & string>(
  system: System,
  tree: Tree<never, Messages>,
  name: Name,
  at: { readonly node: string; readonly incarnation: number } = system,
): ActorRef<Messages[Name]> =>
  system.unsafeRef({ kind: 'incarnation', node: at.node, nodeIncarnation: at.incarnation, path: `${tree.name}/${name}`, uid: 0 });

/** Starts a tree at the top of the system. @throws NexaError `conflict` for a name that is taken. */
export function supervise<Needs, Messages>(system: System, tree: Tree<Needs, Messages>, needs: Needs): Refs<Messages> {
  const names = Object.keys(tree.children) as (keyof Messages & string)[];
  system.spawn<never>(
    {
      strategy: tree.strategy,
      behavior: (context) => {
        for (const name of names) context.spawn(tree.children[name](needs), name);
        return receive(() => {});
      },
    },
    tree.name,
  );
  return Object.fromEntries(names.map((name) => [name, childRef(system, tree, name)])) as unknown as Refs<Messages>;
}
