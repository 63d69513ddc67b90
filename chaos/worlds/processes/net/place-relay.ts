import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { NexaError } from '../../../../src/errors.ts';
import type { Clock } from '../../../../src/ports/clock.ts';
import type { Environment } from '../../../../src/programs/cache.ts';
import type { Place } from '../../../act.ts';
import type { NetAct } from '../net.ts';

export interface RelayOrder {
  readonly id: number;
  readonly order: { readonly to: Place; readonly host: string; readonly port: number } | { readonly act: NetAct };
}
interface RelayAnswer {
  readonly id: number;
  readonly said?: string;
  readonly failed?: string;
}

/** Orders without an answer at one time, and how long one may take: more of either is a relay that hangs. */
const MOST_WAITING = 64;
const ANSWER_MS = 10_000;
const PROGRAM = fileURLToPath(new URL('./relay-program.js', import.meta.url));

/** The relays of one place: a program in its namespace, through which its programs dial. */
export class PlaceRelay {
  readonly #place: Place;
  readonly #child: ChildProcess;
  readonly #clock: Clock;
  readonly #waiting = new Map<number, { resolve(said: string): void; reject(error: NexaError): void; cancel(): void }>();
  readonly #ended: Promise<void>;
  #lastId = 0;
  #over: NexaError | undefined;

  constructor(
    place: Place,
    at: readonly string[],
    { env, seed, clock }: { readonly env: Environment; readonly seed: number; readonly clock: Clock },
  ) {
    this.#place = place;
    this.#clock = clock;
    const [command = '', ...args] = [...at, process.execPath, PROGRAM, place, String(seed)];
    this.#child = spawn(command, args, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'], env, detached: true });
    this.#child.on('message', (answer: RelayAnswer) => this.#settle(answer));
    this.#ended = new Promise((resolve) => {
      const over = (why: string) => {
        this.#over ??= new NexaError('unavailable', `the relays of ${place} have ended: ${why}`, { where: { place } });
        for (const { reject, cancel } of this.#waiting.values()) {
          cancel();
          reject(this.#over);
        }
        this.#waiting.clear();
        resolve();
      };
      this.#child.once('error', ({ message }) => over(message));
      this.#child.once('exit', (code, signal) => over(signal ?? `exit code ${code}`));
    });
  }

  /** Where a program at this place dials that port. @throws NexaError `unavailable` */
  reach(to: Place, host: string, port: number): Promise<string> {
    return this.#ask({ to, host, port });
  }

  async act(act: NetAct): Promise<void> {
    await this.#ask({ act });
  }

  async close(): Promise<void> {
    this.#over ??= new NexaError('unavailable', 'the net is closed', { where: { place: this.#place } });
    this.#child.kill('SIGKILL');
    await this.#ended;
  }

  #ask(order: RelayOrder['order']): Promise<string> {
    return new Promise((resolve, reject) => {
      if (this.#over !== undefined) return reject(this.#over);
      if (this.#waiting.size >= MOST_WAITING)
        return reject(new NexaError('overloaded', `${MOST_WAITING} orders wait already`, { where: { place: this.#place } }));
      const id = ++this.#lastId;
      const cancel = this.#clock.after(ANSWER_MS, () => this.#settle({ id, failed: `no answer within ${ANSWER_MS} ms` }));
      this.#waiting.set(id, { resolve, reject, cancel });
      this.#child.send({ id, order } satisfies RelayOrder, (error) => {
        if (error) this.#settle({ id, failed: error.message });
      });
    });
  }

  #settle({ id, said, failed }: RelayAnswer): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    waiting?.cancel();
    if (failed === undefined) waiting?.resolve(said ?? '');
    else waiting?.reject(new NexaError('unavailable', failed, { where: { place: this.#place } }));
  }
}
