import { NexaError } from '../errors.ts';
import { isActorName } from './address.ts';
import { receive } from './behavior.ts';
import { Cell } from './cell/cell.ts';
import type { CellOptions } from './cell/options.ts';
import type { Props } from './props.ts';
import type { Strategy } from './strategy.ts';
import type { System } from './system.ts';

const DEEPEST = 64;

/** The live cells of a system: who is where, and who may still come. */
export class Registry {
  /** Above every actor; has no place in any path. */
  readonly root: Cell;
  private readonly system: System;
  private readonly cells = new Map<number, Cell>();
  private readonly limit: number;
  private uids = 0;
  private names = 0;

  constructor(system: System, strategy: Strategy, limit: number) {
    this.system = system;
    this.limit = limit;
    this.root = new Cell(system, undefined, '~', ++this.uids, { behavior: () => receive(() => {}), strategy }, undefined);
    this.cells.set(this.root.uid, this.root);
    this.root.call();
  }

  /** Without the root. */
  get size(): number {
    return this.cells.has(this.root.uid) ? this.cells.size - 1 : this.cells.size;
  }
  /** The latest first, so that children come before their parents. */
  all(): Cell[] {
    return [...this.cells.values()].reverse();
  }

  spawn(props: Props<unknown>, name: string | undefined, options: CellOptions | undefined, parent: Cell): Cell {
    checkProps(props);
    if (parent.wantsStop || parent.winding !== undefined) {
      throw new NexaError('unavailable', 'nothing is spawned below an actor that is ending', { where: parent.where, retryable: false });
    }
    if (this.size >= this.limit) throw new NexaError('overloaded', `this node runs its most actors: ${this.limit}`);
    if (name !== undefined && (!isActorName(name) || name.startsWith('$'))) {
      throw new NexaError('bad-id', 'this is no name of an actor', {
        where: { name: String(name).slice(0, 200) },
        fix: "Use letters, digits and _-.~=+!*'(),:@; at most 255, not beginning with $.",
      });
    }
    const called = name ?? `$${(++this.names).toString(36)}`;
    if (parent.children?.has(called)) {
      throw new NexaError('conflict', 'an actor of this name lives or is still stopping', { where: { ...parent.where, name: called } });
    }
    if (depthOf(parent) >= DEEPEST)
      throw new NexaError('invalid-definition', `the tree is at most ${DEEPEST} deep`, { where: parent.where });
    const cell = new Cell(this.system, parent, called, ++this.uids, props, options);
    parent.children ??= new Map();
    parent.children.set(called, cell);
    this.cells.set(cell.uid, cell);
    cell.call();
    return cell;
  }

  /** Uid 0 means whoever is at that path now. */
  find(path: string, uid: number): Cell | undefined {
    if (uid !== 0) {
      const cell = this.cells.get(uid);
      return cell !== undefined && cell.path === path ? cell : undefined;
    }
    let at: Cell | undefined = this.root;
    for (const name of path.split('/')) at = at?.children?.get(name);
    return at;
  }

  forget(cell: Cell): void {
    this.cells.delete(cell.uid);
  }
}

function checkProps(props: Props<unknown>): void {
  if (typeof props?.behavior !== 'function') {
    throw new NexaError('invalid-definition', 'props.behavior is not a function', { fix: 'Pass { behavior: (context) => receive(…) }.' });
  }
  if (props.receiveTimeoutMs !== undefined && !(props.receiveTimeoutMs > 0)) {
    throw new NexaError('invalid-definition', 'receiveTimeoutMs is not above 0');
  }
}

function depthOf(cell: Cell): number {
  let depth = 0;
  for (let at: Cell | undefined = cell; at !== undefined; at = at.parent) depth++;
  return depth;
}
