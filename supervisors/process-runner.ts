import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { ProcessEnd, ProcessRunner, RunningProcess, StartProcess } from '../actors/index.ts';
import type { RuntimeEvent } from '../src/actor/events.ts';
import { NexaError } from '../src/errors.ts';
import { killWithUs } from '../src/nats-server/guard.ts';
import type { Clock } from '../src/ports/clock.ts';
import { onAbort } from '../src/ports/on-abort.ts';
import type { ProcessConfig } from './config-schema.ts';
import { OutputLines } from './process-output.ts';

/** Lines of one program that are told as events: so many at once, and so many a second. */
const TOLD = { burst: 200, perSecond: 100 } as const;
/** What is read of one program within a second; then it waits, as any writer to a full pipe. */
const READ_BYTES = 4_194_304;
/** After it ended its output is read up to here; somebody who left its group may hold it open. */
const DRAIN_MS = 1_000;

/** Starts the programs of a node's configuration, each in a process group of its own that ends with this process, however it ends. */
export function processRunner(options: {
  readonly processes: Readonly<Record<string, ProcessConfig>>;
  /** What a program finds besides its own `env`. */
  readonly environment: Readonly<Record<string, string>>;
  readonly clock: Clock;
  readonly publish: (event: RuntimeEvent) => void;
}): ProcessRunner {
  const processes = new Map(Object.entries(options.processes));
  const running = new Map<string, number>();
  return {
    processes,
    async start(name, wanted) {
      const config = processes.get(name);
      const where = { process: name.slice(0, 64) };
      if (config === undefined) {
        throw new NexaError('unavailable', "this node's configuration names no such process", {
          where,
          fix: `Add processes.${name.slice(0, 64)} to the nexa.config of a node.`,
        });
      }
      const already = running.get(name) ?? 0;
      if (already >= config.instances) {
        throw new NexaError('overloaded', `${config.instances} of this process run on this node already`, {
          where,
          fix: `Raise processes.${name}.instances, or start another node.`,
        });
      }
      running.set(name, already + 1);
      try {
        const process = await Running.start(name, config, wanted, options);
        void process.ended.then(() => running.set(name, (running.get(name) ?? 1) - 1));
        return process;
      } catch (error) {
        running.set(name, (running.get(name) ?? 1) - 1);
        throw error;
      }
    },
  };
}

type Options = Parameters<typeof processRunner>[0];

class Running implements RunningProcess {
  readonly pid: number;
  readonly output: OutputLines;
  readonly ended: Promise<ProcessEnd>;
  running = true;
  readonly #name: string;
  readonly #child: ChildProcess;
  readonly #config: ProcessConfig;
  readonly #agent: string;
  readonly #options: Options;
  readonly #startedAtMs: number;
  #stopping = false;
  #told = { left: TOLD.burst as number, atMs: 0 };
  #read = { bytes: 0, sinceMs: 0, paused: false };

  /** @throws NexaError `unavailable`. */
  static async start(name: string, config: ProcessConfig, wanted: StartProcess, options: Options): Promise<Running> {
    const { command, args, cwd } = config;
    const child = spawn(command, args, {
      detached: true,
      stdio: 'pipe',
      ...(cwd === undefined ? {} : { cwd }),
      env: { ...options.environment, ...config.env, NEXA_AGENT: `process/${wanted.agent}`, NEXA_EPOCH: String(wanted.epoch) },
    });
    // Before anything else can happen to us.
    const release = child.pid === undefined ? () => undefined : killWithUs(-child.pid);
    try {
      await once(child, 'spawn');
    } catch (cause) {
      release();
      throw new NexaError('unavailable', `${name} does not start: ${cause instanceof Error ? cause.message : String(cause)}`, {
        where: { process: name },
        fix: `Correct processes.${name} in the nexa.config of this node.`,
        cause,
      });
    }
    return new Running(name, config, wanted, options, child, release);
  }

