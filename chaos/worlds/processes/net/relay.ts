import { connect, createServer, type Server, type Socket } from 'node:net';
import { NexaError } from '../../../../src/errors.ts';
import type { Clock } from '../../../../src/ports/clock.ts';
import type { Random } from '../../../../src/ports/random.ts';
import type { Place } from '../../../act.ts';
import { losses, Pipe, stallMs } from './pipe.ts';
import type { Ways } from './ways.ts';

const LOOPBACK = '127.0.0.1';
const MOST_CONNECTIONS = 4_096;
/** The kernel gives a connection up that did not come about for so long. */
const ESTABLISH_MS = 127_000;
/** The kernel's wait before it asks again, doubled each time, and how often it does. */
const ASK_AGAIN_MS = 1_000;
const MOST_ASKED = 6;

export interface RelayOptions {
  readonly from: Place;
  readonly to: Place;
  /** Where what listens at `to` is dialled from here. */
  readonly target: { readonly host: string; readonly port: number };
  readonly ways: Ways;
  readonly clock: Clock;
  readonly random: Random;
}

/**
 * What a program at `from` dials instead of a port of `to`. The kernel completes the handshake before anybody here is asked, so what a cut
 * keeps from coming about looks to the program like an established connection over which nothing comes; where nobody listens it is reset.
 */
export class Relay {
  readonly from: Place;
  readonly to: Place;
  readonly #options: RelayOptions;
  readonly #server: Server;
  readonly #calls = new Set<Call>();
  readonly #stopListening: () => void;

  private constructor(options: RelayOptions) {
    this.from = options.from;
    this.to = options.to;
    this.#options = options;
    this.#server = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true }, (socket) => this.#accept(socket));
    this.#server.maxConnections = MOST_CONNECTIONS;
    this.#stopListening = options.ways.onChange(() => {
      for (const call of [...this.#calls]) call.look();
    });
  }

  /** @throws NexaError `unavailable` without a free port. */
  static async open(options: RelayOptions): Promise<Relay> {
    const relay = new Relay(options);
    await new Promise<void>((resolve, reject) => {
      relay.#server.once('error', (cause) => reject(new NexaError('unavailable', `no port for a relay: ${cause.message}`, { cause })));
      relay.#server.listen({ host: LOOPBACK, port: 0, exclusive: true }, resolve);
    });
    return relay;
  }

  get address(): string {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new NexaError('unavailable', 'the relay is closed');
    return `${LOOPBACK}:${address.port}`;
  }

  /** Both ends of every connection, whatever else is wrong with the ways. */
  reset(): void {
    for (const call of [...this.#calls]) call.reset();
  }

  close(): Promise<void> {
    this.#stopListening();
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.reset();
    return closed;
  }

  #accept(dialler: Socket): void {
    const call: Call = new Call(dialler, this.#options, () => this.#calls.delete(call));
    this.#calls.add(call);
    call.look();
  }
}

/** One connection, from the moment a program dialled it. */
class Call {
  readonly #dialler: Socket;
  readonly #options: RelayOptions;
  readonly #onOver: () => void;
  readonly #askedMs: number;
  readonly #giveUp: () => void;
  #wait: (() => void) | undefined;
  #listener: Socket | undefined;
  #pipes: readonly Pipe[] = [];

  constructor(dialler: Socket, options: RelayOptions, onOver: () => void) {
    this.#dialler = dialler;
    this.#options = options;
    this.#onOver = onOver;
    this.#askedMs = options.clock.monotonicMs();
    this.#giveUp = options.clock.after(ESTABLISH_MS, () => this.reset());
    dialler.on('error', () => {});
    dialler.once('close', () => this.#ended());
  }

  /** Establishes what may be established now, and moves what may move. */
  look(): void {
    for (const pipe of this.#pipes) pipe.look();
    if (this.#listener !== undefined || this.#wait !== undefined || this.#dialler.destroyed) return;
    const { from, to, ways, clock, random } = this.#options;
    const both = [ways.between(from, to), ways.between(to, from)];
    if (both.some(({ cut }) => cut)) return;
    let tookMs = 0;
    for (const { delayMs, jitterMs, lossPercent } of both) {
      tookMs += delayMs + random.next() * jitterMs + stallMs(ASK_AGAIN_MS, losses(random, lossPercent, MOST_ASKED));
    }
    const waitMs = this.#askedMs + tookMs - clock.monotonicMs();
    if (waitMs <= 0) return this.#dial();
    this.#wait = clock.after(waitMs, () => {
      this.#wait = undefined;
      // Cut meanwhile: it is asked again once that is mended.
      if (!this.#dialler.destroyed && !ways.between(from, to).cut && !ways.between(to, from).cut) this.#dial();
    });
  }

  reset(): void {
    abort(this.#dialler);
    if (this.#listener !== undefined) abort(this.#listener);
  }

  #dial(): void {
    const { from, to, target, ways, clock, random } = this.#options;
    const dialler = this.#dialler;
    const listener = connect({ ...target, allowHalfOpen: true, noDelay: true });
    this.#listener = listener;
    listener.on('error', () => {});
    listener.once('close', () => {
      if (this.#pipes.length === 0) abort(dialler);
      this.#ended();
    });
    listener.once('connect', () => {
      if (dialler.destroyed) return abort(listener);
      this.#giveUp();
      const there = new Pipe(dialler, listener, {
        way: () => ways.between(from, to),
        clock,
        random,
        onLost: () => back.done && abort(dialler),
      });
      const back: Pipe = new Pipe(listener, dialler, {
        way: () => ways.between(to, from),
        clock,
        random,
        onLost: () => there.done && abort(listener),
      });
      this.#pipes = [there, back];
      dialler.resume();
    });
  }

  #ended(): void {
    if (!this.#dialler.destroyed || this.#listener?.destroyed === false) return;
    this.#giveUp();
    this.#wait?.();
    this.#onOver();
  }
}

/** At once: Node would wait with a reset until a connection came about. */
function abort(socket: Socket): void {
  if (socket.connecting) socket.destroy();
  else socket.resetAndDestroy();
}
