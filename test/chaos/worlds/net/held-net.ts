import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Act, Place } from '../../../../chaos/act.ts';
import type { Choice } from '../../../../chaos/worlds/processes/net/choose-tier.ts';
import type { NetAct } from '../../../../chaos/worlds/processes/net.ts';
import { errorFrom } from '../../../../src/errors.ts';
import { until } from '../../../support/real.ts';

const HOLDER = fileURLToPath(new URL('./holder.mjs', import.meta.url));
const MARK = 'NEXA_TEST_NET';

interface Seen {
  readonly place: Place;
  readonly id: string;
  readonly event: 'open' | 'heard' | 'ended' | 'error' | 'closed';
  readonly text?: string;
  readonly code?: string;
  readonly port?: number;
}

/** A net in a process of its own, and a small program at each of its places. */
export class HeldNet {
  readonly folder: string;
  readonly seen: Seen[] = [];
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, { resolve(said: unknown): void; reject(error: Error): void }>();
  #last = 0;
  #calls = 0;

  private constructor(folder: string, child: ChildProcess) {
    this.folder = folder;
    this.#child = child;
  }

  static async open(
    choice: Choice,
    options: { readonly proxied?: boolean; readonly as?: { uid: number; gid: number } } = {},
  ): Promise<HeldNet> {
    const folder = await mkdtemp(join(tmpdir(), 'nexa-held-net-'));
    const { enter, tier, tools } = choice;
    const given = JSON.stringify({
      tier,
      tools,
      seed: 7,
      folder,
      proxied: options.proxied ?? false,
      ...(options.as && { as: options.as }),
    });
    const [command = '', ...args] = [...enter, process.execPath, HOLDER, given];
    const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'], detached: true, env: { ...process.env, [MARK]: folder } });
    const net = new HeldNet(folder, child);
    const opened = new Promise((resolve, reject) => {
      net.#waiting.set(0, { resolve, reject });
      child.once('exit', () => reject(new Error('the holder of the net ended')));
    });
    if (child.stdout !== null) createInterface({ input: child.stdout }).on('line', (line) => net.#take(JSON.parse(line)));
    await opened;
    return net;
  }

  async add(...places: readonly Place[]): Promise<void> {
    for (const place of places) await this.ask('add', { place });
  }

  /** A listener at the place, which says again what it hears; its port. */
  async listen(place: Place): Promise<Listener> {
    const id = this.#name('listener');
    await this.#order(place, { do: 'listen', id, host: await this.#host(place) });
    await until(
      () => this.#events(id).length > 0,
      20_000,
      () => this.seen,
    );
    return { place, id, port: this.#events(id)[0]?.port ?? 0 };
  }

  /** A connection from there, as far as it comes. */
  async dial(from: Place, listener: Listener): Promise<Call> {
    const address = (await this.ask('reach', { from, to: listener.place, port: listener.port })) as string;
    const id = this.#name(from);
    await this.#order(from, { do: 'dial', id, address });
    return new Call(this, from, id);
  }

  act(act: NetAct): Promise<unknown> {
    return this.ask('act', { act });
  }

  /** Both directions. */
  async both(act: 'cut' | 'mend', one: Place, other: Place): Promise<void> {
    await this.act({ act, from: one, to: other });
    await this.act({ act, from: other, to: one });
  }

  cannot(act: Act['act']): Promise<unknown> {
    return this.ask('cannot', { act });
  }

  /** Whether whatever a place heard as a listener has this in it. */
  heardAt(listener: Listener, text: string): boolean {
    const all = this.seen.filter(({ id, event }) => id.startsWith(`${listener.id}.`) && event === 'heard').map((each) => each.text);
    return all.join('').includes(text);
  }

  async order(place: Place, order: object): Promise<void> {
    await this.#order(place, order);
  }

  ask(name: string, order: object = {}): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#last += 1;
      this.#waiting.set(this.#last, { resolve, reject });
      this.#child.stdin?.write(`${JSON.stringify({ id: this.#last, name, ...order })}\n`);
    });
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }

  /** Processes of this net that are there, wherever they came to be. */
  async processes(): Promise<readonly string[]> {
    const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
    const environments = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '')));
    return pids.filter((_, index) => environments[index]?.includes(`${MARK}=${this.folder}`));
  }

  async close(): Promise<void> {
    this.#child.stdin?.end();
    await until(
      async () => (await this.processes()).length === 0,
      20_000,
      () => 'processes of the net are left',
    );
    await rm(this.folder, { recursive: true, force: true });
  }

  async #host(place: Place): Promise<string> {
    return ((await this.ask('host', { place })) as string) ?? '';
  }

  #order(place: Place, order: object): Promise<unknown> {
    return this.ask('order', { place, order });
  }

  #events(id: string): readonly Seen[] {
    return this.seen.filter((each) => each.id === id);
  }

  #name(start: string): string {
    this.#calls += 1;
    return `${start}-${this.#calls}`;
  }

  #take(line: Seen & { readonly answers?: number; readonly said?: unknown; readonly failed?: unknown }): void {
    if (line.answers === undefined) return void this.seen.push(line);
    const waiting = this.#waiting.get(line.answers);
    this.#waiting.delete(line.answers);
    if (line.failed === undefined) waiting?.resolve(line.said);
    else waiting?.reject(errorFrom(line.failed));
  }
}

export interface Listener {
  readonly place: Place;
  readonly id: string;
  readonly port: number;
}

/** One end of a connection, seen from the program that dialled. */
export class Call {
  readonly #net: HeldNet;
  readonly #from: Place;
  readonly id: string;

  constructor(net: HeldNet, from: Place, id: string) {
    this.#net = net;
    this.#from = from;
    this.id = id;
  }

  say(text: string): Promise<void> {
    return this.#net.order(this.#from, { do: 'say', id: this.id, text });
  }

  end(): Promise<void> {
    return this.#net.order(this.#from, { do: 'end', id: this.id });
  }

  /** What came back, piece by piece. */
  get pieces(): readonly string[] {
    return this.#events('heard').map(({ text }) => text ?? '');
  }

  get heard(): string {
    return this.pieces.join('');
  }

  get open(): boolean {
    return this.#events('open').length > 0;
  }

  get reset(): boolean {
    return this.#events('error').length > 0 && this.#events('closed').length > 0;
  }

  /** Says it and waits until the listener has said it again. */
  async echo(text: string): Promise<void> {
    await this.say(text);
    await this.hears(text);
  }

  hears(text: string): Promise<void> {
    return until(
      () => this.heard.includes(text),
      // What is lost again and again is said again after twice as long each time.
      60_000,
      () => ({
        text: text.slice(0, 50),
        heard: this.heard.slice(0, 200),
        seen: this.#net.seen.filter(({ id }) => id === this.id).slice(-3),
      }),
    );
  }

  #events(event: Seen['event']): readonly Seen[] {
    return this.#net.seen.filter((each) => each.id === this.id && each.event === event);
  }
}