  private constructor(
    name: string,
    config: ProcessConfig,
    wanted: StartProcess,
    options: Options,
    child: ChildProcess,
    release: () => void,
  ) {
    this.#name = name;
    this.#child = child;
    this.#config = config;
    this.#agent = wanted.agent;
    this.#options = options;
    this.#startedAtMs = options.clock.monotonicMs();
    this.pid = child.pid as number;
    this.output = wanted.output instanceof OutputLines ? wanted.output : new OutputLines(config.maxOutputBytes);
    for (const stream of ['stdout', 'stderr'] as const) this.#listen(stream);
    // A program that does not read, or is gone: known by its end.
    child.stdin?.on('error', () => {});
    child.on('error', () => {});
    this.ended = this.#end(release);
    if (wanted.signal.aborted) void this.stop();
    else void this.ended.then(onAbort(wanted.signal, () => void this.stop()));
  }

  get uptimeMs(): number {
    return Math.round(this.#options.clock.monotonicMs() - this.#startedAtMs);
  }
  get waitingBytes(): number | undefined {
    const { stdin } = this.#child;
    return this.running && stdin?.writable === true ? stdin.writableLength : undefined;
  }
  write(text: string, end: boolean): void {
    if (text !== '') this.#child.stdin?.write(text);
    if (end) this.#child.stdin?.end();
  }
  signal(name: 'TERM' | 'INT' | 'HUP'): void {
    this.#kill(`SIG${name}`);
  }
  stop(): Promise<ProcessEnd> {
    if (!this.#stopping && this.running) {
      this.#stopping = true;
      this.#kill('SIGTERM');
      const cancel = this.#options.clock.after(this.#config.stopMs, () => this.#kill('SIGKILL'));
      void this.ended.then(cancel);
    }
    return this.ended;
  }

  #kill(signal: NodeJS.Signals): void {
    if (!this.running) return;
    try {
      process.kill(-this.pid, signal);
    } catch {
      // Everybody in the group has ended.
    }
  }
  async #end(release: () => void): Promise<ProcessEnd> {
    const closed = once(this.#child, 'close');
    const [code, signal] = (await once(this.#child, 'exit')) as [number | null, string | null];
    // What it left behind in its group does not outlive it.
    this.#kill('SIGKILL');
    this.running = false;
    const drained = new Promise<void>((resolve) => {
      const cancel = this.#options.clock.after(DRAIN_MS, resolve);
      void closed.then(() => {
        cancel();
        resolve();
      });
    });
    await drained;
    for (const stream of ['stdout', 'stderr'] as const) {
      this.#child[stream]?.destroy();
      for (const line of this.output.end(stream)) this.#tell(line);
    }
    release();
    const { pid } = this;
    this.#options.publish({ event: 'process-exited', address: this.#address, process: this.#name, pid, code, signal });
    return { code, signal };
  }

  get #address() {
    return { kind: 'agent', type: 'process', id: this.#agent } as const;
  }
  #listen(stream: 'stdout' | 'stderr'): void {
    this.#child[stream]?.on('data', (chunk: Buffer) => {
      for (const line of this.output.take(stream, chunk)) this.#tell(line);
      this.#pace(chunk.length);
    });
    this.#child[stream]?.on('error', () => {});
  }
  /** A program that writes without end costs its node so much and no more. */
  #pace(bytes: number): void {
    const { clock } = this.#options;
    const nowMs = clock.monotonicMs();
    if (nowMs - this.#read.sinceMs >= 1_000) this.#read = { bytes: 0, sinceMs: nowMs, paused: this.#read.paused };
    this.#read.bytes += bytes;
    if (this.#read.bytes < READ_BYTES || this.#read.paused || !this.running) return;
    this.#read.paused = true;
    const both = [this.#child.stdout, this.#child.stderr];
    for (const stream of both) stream?.pause();
    clock.after(1_000 - (nowMs - this.#read.sinceMs), () => {
      this.#read.paused = false;
      for (const stream of both) stream?.resume();
    });
  }
  #tell({ stream, text, cut }: { readonly stream: 'stdout' | 'stderr'; readonly text: string; readonly cut: boolean }): void {
    const nowMs = this.#options.clock.monotonicMs();
    this.#told.left = Math.min(TOLD.burst, this.#told.left + ((nowMs - this.#told.atMs) / 1_000) * TOLD.perSecond);
    this.#told.atMs = nowMs;
    if (this.#told.left < 1) {
      this.output.untold++;
      return;
    }
    this.#told.left--;
    this.#options.publish({ event: 'process-output', address: this.#address, process: this.#name, stream, text, cut });
  }
}
