import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { NexaError } from '../../../../src/errors.ts';
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

const PROGRAM = fileURLToPath(new URL('./relay-program.js', import.meta.url));

/** The relays of one place: a program in its namespace, through which its programs dial. */
export class PlaceRelay {
  readonly #place: Place;
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, { resolve(said: string): void; reject(error: NexaError): void }>();
  readonly #ended: Promise<void>;
  #lastId = 0;
  #over: NexaError | undefined;

  constructor(place: Place, at: readonly string[], { env, seed }: { readonly env: Environment; readonly seed: number }) {
    this.#place = place;
    const [command = '', ...args] = [...at, process.execPath, PROGRAM, place, String(seed)];
    this.#child = spawn(command, args, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'], env, detached: true });
    this.#child.on('message', (answer: RelayAnswer) => this.#settle(answer));
    this.#ended = new Promise((resolve) => {
      const over = (why: string) => {
        this.#over ??= new NexaError('unavailable', `the relays of ${place} have ended: ${why}`, { where: { place } });
        for (const { reject } of this.#waiting.values()) reject(this.#over);
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
      const id = ++this.#lastId;
      this.#waiting.set(id, { resolve, reject });
      this.#child.send({ id, order } satisfies RelayOrder, (error) => {
        if (error) this.#settle({ id, failed: error.message });
      });
    });
  }

  #settle({ id, said, failed }: RelayAnswer): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (failed === undefined) waiting?.resolve(said ?? '');
    else waiting?.reject(new NexaError('unavailable', failed, { where: { place: this.#place } }));
  }
}
