/** Inclusive, milliseconds. */
export type DelayRange = readonly [minMs: number, maxMs: number];

export interface LinkFaults {
  /** One way; order on a link is kept whatever the delays. */
  delayMs: DelayRange;
  /** Probability that a message is lost. */
  drop: number;
  /** Probability that a message arrives twice; the copy has a delay of its own. */
  duplicate: number;
}

export interface StoreFaults {
  /** One way: a write takes it twice. */
  delayMs: DelayRange;
  /** How far a watched copy lags behind the record. */
  watchDelayMs: DelayRange;
  /** Probability, per change and watcher, that the watch breaks and starts over with `reset`. */
  watchReset: number;
  /** Probability that a write is applied and answered `unknown`. */
  unknownApplied: number;
  /** Probability that a write is not applied and answered `unknown`. */
  unknownLost: number;
  /** Probability that a write is answered `unknown` and reaches the store later, where it still has to meet its expectation. */
  late: number;
  /** How long after its deadline a late write arrives. */
  lateMs: DelayRange;
  /** Probability that a read answers an older committed state of that key or subject, or absence. */
  staleRead: number;
}

/** How the network misbehaves from the beginning. Given at all, records keep some history, so that stale reads have something to answer. */
export interface FaultSettings {
  readonly link?: Partial<LinkFaults>;
  readonly store?: Partial<StoreFaults>;
}

/**
 * The switches of a {@link memoryNetwork}. Endpoints are meant by name, all connections of that name at once. Everything that is drawn
 * comes from the network's Random and everything that waits from its Clock, so that a seed replays exactly.
 */
export interface NetworkFaults {
  /** Of every link that has none of its own; change it at any time. */
  readonly link: LinkFaults;
  readonly store: StoreFaults;
  /** One link's own, over the common ones; `undefined` gives the common ones back. One way. */
  setLink(from: string, to: string, faults: Partial<LinkFaults> | undefined): void;
  /** Nothing from one reaches the other; one way. */
  cut(from: string, to: string): void;
  /** Neither messages (its own to itself included) nor the store; after {@link NOTICED_MS} its connection says `down`. */
  isolate(name: string): void;
  /** The store does not hear or answer it; messages still travel. */
  cutStore(name: string): void;
  /** The store hears it and does as it says; neither an answer nor a change comes back. */
  cutAnswers(name: string): void;
  /** Takes back {@link cut}, and what {@link cutStore} or {@link cutAnswers} did. */
  mend(from: string, to: string): void;
  mendStore(name: string): void;
  /** As {@link cutStore}, but leaving the server (`reconnect`) cures it. */
  strand(name: string): void;
  /** Takes back cut, isolate, cutStore, cutAnswers and strand: of one endpoint, or of all. Probabilities and delays stay. */
  heal(name?: string): void;
  /** The store has no leader: writes are `unknown`, reads `unavailable`. A second one prolongs the first. */
  election(durationMs: number): void;
  /** As SIGSTOP: what is addressed to it, answers and watches too, waits, bounded, until `resume`. */
  pause(name: string): void;
  resume(name: string): void;
  /** As SIGKILL: nothing it waits for ever settles; the name may connect again. */
  crash(name: string): void;
}

/** How long a connection needs to notice that nothing comes back: two pings. */
export const NOTICED_MS = 2_000;

/** Which way is open, and with what weather: state only, nothing in it runs. */
export class Weather {
  readonly link: LinkFaults;
  readonly store: StoreFaults;
  readonly keepsHistory: boolean;
  readonly isolated = new Set<string>();
  readonly stranded = new Set<string>();
  electionUntilMs = Number.NEGATIVE_INFINITY;
  readonly #cuts = new Set<string>();
  readonly #storeCuts = new Set<string>();
  readonly #answerCuts = new Set<string>();
  readonly #links = new Map<string, Partial<LinkFaults>>();

  constructor(settings: FaultSettings | undefined) {
    this.keepsHistory = settings !== undefined;
    this.link = { delayMs: [0, 0], drop: 0, duplicate: 0, ...settings?.link };
    this.store = {
      delayMs: [0, 0],
      watchDelayMs: [0, 0],
      watchReset: 0,
      unknownApplied: 0,
      unknownLost: 0,
      late: 0,
      lateMs: [0, 5_000],
      staleRead: 0,
      ...settings?.store,
    };
  }

  of(from: string, to: string): LinkFaults {
    const own = this.#links.size === 0 ? undefined : this.#links.get(key(from, to));
    return own === undefined ? this.link : { ...this.link, ...own };
  }

  setLink(from: string, to: string, faults: Partial<LinkFaults> | undefined): void {
    if (faults === undefined) this.#links.delete(key(from, to));
    else this.#links.set(key(from, to), faults);
  }

  cut(from: string, to: string): void {
    this.#cuts.add(key(from, to));
  }

  cutStore(name: string): void {
    this.#storeCuts.add(name);
  }

  cutAnswers(name: string): void {
    this.#answerCuts.add(name);
  }

  mend(from: string, to: string): void {
    this.#cuts.delete(key(from, to));
  }

  mendStore(name: string): void {
    this.#storeCuts.delete(name);
    this.#answerCuts.delete(name);
  }

  open(from: string, to: string): boolean {
    return (
      !(this.isolated.size > 0 && (this.isolated.has(from) || this.isolated.has(to))) &&
      !(this.#cuts.size > 0 && this.#cuts.has(key(from, to)))
    );
  }

  electing(nowMs: number): boolean {
    return nowMs < this.electionUntilMs;
  }

  reachesStore(name: string): boolean {
    return !this.isolated.has(name) && !this.#storeCuts.has(name) && !this.stranded.has(name);
  }

  hearsStore(name: string): boolean {
    return this.reachesStore(name) && !this.#answerCuts.has(name);
  }

  heal(name: string | undefined): void {
    for (const one of [this.isolated, this.stranded, this.#storeCuts, this.#answerCuts])
      name === undefined ? one.clear() : one.delete(name);
    for (const cut of this.#cuts) if (name === undefined || cut.split('\n').includes(name)) this.#cuts.delete(cut);
  }
}

const key = (from: string, to: string): string => `${from}\n${to}`;
