import type { Bare } from './bare.ts';
import { eventually } from './support.ts';

/** What an election, a lapsed lease and a client's own reconnect may take together. */
export const HEAL_MS = 90_000;
const TRY_MS = 1_500;

/** One caller per counter that adds 1, under a request id that it repeats until it is acknowledged, and then the next. */
export class Adders {
  readonly acknowledged = new Map<string, number>();
  /** Answers that were none, by code. */
  readonly refusals = new Map<string, number>();
  readonly violations: string[] = [];
  /** The longest that any addition took. */
  longestMs = 0;
  readonly #running: Promise<unknown>;
  #stopped = false;

  /** The counters are at 0. */
  constructor(client: Bare, ids: readonly string[]) {
    this.#running = Promise.all(ids.map((id) => this.#add(client, id)));
    this.#running.catch(() => undefined);
  }
  get total(): number {
    return [...this.acknowledged.values()].reduce((sum, value) => sum + value, 0);
  }
  /** Resolves when nothing is under way any more: every addition that was begun is acknowledged. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }
  async #add(client: Bare, id: string): Promise<void> {
    for (let next = 1; !this.#stopped; next++) {
      const beganMs = performance.now();
      const command = { type: 'add', by: 1 };
      const answer = await eventually(`${id} takes its addition ${next}`, 2 * HEAL_MS, async () => {
        const tried = await client.ask(`agent.counter.${id}`, command, { timeoutMs: TRY_MS, requestId: `${id}-${next}` });
        if (!tried.ok) this.refusals.set(tried.error.code, (this.refusals.get(tried.error.code) ?? 0) + 1);
        return tried.ok && tried;
      });
      this.longestMs = Math.max(this.longestMs, performance.now() - beganMs);
      if (answer.reply.value !== next) this.violations.push(`${id}: addition ${next} was answered ${answer.reply.value}`);
      this.acknowledged.set(id, next);
    }
  }
}

/** One caller per counter that tells it durably to add 1, each message under an id that it repeats until it is stored. */
export class DurableAdders {
  readonly stored = new Map<string, number>();
  readonly #running: Promise<unknown>;
  #stopped = false;

  constructor(client: Bare, ids: readonly string[]) {
    this.#running = Promise.all(ids.map((id) => this.#tell(client, id)));
    this.#running.catch(() => undefined);
  }
  /** Resolves when every message that was begun is stored. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }
  async #tell(client: Bare, id: string): Promise<void> {
    for (let next = 1; !this.#stopped; next++) {
      await eventually(`message ${next} to ${id} is stored`, 2 * HEAL_MS, async () => {
        const told = await client.ask(`durable.counter.${id}`, { type: 'add', by: 1 }, { timeoutMs: TRY_MS, requestId: `${id}-${next}` });
        return told.ok;
      });
      this.stored.set(id, next);
    }
  }
}
