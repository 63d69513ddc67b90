import { WIDEST_WINDOW } from '../actor/address.ts';
import type { Cancel } from '../actor/ref.ts';
import { PATIENCE_MS } from '../actor/stream/outflow.ts';
import type { MessageCodec } from '../cluster/codec.ts';
import { isSafeReply, type Subjects } from '../cluster/subject.ts';
import { NexaError } from '../errors.ts';
import type { Clock } from '../ports/clock.ts';
import type { Inbound, Subject, Transport } from '../ports/transport.ts';
import { type Answer, decodeBody, type Encoding, encodeAnswer, encodeFitting, publicError } from './answers.ts';
import { FLOW_HEADER } from './call-options.ts';
import { flowRequest } from './requests.ts';

/** Streams to strangers at a time. */
const MOST = 1_024;
/** So much waits in the transport before a stream pauses, and for so long until it looks again. */
const ROOM_BYTES = 4_194_304;
const LOOK_MS = 10;

export interface FlowOptions {
  readonly transport: Transport;
  readonly subjects: Subjects;
  readonly codec: MessageCodec;
  readonly clock: Clock;
  readonly node: string;
  /** One answer at most. */
  readonly mostBytes: number;
}
export interface FlowTo {
  readonly reply: Subject;
  readonly encoding: Encoding;
  readonly window: number;
  readonly idleTimeoutMs: number;
  readonly items: (signal: AbortSignal) => AsyncIterable<unknown>;
}

/** Streams to readers outside the cluster, one message an item, and what readers say on `flow`. A reader is its reply subject. */
export interface Flows {
  /** Resolves with how it ended; the last answer is out then. */
  serve(to: FlowTo): Promise<Answer>;
  /** Calls `giveUp` if whoever waits there gives up before the answer. */
  onGiveUp(reply: Subject, giveUp: () => void): Cancel;
  readonly open: number;
  /** Ends every stream, and hears nothing more. */
  close(): void;
}

export function flows(options: FlowOptions): Flows {
  const { transport, subjects, codec, clock, node, mostBytes } = options;
  const readers = new Map<string, Reader>();
  const asking = new Map<string, () => void>();
  const broken = (message: string): NexaError => new NexaError('stream-broken', message, { where: { node } });

  /** Beside the stream: what is lost of it is said again when it is asked for again. */
  const tell = (reply: Subject, answer: Answer, encoding: Encoding = 'json'): void => {
    try {
      transport.publish(reply, encodeAnswer(codec, encoding, answer, mostBytes));
    } catch {
      // The connection is broken; so is the reader's way here.
    }
  };
  const heard = (named: boolean) => (message: Inbound) => {
    const { reply } = message;
    if (reply === undefined || message.noResponders) return;
    let upTo: number;
    try {
      upTo = flowRequest(decodeBody(codec, message.payload));
    } catch {
      // Nobody waits for an answer to this; whoever reads sees that nothing comes.
      return;
    }
    const reader = readers.get(reply);
    if (upTo < 0) {
      reader?.stop(new NexaError('cancelled', 'its reader has left'));
      asking.get(reply)?.();
    } else if (reader !== undefined) reader.pulled(upTo);
    else if (named && isSafeReply(reply)) tell(reply, { ok: false, error: broken('there is no such stream (any more)') });
  };
  const cancels = [transport.subscribe(subjects.flow, heard(false)), transport.subscribe(subjects.flowNode(node), heard(true))];

  const send = async (to: FlowTo, reader: Reader): Promise<Answer> => {
    const say = (answer: Answer): void => {
      const headers = reader.sent === 0 ? { headers: new Map([[FLOW_HEADER, subjects.flowNode(node)]]) } : {};
      transport.publish(to.reply, encodeFitting(codec, to.encoding, answer, mostBytes), headers);
    };
    reader.restate = () => tell(to.reply, { ok: true, seq: reader.sent }, to.encoding);
    try {
      for await (const item of to.items(reader.signal)) {
        while (transport.bufferedBytes() >= ROOM_BYTES) await new Promise<void>((resolve) => void clock.after(LOOK_MS, resolve));
        if (!(await reader.credit())) break;
        say({ ok: true, item, seq: reader.sent });
        reader.sent++;
      }
      if (reader.why !== undefined) throw reader.why;
      say({ ok: true, end: true, seq: reader.sent });
      return { ok: true };
    } catch (thrown) {
      return { ok: false, error: reader.why ?? publicError(thrown) };
    }
  };

  return {
    async serve(to) {
      const refused = (error: NexaError): Answer => ({ ok: false, error });
      if (readers.size >= MOST)
        return refused(new NexaError('overloaded', `this node streams to ${MOST} readers already`, { where: { node } }));
      if (readers.has(to.reply)) return refused(new NexaError('conflict', 'a stream goes to this reply subject already'));
      const reader = new Reader(clock, to.window, Math.max(PATIENCE_MS, to.idleTimeoutMs));
      readers.set(to.reply, reader);
      try {
        return await send(to, reader);
      } finally {
        reader.stop(undefined);
        readers.delete(to.reply);
      }
    },
    onGiveUp: (reply, giveUp) => {
      asking.set(reply, giveUp);
      return () => void (asking.get(reply) === giveUp && asking.delete(reply));
    },
    get open() {
      return readers.size;
    },
    close: () => {
      for (const cancel of cancels) cancel();
      for (const reader of readers.values()) reader.stop(broken('this node is leaving'));
    },
  };
}

/** How far one reader is. */
class Reader {
  sent = 0;
  why: NexaError | undefined = undefined;
  /** Says where the stream stands. */
  restate: () => void = () => {};
  private readonly clock: Clock;
  private readonly patienceMs: number;
  private readonly controller = new AbortController();
  private granted: number;
  private over = false;
  private wake: (() => void) | undefined = undefined;

  constructor(clock: Clock, window: number, patienceMs: number) {
    this.clock = clock;
    this.granted = window;
    this.patienceMs = patienceMs;
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }
  pulled(upTo: number): void {
    if (upTo <= this.granted) {
      if (this.sent > 0) this.restate();
      return;
    }
    this.granted = Math.min(upTo, this.sent + WIDEST_WINDOW);
    this.wake?.();
  }
  stop(why: NexaError | undefined): void {
    if (this.over) return;
    this.over = true;
    this.why = why;
    this.controller.abort();
    this.wake?.();
  }
  /** Resolves when one more item may be sent. False: it is over. */
  async credit(): Promise<boolean> {
    while (!this.over && this.sent >= this.granted) {
      let forget: Cancel = () => {};
      await new Promise<void>((resolve) => {
        this.wake = resolve;
        forget = this.clock.after(this.patienceMs, () =>
          this.stop(new NexaError('ask-timeout', `no item was asked for during ${this.patienceMs} ms`)),
        );
      });
      this.wake = undefined;
      forget();
    }
    return !this.over;
  }
}
