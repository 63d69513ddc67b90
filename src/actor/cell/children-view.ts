import { asActorRef } from '../live-ref.ts';
import type { AnyRef } from '../ref.ts';
import type { Cell } from './cell.ts';

/** The children as they are now, read through: looking one up costs the same however many there are. */
export class ChildrenView implements ReadonlyMap<string, AnyRef> {
  private readonly cell: Cell;
  constructor(cell: Cell) {
    this.cell = cell;
  }

  get size(): number {
    return this.cell.children?.size ?? 0;
  }
  get(name: string): AnyRef | undefined {
    const child = this.cell.children?.get(name);
    return child === undefined ? undefined : this.refOf(child);
  }
  has(name: string): boolean {
    return this.cell.children?.has(name) ?? false;
  }
  forEach(visit: (ref: AnyRef, name: string, map: ReadonlyMap<string, AnyRef>) => void): void {
    for (const [name, ref] of this.entries()) visit(ref, name, this);
  }
  keys(): MapIterator<string> {
    return (this.cell.children ?? new Map<string, Cell>()).keys();
  }
  *values(): Generator<AnyRef, undefined> {
    for (const child of this.cell.children?.values() ?? []) yield this.refOf(child);
  }
  *entries(): Generator<[string, AnyRef], undefined> {
    for (const [name, child] of this.cell.children ?? []) yield [name, this.refOf(child)];
  }
  [Symbol.iterator](): Generator<[string, AnyRef], undefined> {
    return this.entries();
  }

  private refOf(child: Cell): AnyRef {
    return asActorRef<never>(child.ref(this.cell));
  }
}
