import { type ChildProcess, spawn } from 'node:child_process';
import { errorFrom, NexaError } from '../../../src/errors.ts';
import type { Clock } from '../../../src/ports/clock.ts';
import { readLines } from './lines.ts';
import { type Answer, MARK, MOST_ORDERS, type Order, type StageEvent } from './stage/orders.ts';

/** The drill's end of the line to the process that holds the stage. */
export interface StageProcess {
  readonly pid: number;
  /** @throws NexaError as the stage said, `unavailable` when it has ended or does not answer within `timeoutMs`. */
  ask(order: Order, timeoutMs: number): Promise<unknown>;
  /** How it ended, in words. */
  readonly ended: Promise<string>;
  /** Closes the line, on which it ends all that it has; SIGKILL after 10 s. */
  stop(): Promise<void>;
}

/** Of what the stage says at once: answers and events are short. */
const LONGEST_LINE = 1_048_576;
const KEPT_CHARS = 8_192;
const STOP_MS = 10_000;

/** @throws NexaError `unavailable`: it cannot be run. */
export async function startStage(options: {
  /** What goes before the command line of the stage: it gets namespaces of its own by it, and everything that it starts ends with it. */
  readonly enter: readonly string[];
  readonly run: string;
  /** The built program. */
  readonly program: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly clock: Clock;
  readonly onEvent: (event: StageEvent) => void;
}): Promise<StageProcess> {
  const { enter, run, program, environment, clock } = options;
  // Whoever changes who one is also changes the environment: it is given after that.
  const given = Object.entries({ ...environment, [MARK]: run }).map(([name, value]) => `${name}=${value}`);
  const [command = '', ...args] = [...enter, 'env', ...given, process.execPath, program];
  const child = spawn(command, args, { detached: true, stdio: 'pipe', env: { ...environment, [MARK]: run } });
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', (cause) =>
      reject(new NexaError('unavailable', `the stage cannot be run: ${cause.message}`, { where: { command }, cause, retryable: false })),
    );
  });
  return new Running(child, clock, options.onEvent);
}

interface Asked {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: NexaError) => void;
}

class Running implements StageProcess {
  readonly pid: number;
  readonly ended: Promise<string>;
  readonly #child: ChildProcess;
  readonly #clock: Clock;
  readonly #onEvent: (event: StageEvent) => void;
  readonly #asked = new Map<number, Asked>();
  #next = 1;
  #over: string | undefined;
  #errors = '';

  constructor(child: ChildProcess, clock: Clock, onEvent: (event: StageEvent) => void) {
    this.#child = child;
    this.#clock = clock;
    this.#onEvent = onEvent;
    this.pid = child.pid as number;
    child.stdin?.on('error', () => {});
    child.on('error', () => {});
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#errors = (this.#errors + text).slice(-KEPT_CHARS);
    });
    if (child.stdout !== null) readLines(child.stdout, LONGEST_LINE, (line) => this.#heard(line));
    this.ended = new Promise((resolve) =>
      child.once('close', (code, signal) => {
        this.#over = `the stage ended (${signal ?? `code ${code}`}) ${this.#errors.trim()}`.trim();
        for (const { reject } of this.#asked.values()) reject(this.#gone());
        this.#asked.clear();
        resolve(this.#over);
      }),
    );
  }

  ask(order: Order, timeoutMs: number): Promise<unknown> {
    if (this.#over !== undefined) return Promise.reject(this.#gone());
    if (this.#asked.size >= MOST_ORDERS)
      return Promise.reject(new NexaError('overloaded', `${MOST_ORDERS} orders are being done by the stage already`));
    const id = this.#next++;
    return new Promise((resolve, reject) => {
      const cancel = this.#clock.after(timeoutMs, () => {
        this.#asked.delete(id);
        reject(new NexaError('unavailable', `the stage did not answer ${order.order} within ${timeoutMs} ms`, { definite: false }));
      });
      this.#asked.set(id, {
        resolve: (value) => {
          cancel();
          resolve(value);
        },
        reject: (error) => {
          cancel();
          reject(error);
        },
      });
      this.#child.stdin?.write(`${JSON.stringify({ id, ...order })}\n`);
    });
  }

  async stop(): Promise<void> {
    this.#child.stdin?.end();
    const cancel = this.#clock.after(STOP_MS, () => this.#child.kill('SIGKILL'));
    await this.ended;
    cancel();
  }

  #heard(line: string | undefined): void {
    let said: Answer | StageEvent;
    try {
      said = JSON.parse(line ?? '') as Answer | StageEvent;
    } catch {
      // Not of ours: a program below wrote into the stage's own output.
      return;
    }
    if ('event' in said) return this.#onEvent(said);
    const asked = said.id === null ? undefined : this.#asked.get(said.id);
    if (asked === undefined || said.id === null) return;
    this.#asked.delete(said.id);
    if ('error' in said) asked.reject(errorFrom(said.error));
    else asked.resolve(said.value);
  }

  #gone(): NexaError {
    return new NexaError('unavailable', this.#over ?? 'the stage has ended', { retryable: false, definite: false });
  }
}
