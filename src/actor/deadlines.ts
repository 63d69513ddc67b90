import type { Clock } from '../ports/clock.ts';
import type { Cancel } from './ref.ts';

/** Something with a deadline; the fields are the list's own. */
export interface Due {
  readonly deadlineMs: number;
  bucket: Bucket | undefined;
  before: Due | undefined;
  after: Due | undefined;
  expire(): void;
}
export interface Bucket {
  readonly atMs: number;
  first: Due | undefined;
}

/**
 * Many deadlines on one timer: adding and removing cost the same however many there are. Deadlines within one millisecond share
 * a bucket; the buckets stand in a heap, from which empty ones are cleared before they are more than half of it.
 */
export class Deadlines {
  private readonly clock: Clock;
  private readonly buckets = new Map<number, Bucket>();
  private readonly heap: number[] = [];
  private armed: { readonly atMs: number; readonly cancel: Cancel } | undefined = undefined;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  add(due: Due): void {
    const atMs = Math.ceil(due.deadlineMs);
    let bucket = this.buckets.get(atMs);
    if (bucket === undefined) {
      bucket = { atMs, first: undefined };
      this.buckets.set(atMs, bucket);
      this.insert(atMs);
      this.arm();
    }
    due.bucket = bucket;
    due.before = undefined;
    due.after = bucket.first;
    if (bucket.first !== undefined) bucket.first.before = due;
    bucket.first = due;
  }

  remove(due: Due): void {
    const bucket = due.bucket;
    if (bucket === undefined) return;
    if (due.before === undefined) bucket.first = due.after;
    else due.before.after = due.after;
    if (due.after !== undefined) due.after.before = due.before;
    due.bucket = due.before = due.after = undefined;
    if (bucket.first === undefined) {
      this.buckets.delete(bucket.atMs);
      if (this.heap.length > 64 && this.heap.length > 2 * this.buckets.size) this.sweep();
    }
  }

  clear(): void {
    this.buckets.clear();
    this.heap.length = 0;
    this.armed?.cancel();
    this.armed = undefined;
  }

  private fire(): void {
    this.armed = undefined;
    const now = this.clock.monotonicMs();
    while (this.heap.length > 0 && (this.heap[0] as number) <= now) {
      const bucket = this.buckets.get(this.take());
      while (bucket?.first !== undefined) {
        const due = bucket.first;
        this.remove(due);
        due.expire();
      }
    }
    this.arm();
  }

  private arm(): void {
    while (this.heap.length > 0 && !this.buckets.has(this.heap[0] as number)) this.take();
    const next = this.heap[0];
    if (next === undefined || (this.armed !== undefined && this.armed.atMs <= next)) return;
    this.armed?.cancel();
    this.armed = { atMs: next, cancel: this.clock.after(Math.max(0, next - this.clock.monotonicMs()), () => this.fire()) };
  }

  private sweep(): void {
    this.heap.length = 0;
    for (const atMs of this.buckets.keys()) this.heap.push(atMs);
    this.heap.sort((a, b) => a - b);
  }

  private insert(atMs: number): void {
    const heap = this.heap;
    let at = heap.push(atMs) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if ((heap[parent] as number) <= atMs) break;
      heap[at] = heap[parent] as number;
      at = parent;
    }
    heap[at] = atMs;
  }

  private take(): number {
    const heap = this.heap;
    const top = heap[0] as number;
    const last = heap.pop() as number;
    if (heap.length > 0) {
      let at = 0;
      for (;;) {
        let child = 2 * at + 1;
        if (child >= heap.length) break;
        if (child + 1 < heap.length && (heap[child + 1] as number) < (heap[child] as number)) child++;
        if ((heap[child] as number) >= last) break;
        heap[at] = heap[child] as number;
        at = child;
      }
      heap[at] = last;
    }
    return top;
  }
}
