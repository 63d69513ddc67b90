/** Runs programs for process agents. Which programs there are is the node's to say; nothing of a message reaches a command line. */
export interface ProcessRunner {
  /** What the node's configuration names, and when a program that ended by itself is to run again. */
  readonly processes: ReadonlyMap<string, { readonly restart: 'permanent' | 'transient' | 'temporary' }>;
  /**
   * Starts one in a process group of its own, which never outlives this node.
   * @throws NexaError `unavailable` (not in the configuration, or it does not start), `overloaded` (as many run as may).
   */
  start(name: string, options: StartProcess): Promise<RunningProcess>;
}
export interface StartProcess {
  /** The agent it runs for, and the token it may show to others that know epochs. */
  readonly agent: string;
  readonly epoch: number;
  /** Stops it. */
  readonly signal: AbortSignal;
  /** What it wrote goes on here; default a new one. */
  readonly output?: ProcessOutput;
}
export interface ProcessEnd {
  readonly code: number | null;
  readonly signal: string | null;
}
export interface RunningProcess {
  readonly pid: number;
  readonly running: boolean;
  /** Milliseconds since it was started. */
  readonly uptimeMs: number;
  readonly output: ProcessOutput;
  /** Settles when it and its whole group are gone. */
  readonly ended: Promise<ProcessEnd>;
  /** What waits to be read by it, in bytes; undefined: it takes nothing. */
  readonly waitingBytes: number | undefined;
  /** @throws NexaError `unavailable`: it closed its input. */
  write(text: string, end: boolean): void;
  signal(name: 'TERM' | 'INT' | 'HUP'): void;
  /** SIGTERM, then SIGKILL, to all of its group. */
  stop(): Promise<ProcessEnd>;
}
export interface OutputLine {
  readonly stream: 'stdout' | 'stderr';
  readonly text: string;
  /** It was longer than what is kept of one. */
  readonly cut: boolean;
}
/** The end of what a program wrote. */
export interface ProcessOutput {
  readonly lines: number;
  readonly untold: number;
  tail(lines: number): { readonly lines: readonly OutputLine[]; readonly dropped: number };
}
