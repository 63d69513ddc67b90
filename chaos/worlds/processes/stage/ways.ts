import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { NexaError } from '../../../../src/errors.ts';
import { killWithUs } from '../../../../src/nats-server/guard.ts';
import type { Place } from '../../../act.ts';
import { readLines } from '../lines.ts';
import type { Net } from '../net.ts';
import type { Own } from '../owner.ts';
import type { Way } from './orders.ts';

const READY_MS = 15_000;
/** What a path of a unix socket may have at most, everywhere. */
const LONGEST_SOCKET_PATH = 103;

/** How programs outside the net speak for a place in it: by themselves where its addresses are this machine's, else through a carrier there. */
export class Ways {
  readonly #net: Net;
  readonly #folder: string;
  readonly #onLost: (error: NexaError) => void;
  readonly #carriers = new Map<Place, Promise<Carrier>>();
  readonly #ways = new Map<string, Promise<Way>>();

  /** @param onLost a carrier has ended by itself, and with it all that it carried. */
  constructor(net: Net, folder: string, own: Own, onLost: (error: NexaError) => void) {
    this.#net = net;
    this.#onLost = onLost;
    this.#folder = join(folder, 'w');
    mkdirSync(this.#folder, { mode: 0o755 });
    own(this.#folder);
  }

  /** @throws NexaError `unavailable`. */
  to(from: Place, to: Place, port: number): Promise<Way> {
    const name = `${from} ${to} ${port}`;
    const known = this.#ways.get(name) ?? this.#make(from, to, port, join(this.#folder, String(this.#ways.size)));
    this.#ways.set(name, known);
    return known;
  }

  async #make(from: Place, to: Place, port: number, socket: string): Promise<Way> {
    const address = await this.#net.reach(from, to, port);
    const at = address.lastIndexOf(':');
    const way = { host: address.slice(0, at), port: Number(address.slice(at + 1)) };
    if (this.#net.tier === 'proxies') return way;
    if (Buffer.byteLength(socket) > LONGEST_SOCKET_PATH)
      throw new NexaError('unavailable', `the path of the run's folder is too long for a socket: ${socket}`, {
        fix: 'Set TMPDIR to a folder with a shorter path.',
      });
    const carrier = this.#carriers.get(from) ?? Carrier.start(from, this.#net.at(from), this.#onLost);
    this.#carriers.set(from, carrier);
    await (await carrier).carry({ socket, ...way });
    return { socket };
  }

  async close(): Promise<void> {
    await Promise.all([...this.#carriers.values()].map((carrier) => carrier.then((each) => each.close()).catch(() => {})));
  }
}

/** The carrier at one place. */
class Carrier {
  readonly #place: Place;
  readonly #child: ChildProcess;
  readonly #answers: ((outcome: string) => void)[] = [];
  readonly #gone: Promise<void>;
  #closed = false;

  static async start(place: Place, under: readonly string[], onLost: (error: NexaError) => void): Promise<Carrier> {
    const file = fileURLToPath(new URL('./carrier.js', import.meta.url));
    const [program = '', ...args] = [...under, process.execPath, file];
    const child = spawn(program, args, { detached: true, stdio: ['pipe', 'pipe', 'inherit'] });
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', (cause) => reject(new NexaError('unavailable', `no carrier at ${place}: ${cause.message}`, { cause })));
    });
    return new Carrier(place, child, onLost);
  }

  private constructor(place: Place, child: ChildProcess, onLost: (error: NexaError) => void) {
    this.#place = place;
    this.#child = child;
    const release = killWithUs(child.pid as number);
    const { stdin, stdout } = child;
    stdin?.on('error', () => {});
    if (stdout !== null) readLines(stdout, 4_096, (line) => this.#answers.shift()?.(line ?? 'too much was answered'));
    this.#gone = new Promise((resolve) =>
      child.once('exit', (code, signal) => {
        release();
        if (!this.#closed) onLost(new NexaError('unavailable', `the carrier at ${place} ended (${signal ?? `code ${code}`})`));
        for (const answer of this.#answers.splice(0)) answer('the carrier has ended');
        resolve();
      }),
    );
  }

  async carry(wanted: { readonly socket: string; readonly host: string; readonly port: number }): Promise<void> {
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), READY_MS);
    const outcome = await new Promise<string>((resolve) => {
      if (this.#child.exitCode !== null || this.#child.signalCode !== null) return resolve('the carrier has ended');
      this.#answers.push(resolve);
      this.#child.stdin?.write(`${JSON.stringify(wanted)}\n`);
    });
    clearTimeout(timer);
    if (outcome !== 'ok') throw new NexaError('unavailable', `no way from ${this.#place}: ${outcome}`, { where: { place: this.#place } });
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#child.kill('SIGKILL');
    await this.#gone;
  }
}
