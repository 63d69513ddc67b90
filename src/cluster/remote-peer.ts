import { NexaError } from '../errors.ts';
import type { Clock } from '../ports/clock.ts';
import type { Subject } from '../ports/transport.ts';
import { InChannel, OutChannel, type Window } from './channels.ts';
import type { Peer } from './peer.ts';
import { type LocalWatches, PeerWatches } from './remote-watch.ts';
import type { Frame, Wire } from './wire.ts';

export interface RemotePeerOptions {
  readonly clock: Clock;
  readonly wire: Wire;
  readonly window: Window;
  readonly watches: LocalWatches;
  /** Callers of {@link RemotePeer.ready} at most. */
  readonly waiting: number;
  readonly inbox: Subject;
  /** Where the server says that nobody listens on the inbox. */
  readonly probe: Subject;
  readonly publish: (frame: Uint8Array, reply?: Subject) => void;
  /** Too much waits in the transport, whoever it is for. */
  readonly congested: () => boolean;
}

/** Everything this node keeps about one other incarnation: a channel each way, watches each way, who waits for room. */
export class RemotePeer {
  readonly peer: Peer;
  readonly inbox: Subject;
  readonly probe: Subject;
  readonly out: OutChannel;
  readonly in = new InChannel();
  readonly watches: PeerWatches;
  private readonly options: RemotePeerOptions;
  private readonly waiting = new Set<(error?: NexaError) => void>();
  private pulsedAtMs = Number.NEGATIVE_INFINITY;
  private sumAtMs: number;
  private askedAtMs = Number.NEGATIVE_INFINITY;

  constructor(peer: Peer, options: RemotePeerOptions) {
    this.peer = peer;
    this.options = options;
    this.inbox = options.inbox;
    this.probe = options.probe;
    this.out = new OutChannel(options.window);
    this.watches = new PeerWatches(peer, options.wire, options.watches, options.publish);
    this.sumAtMs = options.clock.monotonicMs();
  }

  congested(): boolean {
    return this.options.congested();
  }

  /** The first frame after a pause is followed by a pulse, so that an inbox without listener shows at once. */
  pulseIfIdle(afterMs: number): void {
    if (this.options.clock.monotonicMs() - this.pulsedAtMs >= afterMs) this.pulse(false);
  }
  /** A quarter of a window arrived since the sender last heard of it, and nothing went back that would have told him. */
  stateIfOwed(): void {
    const { messages, bytes } = this.options.window;
    if (this.in.owed * 4 >= messages || this.in.owedBytes * 4 >= bytes) this.pulse(false);
  }

  heardStatement(taken: number): void {
    if (this.out.state(taken)) this.letIn();
  }
  /** Answers how many frames it showed to be lost. */
  heardPulse(pulse: Extract<Frame, { readonly frame: 'pulse' }>, patienceMs: number): number {
    this.heardStatement(pulse.taken);
    const lost = this.in.reach(pulse.sent, pulse.known);
    if (lost > 0 || (pulse.watches !== undefined && !this.watches.agrees(pulse.watches))) this.askForWatches(patienceMs);
    return lost;
  }
  askForWatches(patienceMs: number): void {
    const nowMs = this.options.clock.monotonicMs();
    if (nowMs - this.askedAtMs < patienceMs) return;
    this.askedAtMs = nowMs;
    this.options.publish(this.options.wire.resend());
  }

  reconnected(): void {
    this.watches.restate();
    this.pulse(true);
  }

  tick(stateWatchesMs: number): void {
    const sumIsDue = this.options.clock.monotonicMs() - this.sumAtMs >= stateWatchesMs;
    if (this.out.inFlight > 0 || this.in.owed > 0 || (sumIsDue && this.watches.sum() !== undefined)) this.pulse(sumIsDue);
    this.letIn();
  }

  /** Resolves when there is room, at once if there is. @throws NexaError `ask-timeout`, `cancelled`, `overloaded`, `node-lost`. */
  ready(within: { readonly timeoutMs: number; readonly signal?: AbortSignal }): Promise<void> {
    if (this.hasRoom()) return Promise.resolve();
    const { signal, timeoutMs } = within;
    const where = { node: this.peer.node };
    if (signal?.aborted === true)
      return Promise.reject(new NexaError('cancelled', 'the wait was given up', { where, cause: signal.reason }));
    if (this.waiting.size >= this.options.waiting)
      return Promise.reject(new NexaError('overloaded', 'too many wait for that node', { where }));
    return new Promise((resolve, reject) => {
      const settle = (error?: NexaError) => {
        this.waiting.delete(settle);
        forget();
        signal?.removeEventListener('abort', aborted);
        if (error === undefined) resolve();
        else reject(error);
      };
      const aborted = () => settle(new NexaError('cancelled', 'the wait was given up', { where, cause: signal?.reason }));
      const forget = this.options.clock.after(timeoutMs, () =>
        settle(new NexaError('ask-timeout', 'no room within the deadline', { where })),
      );
      signal?.addEventListener('abort', aborted, { once: true });
      this.waiting.add(settle);
    });
  }

  gone(error: NexaError): void {
    for (const settle of [...this.waiting]) settle(error);
    this.watches.gone();
  }
  /** This node is closing: nobody is told of anything any more. */
  close(error: NexaError): void {
    for (const settle of [...this.waiting]) settle(error);
  }

  private hasRoom(): boolean {
    return this.out.room() === 'free' && !this.options.congested();
  }
  private letIn(): void {
    if (this.waiting.size > 0 && this.hasRoom()) for (const settle of [...this.waiting]) settle();
  }
  private pulse(withSum: boolean): void {
    const nowMs = this.options.clock.monotonicMs();
    this.pulsedAtMs = nowMs;
    if (withSum) this.sumAtMs = nowMs;
    this.options.publish(
      this.options.wire.pulse(this.out.sent, this.out.stated, this.in.settle(), withSum ? this.watches.sum() : undefined),
      this.probe,
    );
  }
}
