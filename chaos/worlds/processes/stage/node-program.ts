import { type ChildProcess, spawn } from 'node:child_process';
import { appendFileSync, closeSync, mkdirSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { NexaError } from '../../../../src/errors.ts';
import { killWithUs } from '../../../../src/nats-server/guard.ts';
import type { Place } from '../../../act.ts';
import { readLines } from '../lines.ts';
import type { Own } from '../owner.ts';
import { descendants, endsWithin, isAlive, signalTo } from '../proc.ts';
import { machineMs, type StageEvent } from './orders.ts';

/** What a machine with one node needs to start it. */
export interface NodeSetting {
  readonly place: Place;
  /** Its log, its configuration and what it leaves in its temporary folder. */
  readonly folder: string;
  /** The whole command line. */
  readonly command: readonly string[];
  readonly environment: () => Readonly<Record<string, string>>;
  /** What nexa.config.json says, if there is to be one. */
  readonly settings: Readonly<Record<string, unknown>> | undefined;
  readonly own: Own;
  readonly tell: (event: StageEvent) => void;
  readonly onStarted: (pid: number) => void;
}

const LONGEST_LINE = 65_536;
/** What a service manager gives a node to leave before it kills what is left. */
const LEAVE_MS = 40_000;
const GONE_MS = 10_000;
/** What a node without its launcher takes for leaving, and some more. */
const ORPHAN_MS = 15_000;

/** `nexa node` on a machine of its own: a launcher, and the node's process below it, which the launcher starts again when it ends. */
export class NodeProgram {
  readonly #setting: NodeSetting;
  #launcher: ChildProcess | undefined;
  /** The node's own process, and what ends it together with us. */
  #own: { readonly pid: number; readonly release: () => void } | undefined;
  #gone: Promise<void> = Promise.resolve();
  readonly #paused = new Set<number>();
  #stopping = false;
  #closed = false;
  /** The node's own process that we have killed. */
  #killed: number | undefined;
  /** Who waits for word of the end of the node's own process. */
  readonly #waiting: (() => void)[] = [];

  constructor(setting: NodeSetting) {
    this.#setting = setting;
  }

  get pid(): number | undefined {
    return this.#own?.pid;
  }
  get launcherPid(): number | undefined {
    return this.#launcher?.pid;
  }

  /** The node's own process was stopped by an act, and not woken up since. */
  get paused(): boolean {
    return this.pid !== undefined && this.#paused.has(this.pid);
  }

  /** Resolves when the launcher was started. Nothing if it runs; after a stop that is under way, when that is over. */
  async start(): Promise<void> {
    if (this.#stopping) await this.#gone;
    if (this.#closed) throw new NexaError('unavailable', 'the stage is closing', { retryable: false });
    if (this.#launcher !== undefined || this.#own !== undefined) return;
    const { folder, command, settings, place, own } = this.#setting;
    const made = mkdirSync(join(folder, 'tmp'), { recursive: true }) !== undefined;
    if (settings !== undefined) writeFileSync(join(folder, 'nexa.config.json'), JSON.stringify(settings));
    const log = openSync(join(folder, 'node.log'), 'a', 0o644);
    if (made) own(folder);
    const [program = '', ...args] = command;
    const child = spawn(program, args, {
      cwd: folder,
      detached: true,
      stdio: ['ignore', 'pipe', log],
      env: { ...this.#setting.environment(), TMPDIR: join(folder, 'tmp') },
    });
    closeSync(log);
    this.#stopping = false;
    const release = child.pid === undefined ? () => {} : killWithUs(-child.pid);
    this.#launcher = child;
    if (child.stdout !== null) readLines(child.stdout, LONGEST_LINE, (line) => this.#said(line));
    this.#gone = new Promise((resolve) => {
      // Its output has been read by then: what it said of the node's own end goes before what we see of it.
      child.once('close', (code, signal) => {
        release();
        this.#launcher = undefined;
        this.#setting.tell({ event: 'exited', place, launcher: true, code, signal, atMs: machineMs() });
        // A node without its launcher leaves by itself; nobody tells us of it.
        void this.#ownGone(ORPHAN_MS).then(resolve);
      });
    });
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', (cause) => {
        this.#launcher = undefined;
        reject(new NexaError('unavailable', `cannot run ${program}: ${cause.message}`, { where: { place }, cause }));
      });
    });
  }

  /** It leaves, and what has not left after 40 s is killed. */
  async stop(graceMs = LEAVE_MS): Promise<void> {
    const { launcherPid } = this;
    if (launcherPid === undefined) return this.kill(true);
    this.#stopping = true;
    signalTo(launcherPid, 'SIGTERM');
    const gone = this.#gone;
    const late = Symbol();
    let timer: NodeJS.Timeout | undefined;
    const outcome = await Promise.race([gone, new Promise((resolve) => (timer = setTimeout(resolve, graceMs, late)))]);
    clearTimeout(timer);
    if (outcome === late) await this.kill(true);
  }

  /** Resolves when what it was meant for has ended. `silent`: all of it, the launcher first, so that nobody says a word. */
  async kill(silent: boolean): Promise<void> {
    const { pid, launcherPid } = this;
    if (!silent) {
      if (pid === undefined) return;
      signalTo(-pid, 'SIGKILL');
      await requireEnd(pid);
      // Told by its launcher, when that runs.
      if (launcherPid !== undefined && !this.#paused.has(launcherPid)) await this.#untilTold(pid);
      return;
    }
    const roots = [launcherPid, pid].filter((each) => each !== undefined);
    const all = [...roots, ...descendants(roots)];
    this.#killed = pid;
    for (const each of all) signalTo(each, 'SIGKILL');
    if (launcherPid !== undefined) signalTo(-launcherPid, 'SIGKILL');
    if (pid !== undefined) signalTo(-pid, 'SIGKILL');
    for (const each of all) await requireEnd(each);
    await this.#gone;
  }

  /** For good. */
  close(): Promise<void> {
    this.#closed = true;
    return this.kill(true);
  }

  pause(withLauncher: boolean): void {
    if (withLauncher && this.launcherPid !== undefined) this.#signal(this.launcherPid, 'SIGSTOP');
    if (this.pid !== undefined) this.#signal(this.pid, 'SIGSTOP');
  }
  resume(): void {
    for (const pid of this.#paused) signalTo(pid, 'SIGCONT');
    this.#paused.clear();
  }

  #signal(pid: number, signal: 'SIGSTOP'): void {
    if (signalTo(pid, signal)) this.#paused.add(pid);
  }

  /** What `nexa node -o json` says: only its processes are of interest. */
  #said(line: string | undefined): void {
    const { place, tell, onStarted } = this.#setting;
    let said: {
      readonly ok?: unknown;
      readonly event?: unknown;
      readonly pid?: unknown;
      readonly code?: unknown;
      readonly signal?: unknown;
      readonly step?: unknown;
    };
    try {
      said = JSON.parse(line ?? '{}') as typeof said;
    } catch {
      return;
    }
    // Why it could not start: its log is where that is looked for.
    if (said.ok === false) appendFileSync(join(this.#setting.folder, 'node.log'), `${line}\n`);
    const pid = typeof said.pid === 'number' ? said.pid : 0;
    if (said.event === 'started' && pid > 1) {
      this.#own?.release();
      this.#own = { pid, release: killWithUs(-pid) };
      onStarted(pid);
    }
    if (said.event === 'exited') {
      const code = typeof said.code === 'number' ? said.code : null;
      this.#over(pid, code, typeof said.signal === 'string' ? said.signal : null);
    }
    if (said.event === 'done' && said.step === `node ${place}` && this.#own !== undefined)
      tell({ event: 'up', place, pid: this.#own.pid, atMs: machineMs() });
  }

  #over(pid: number, code: number | null, signal: string | null): void {
    if (this.#own?.pid !== pid) return;
    this.#own.release();
    this.#own = undefined;
    this.#paused.delete(pid);
    // Of one whose launcher is gone only we can know.
    const by = code === null && this.#killed === pid ? 'SIGKILL' : signal;
    this.#setting.tell({ event: 'exited', place: this.#setting.place, launcher: false, code, signal: by, atMs: machineMs() });
    for (const told of this.#waiting.splice(0)) told();
  }
  async #untilTold(pid: number): Promise<void> {
    if (this.#own?.pid !== pid) return;
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      this.#waiting.push(resolve);
      timer = setTimeout(resolve, GONE_MS);
    });
    clearTimeout(timer);
  }

  /** The launcher is gone. */
  async #ownGone(withinMs: number): Promise<void> {
    const { pid } = this;
    if (pid === undefined) return;
    if (!(await endsWithin(pid, withinMs))) {
      this.#killed = pid;
      signalTo(-pid, 'SIGKILL');
      await endsWithin(pid, GONE_MS);
    }
    this.#over(pid, null, null);
  }
}

async function requireEnd(pid: number): Promise<void> {
  if (await endsWithin(pid, GONE_MS)) return;
  if (isAlive(pid))
    throw new NexaError('unavailable', `process ${pid} was killed and has not ended after ${GONE_MS} ms`, { definite: false });
}
