/** What a figure is counted in, and which way is better. */
export interface Measure {
  readonly unit: string;
  readonly better: 'more' | 'less';
  /** Bytes or a count, the same on a slow machine: what it says beside a limit can be compared with another day's. */
  readonly steady?: true;
}
/** What one run saw. A run that did not see all that it expected has failed: no figure comes of it. */
export interface Seen {
  readonly values: Readonly<Record<string, number>>;
  /** Messages, round trips, actors or writes. */
  readonly expected: number;
  readonly seen: number;
}
/** One run of one contender. */
export interface Run {
  /** One of the workload's cases. */
  readonly at: string;
  /** So many in a full run; fewer in a quick one, which only shows that all works. */
  count(full: number): number;
  /** Of the servers, of which the first is the one to dial; none if the workload asked for none. */
  readonly urls: readonly string[];
  /** Where each of them tells of itself, over HTTP. */
  readonly monitors: readonly string[];
  /** The other processes of this run. */
  readonly fars: readonly Far[];
}
/** Another process of the same run, as the one that measures sees it. */
export interface Far {
  /** What its part said of itself: addresses, names. */
  readonly said: unknown;
  /** CPU time that it has used so far, of all its threads. */
  cpuMs(): Promise<number>;
  /** Asks its part. */
  ask(question: unknown): Promise<unknown>;
}
export interface FarPart {
  readonly said: unknown;
  answer?(question: unknown): unknown;
  stop(): Promise<unknown>;
}
/** Runs in a process of its own, and so does each of its far parts. */
export interface Contender {
  /** Why it cannot run here; undefined if it can. */
  lacking?(): string | undefined;
  /** How many other processes, each running `far` until the run is over. */
  readonly fars?: number | ((at: string) => number);
  far?(run: Omit<Run, 'fars'>, index: number): Promise<FarPart>;
  run(run: Run): Promise<Seen>;
}
/** What is to be reached: a ratio to another contender of the same round, or a limit in the measure's own unit. */
export type Reach = { readonly measure: string; readonly at?: string; readonly of?: string } & (
  | { readonly beside: string; readonly ratio: number }
  | { readonly limit: number }
);
export interface Workload {
  readonly name: string;
  /** What is done, in one or two sentences. */
  readonly about: string;
  readonly measures: Readonly<Record<string, Measure>>;
  /** What varies, such as the number in flight; each is measured by itself. */
  readonly cases: readonly string[];
  /** Started for this workload, empty: one, or three that replicate. */
  readonly servers?: 1 | 3;
  /** The first is ours. */
  readonly contenders: Readonly<Record<string, Contender>>;
  readonly reach: readonly Reach[];
  /** No more than so many, since one takes long; its page says so. */
  readonly rounds?: number;
  /** What to know before believing the figures. */
  readonly words?: string;
}
