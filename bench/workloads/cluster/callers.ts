import { type Client, counter } from 'nexa';

const within = { timeoutMs: 5_000 };

/** So many callers, each with agents of its own that it asks by turns to count up, one ask after the other. None may fail. */
export class Callers {
  readonly #client: Client;
  readonly #answered = new Map<string, number>();
  readonly #longestMs = new Map<string, number>();
  readonly #running: Promise<unknown>;
  #stopped = false;

  constructor(client: Client, ids: readonly string[], callers: number) {
    this.#client = client;
    const lanes = Array.from({ length: callers }, (_, lane) => ids.filter((_id, index) => index % callers === lane));
    this.#running = Promise.all(lanes.map((lane) => this.#call(lane)));
    // Told when they are stopped.
    this.#running.catch(() => undefined);
  }

  /** The longest wait for each agent since the last call. */
  takeLongestMs(): readonly number[] {
    const taken = [...this.#longestMs.values()];
    this.#longestMs.clear();
    return taken;
  }

  /** How many were acknowledged, and how many of them their agents have: all of an agent's, or none if it has another number. */
  async stop(): Promise<{ readonly expected: number; readonly seen: number }> {
    this.#stopped = true;
    await this.#running;
    let [expected, seen] = [0, 0];
    for (const [id, answered] of this.#answered) {
      expected += answered;
      const { value } = await this.#client.agent(counter, id).ask({ type: 'get' }, within);
      if (value === answered) seen += answered;
    }
    return { expected, seen };
  }

  async #call(ids: readonly string[]): Promise<void> {
    while (!this.#stopped)
      for (const id of ids) {
        const fromMs = performance.now();
        await this.#client.agent(counter, id).ask({ type: 'add' }, within);
        const tookMs = performance.now() - fromMs;
        this.#answered.set(id, (this.#answered.get(id) ?? 0) + 1);
        this.#longestMs.set(id, Math.max(tookMs, this.#longestMs.get(id) ?? 0));
      }
  }
}
