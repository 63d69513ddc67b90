import type { Node } from './node.ts';

/** The nodes that wait for a turn, first in, first out: a ring that grows with the number of actors that are busy at once. */
export class RunQueue {
  private ring: (Node | undefined)[] = new Array(256);
  private head = 0;
  private tail = 0;

  get empty(): boolean {
    return this.head === this.tail;
  }

  push(node: Node): void {
    this.ring[this.tail] = node;
    this.tail = (this.tail + 1) & (this.ring.length - 1);
    if (this.tail === this.head) this.grow();
  }
  shift(): Node | undefined {
    if (this.head === this.tail) return undefined;
    const node = this.ring[this.head];
    this.ring[this.head] = undefined;
    this.head = (this.head + 1) & (this.ring.length - 1);
    return node;
  }
  clear(): void {
    this.ring = new Array(256);
    this.head = this.tail = 0;
  }

  private grow(): void {
    const old = this.ring;
    const ring = new Array<Node | undefined>(old.length * 2);
    for (let index = 0; index < old.length; index++) ring[index] = old[(this.head + index) & (old.length - 1)];
    this.ring = ring;
    this.head = 0;
    this.tail = old.length;
  }
}
