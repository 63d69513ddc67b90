import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, open, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Cancel } from '../actor/ref.ts';
import { NexaError } from '../errors.ts';
import { run } from '../programs/run.ts';
import { bracketed, reachable, type ServerConfig, serverConfig } from './config.ts';
import { requireUnused } from './data-folder.ts';
import { killWithUs } from './guard.ts';

export interface ServerExit {
  readonly server: string;
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** We asked for it. */
  readonly expected: boolean;
}

const AGAIN_MS = 1_000;
const TAIL_BYTES = 8_192;
const STDERR_LIMIT_BYTES = 1_048_576;

/** One nats-server process of ours. It never outlives this process, however this process ends. */
export class NatsServer {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly monitorPort: number;
  /** For clients. */
  readonly url: string;
  readonly #binary: string;
  readonly #under: readonly string[];
  readonly #config: ServerConfig;
  readonly #settings: () => NonNullable<ServerConfig['settings']>;
  readonly #files: { readonly folder: string; readonly config: string; readonly stderr: string };
  readonly #listeners = new Set<(exit: ServerExit) => void>();
  #child: ChildProcess | undefined;
  #gone: Promise<void> = Promise.resolve();
  #paused = false;
  #expected = false;
  #logged: readonly { readonly path: string; readonly from: number }[] = [];

  /** Its files (configuration, log, pid, state) live in `folder`. */
  constructor(options: {
    readonly binary: string;
    readonly folder: string;
    readonly config: Omit<ServerConfig, 'storeDir' | 'logFile' | 'pidFile' | 'settings'>;
    /** Asked before each start and reload. */
    readonly settings?: () => NonNullable<ServerConfig['settings']>;
    /** A command line that runs another in its own place, such as `ip netns exec …`. */
    readonly under?: readonly string[];
  }) {
    const { binary, folder, config, settings = () => ({}), under = [] } = options;
    this.#settings = settings;
    this.#binary = binary;
    this.#under = under;
    this.#config = { ...config, storeDir: join(folder, 'store'), logFile: join(folder, 'server.log'), pidFile: join(folder, 'server.pid') };
    this.#files = { folder, config: join(folder, 'server.conf'), stderr: join(folder, 'stderr.log') };
    this.name = config.name;
    this.host = reachable(config.host);
    this.port = config.port;
    this.monitorPort = config.monitorPort;
    this.url = `nats://${bracketed(this.host)}:${config.port}`;
  }

  get state(): 'running' | 'paused' | 'stopped' {
    if (this.#child === undefined) return 'stopped';
    return this.#paused ? 'paused' : 'running';
  }
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /**
   * Starts the process; it is ready some time later (`whenReady`). Nothing happens if it runs.
   * @throws NexaError `store-misconfigured` if the server refuses its configuration, `conflict` if another one uses its files.
   */
  async start(): Promise<void> {
    if (this.#child !== undefined) return;
    const { folder, config, stderr } = this.#files;
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await requireUnused(this.#config.pidFile, config);
    await this.#configure();
    const tested = await run(this.#binary, ['-t', '-c', config], { timeoutMs: 10_000 });
    if (tested.code !== 0) {
      throw new NexaError(
        'store-misconfigured',
        `nats-server refuses its configuration: ${(tested.stderr || tested.stdout).trim().slice(-1_000)}`,
        { where: { file: config } },
      );
    }
    if ((await sizeOf(stderr)) > STDERR_LIMIT_BYTES) await rm(stderr, { force: true });
    this.#logged = await Promise.all([this.#config.logFile, stderr].map(async (path) => ({ path, from: await sizeOf(path) })));
    // Files, not pipes: a server must not wait for our event loop to take its log.
    const errors = await open(stderr, 'a', 0o600);
    try {
      await this.#spawn(errors.fd);
    } finally {
      await errors.close();
    }
  }

  /** It reads its configuration again, soon after. Nothing if it does not run. */
  async reload(): Promise<void> {
    if (this.#child === undefined) return;
    await this.#configure();
    this.#child?.kill('SIGHUP');
  }

  #configure(): Promise<void> {
    return writeFile(this.#files.config, serverConfig({ ...this.#config, settings: this.#settings() }), { mode: 0o600 });
  }

  #spawn(errorsFd: number): Promise<void> {
    this.#expected = false;
    this.#paused = false;
    // A session of its own: Ctrl-C is for us, who need the servers to leave in order.
    const [command = this.#binary, ...args] = [...this.#under, this.#binary, '-c', this.#files.config];
    const child = spawn(command, args, { detached: true, stdio: ['ignore', 'ignore', errorsFd] });
    return new Promise((resolve, reject) => {
      child.on('error', (cause) => reject(new NexaError('unavailable', `cannot run ${command}: ${cause.message}`, { cause })));
      child.once('spawn', () => {
        this.#child = child;
        const disarm = killWithUs(child.pid as number);
        this.#gone = new Promise((gone) => {
          child.once('exit', (code, signal) => {
            disarm();
            this.#child = undefined;
            gone();
            for (const listener of this.#listeners) listener({ server: this.name, code, signal, expected: this.#expected });
          });
        });
        resolve();
      });
    });
  }

  /** SIGTERM, and SIGKILL after `graceMs`. Resolves when the process is gone. */
  stop(graceMs = 5_000): Promise<void> {
    return this.#end('SIGTERM', graceMs);
  }

  /**
   * As before maintenance: its streams get other leaders, its clients are told and then let go one by one, and it ends (lame duck).
   * SIGKILL after `graceMs`. Resolves when the process is gone.
   */
  retire(graceMs = 60_000): Promise<void> {
    return this.#end('SIGUSR2', graceMs);
  }

  async #end(signal: NodeJS.Signals, graceMs: number): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    this.#expected = true;
    child.kill(signal);
    child.kill('SIGCONT');
    const timer = setTimeout(() => child.kill('SIGKILL'), graceMs);
    // One that does not listen yet takes no notice of being retired; one that has, of being told again.
    const again = signal === 'SIGUSR2' ? setInterval(() => child.kill(signal), AGAIN_MS) : undefined;
    await this.#gone;
    clearTimeout(timer);
    clearInterval(again);
  }

  /** SIGKILL. Resolves when the process is gone. */
  async kill(): Promise<void> {
    this.#expected = true;
    this.#child?.kill('SIGKILL');
    await this.#gone;
  }

  /** The process keeps its connections and does nothing (SIGSTOP). */
  pause(): void {
    this.#paused = this.#child?.kill('SIGSTOP') === true;
  }

  resume(): void {
    this.#child?.kill('SIGCONT');
    this.#paused = false;
  }

  onExit(listener: (exit: ServerExit) => void): Cancel {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** The end of what it logged since its start, and of what it died with, for an error message: at most 16 kB. */
  async tail(): Promise<string> {
    const ends = await Promise.all(this.#logged.map(endOf));
    return ends.filter((text) => text !== '').join('\n');
  }
}

async function endOf({ path, from }: { readonly path: string; readonly from: number }): Promise<string> {
  const bytes = await readFile(path).catch(() => Buffer.alloc(0));
  // Shorter than before: the server began a new file.
  const ours = bytes.length < from ? bytes : bytes.subarray(from);
  return ours.subarray(-TAIL_BYTES).toString('utf8').trim();
}

const sizeOf = (path: string) =>
  stat(path).then(
    ({ size }) => size,
    () => 0,
  );
