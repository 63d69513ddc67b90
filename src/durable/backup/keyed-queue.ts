/** Work in order for each key and at once for different ones, so much of it at the most. The first failure ends it. */
export class KeyedQueue {
  readonly #width: number;
  readonly #last = new Map<string, Promise<void>>();
  #running = 0;
  #wake: (() => void)[] = [];
  #failure: { readonly error: unknown } | undefined;

  constructor(width: number) {
    this.#width = width;
  }

  /** Resolves once there is room for it. @throws what earlier work threw. */
  async add(key: string, run: () => Promise<void>): Promise<void> {
    while (this.#running >= this.#width) await this.#changed();
    this.#check();
    this.#running++;
    const work = (this.#last.get(key) ?? Promise.resolve()).then(async () => {
      if (this.#failure === undefined) await run();
    });
    const settled = work
      .catch((error) => {
        this.#failure ??= { error };
      })
      .then(() => {
        this.#running--;
        if (this.#last.get(key) === settled) this.#last.delete(key);
        for (const wake of this.#wake.splice(0)) wake();
      });
    this.#last.set(key, settled);
  }
  /** @throws what any work threw. */
  async drained(): Promise<void> {
    while (this.#running > 0) await this.#changed();
    this.#check();
  }

  #changed(): Promise<void> {
    return new Promise((resolve) => this.#wake.push(resolve));
  }
  #check(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }
}
