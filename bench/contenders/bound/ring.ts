/** A queue that uses its slots again and again: nothing is allocated for what comes and goes. */
export class Ring<T> {
  private slots: (T | undefined)[] = [undefined, undefined, undefined, undefined];
  private head = 0;
  private tail = 0;

  push(item: T): void {
    this.slots[this.tail] = item;
    this.tail = (this.tail + 1) & (this.slots.length - 1);
    if (this.tail === this.head) this.grow();
  }
  shift(): T | undefined {
    const item = this.slots[this.head];
    if (item === undefined) return undefined;
    this.slots[this.head] = undefined;
    this.head = (this.head + 1) & (this.slots.length - 1);
    return item;
  }

  private grow(): void {
    const { slots, head } = this;
    this.slots = new Array(slots.length * 2).fill(undefined);
    for (let index = 0; index < slots.length; index++) this.slots[index] = slots[(head + index) & (slots.length - 1)];
    this.head = 0;
    this.tail = slots.length;
  }
}
