import type { Client } from '../../src/client.ts';
import type { Random } from '../../src/ports/random.ts';
import type { HeardRun, Published, TopicNotes } from './topics.ts';
import type { WorkScene } from './work.ts';

interface News {
  readonly type: 'news';
  readonly publisher: string;
  readonly n: number;
}
type Subscriber = TopicNotes['subscribers'][number];

const EVERY_MS = 400;
/** What is published beyond it is not: a drill of eight hours fits. */
const MOST_PUBLISHED = 200_000;
const MOST_RUNS = 200_000;

/** Clients that publish and subscribe, and what came of it. */
export class Newsroom {
  readonly published: Published[] = [];
  readonly heard: HeardRun[] = [];
  readonly #scene: WorkScene;
  readonly #subscribers: Subscriber[] = [];
  readonly #cancels: (() => void)[] = [];
  /** Where in `heard` the latest run of a publisher is, by topic, subscriber and publisher. */
  readonly #latest = new Map<string, number>();
  /** When each subscriber of a topic whose client publishes heard something last. */
  readonly #heardMs = new Map<string, number>();
  readonly #open = new Set<string>();
  #calm: { readonly sinceMs: number; readonly fromMs: number } | undefined;

  constructor(scene: WorkScene) {
    this.#scene = scene;
  }
  get subscribers(): readonly Subscriber[] {
    return this.#subscribers;
  }
  get calmFromMs(): number | null {
    return this.#calm?.fromMs ?? null;
  }

  /** @throws NexaError as a subscription. */
  async subscribe(topic: string, client: Client, subscriber: string): Promise<void> {
    this.#cancels.push(await client.topic<News>(topic).subscribe((message) => this.#hear(topic, subscriber, message)));
    this.#subscribers.push({ topic, subscriber, fromMs: this.#scene.clock.monotonicMs(), untilMs: null });
  }
  #hear(topic: string, subscriber: string, { type, publisher, n }: News): void {
    // Anybody may publish.
    if (type !== 'news' || typeof publisher !== 'string' || !Number.isSafeInteger(n)) return;
    this.#heardMs.set(subscriber, this.#scene.clock.monotonicMs());
    const name = JSON.stringify([topic, subscriber, publisher]);
    const at = this.#latest.get(name);
    const run = at === undefined ? undefined : this.heard[at];
    if (at !== undefined && run !== undefined && run.to + 1 === n) this.heard[at] = { ...run, to: n };
    else if (this.heard.length < MOST_RUNS) this.#latest.set(name, this.heard.push({ topic, subscriber, publisher, from: n, to: n }) - 1);
  }

  /** Publishes at an uneven pace until what it answers is called. A key that moves on to another client is another publisher. */
  publish(key: number, topic: string, random: Random): () => void {
    const { clock, signal } = this.#scene;
    let by: Client | undefined;
    let stint = 0;
    let n = 0;
    let stopped = false;
    this.#open.add(topic);
    const next = (): void => {
      if (stopped || signal.aborted || this.published.length >= MOST_PUBLISHED) return;
      const client = this.#scene.client(key);
      if (client !== by) {
        by = client;
        stint++;
        n = 0;
      }
      const publisher = `client of k${key}#${stint}`;
      n++;
      const atMs = clock.monotonicMs();
      const sent = client.topic<News>(topic).publish({ type: 'news', publisher, n });
      this.published.push({ topic, publisher, n, atMs, sent });
      clock.after(EVERY_MS * (0.5 + random.next()), next);
    };
    next();
    return () => {
      stopped = true;
      this.#open.delete(topic);
    };
  }

  /** Whether every subscriber of a topic that is published on has heard something since; from the first time on nothing may be missing. */
  recovered(sinceMs: number): boolean {
    if (this.#calm?.sinceMs !== sinceMs) this.#calm = undefined;
    const listening = this.#subscribers.filter(({ topic }) => this.#open.has(topic));
    if (!listening.every(({ subscriber }) => (this.#heardMs.get(subscriber) ?? Number.NEGATIVE_INFINITY) >= sinceMs)) return false;
    this.#calm ??= { sinceMs, fromMs: this.#scene.clock.monotonicMs() };
    return true;
  }
  close(): void {
    for (const cancel of this.#cancels) cancel();
  }
}
