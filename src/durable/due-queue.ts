interface Due {
  readonly key: string;
  atMs: number;
}

/** Keys by when they are due, the earliest first; a key is in it once. */
export class DueQueue {
  readonly #heap: Due[] = [];
  readonly #places = new Map<string, number>();

  get size(): number {
    return this.#heap.length;
  }
  get first(): { readonly key: string; readonly atMs: number } | undefined {
    return this.#heap[0];
  }
  set(key: string, atMs: number): void {
    const place = this.#places.get(key);
    if (place === undefined) {
      this.#heap.push({ key, atMs });
      this.#rise(this.#heap.length - 1);
    } else {
      (this.#heap[place] as Due).atMs = atMs;
      this.#sink(this.#rise(place));
    }
  }
  delete(key: string): void {
    const place = this.#places.get(key);
    if (place === undefined) return;
    this.#places.delete(key);
    const last = this.#heap.pop() as Due;
    if (place === this.#heap.length) return;
    this.#put(last, place);
    this.#sink(this.#rise(place));
  }

  #put(due: Due, place: number): void {
    this.#heap[place] = due;
    this.#places.set(due.key, place);
  }
  /** Answers where it is now. */
  #rise(from: number): number {
    const due = this.#heap[from] as Due;
    let place = from;
    while (place > 0) {
      const above = this.#heap[(place - 1) >> 1] as Due;
      if (above.atMs <= due.atMs) break;
      this.#put(above, place);
      place = (place - 1) >> 1;
    }
    this.#put(due, place);
    return place;
  }
  #sink(from: number): void {
    const due = this.#heap[from] as Due;
    let place = from;
    for (;;) {
      let below = 2 * place + 1;
      if (below >= this.#heap.length) break;
      if (below + 1 < this.#heap.length && (this.#heap[below + 1] as Due).atMs < (this.#heap[below] as Due).atMs) below++;
      if ((this.#heap[below] as Due).atMs >= due.atMs) break;
      this.#put(this.#heap[below] as Due, place);
      place = below;
    }
    this.#put(due, place);
  }
}
