import type { Msg, Subscription } from 'nats';
import type { Cancel } from '../actor/ref.ts';
import type { JetStream } from './jet-stream.ts';

export interface Delivery {
  readonly subject: string;
  readonly sequence: number;
  readonly message: Msg;
}

export interface OrderedConsumerOptions {
  readonly stream: string;
  readonly filter: string;
  /** Where a (re)start begins. */
  readonly start: () =>
    | { readonly deliver_policy: 'last_per_subject' }
    | { readonly deliver_policy: 'by_start_sequence'; readonly opt_start_seq: number };
  /** At each start, before its first delivery. */
  readonly onStart?: () => void;
  readonly onDelivery: (delivery: Delivery) => void;
  /** Everything there was has been delivered; may come several times. */
  readonly onCaughtUp?: () => void;
  /** The server waits for this answer before it sends more; without it, it is given at once. */
  readonly onFlow?: (answer: () => void) => void;
}

interface ConsumerInfo {
  readonly num_pending: number;
}

const HEARTBEAT_MS = 1_000;
/** Two beats, and what a busy server or process may add. */
const SILENT_MS = 2 * HEARTBEAT_MS + 250;
const LOOK_MS = 500;
const CREATE_MS = 2_000;
const LONGEST_BACKOFF_MS = 2_000;
const NANOS = 1_000_000;

/**
 * Follows a stream in order by an ephemeral consumer, and makes a new one after a gap, after silence and after each reconnect: a watch
 * of the library stalled for 13 seconds when the server that held its consumer died.
 */
export function orderedConsumer(js: JetStream, options: OrderedConsumerOptions): Cancel {
  const { wire } = js;
  const { connection, clock, log } = wire;
  let run = 0;
  let failures = 0;
  let subscription: Subscription | undefined;
  let consumer = '';
  let started = false;
  let received = 0;
  let heardMs = 0;
  let cancelled = false;
  let stopTimer: Cancel | undefined;

  const guarded = (call: () => void): void => {
    try {
      call();
    } catch (error) {
      log.error({ error, stream: options.stream }, 'a listener failed');
    }
  };
  const leave = (): void => {
    if (!connection.isClosed()) subscription?.unsubscribe();
    subscription = undefined;
    // Only a courtesy: without interest the server removes it by itself.
    if (consumer !== '' && wire.connected())
      js.api(`CONSUMER.DELETE.${options.stream}.${consumer}`, undefined, CREATE_MS).catch(() => undefined);
    consumer = '';
  };
  const begin = (): void => {
    if (started) return;
    started = true;
    failures = 0;
    if (options.onStart !== undefined) guarded(options.onStart);
  };
  const restart = (): void => {
    run++;
    leave();
    if (cancelled) return;
    stopTimer?.();
    const waitMs = failures === 0 ? 0 : Math.min(LONGEST_BACKOFF_MS, 250 * 2 ** (failures - 1)) * (0.5 + wire.random.next() / 2);
    failures++;
    stopTimer = clock.after(waitMs, () => void start(run));
  };

  const start = async (mine: number): Promise<void> => {
    if (cancelled || mine !== run) return;
    if (!wire.connected()) {
      stopTimer = clock.after(LOOK_MS, () => void start(mine));
      return;
    }
    started = false;
    received = 0;
    heardMs = clock.monotonicMs();
    consumer = `nexa_${wire.random.id()}`;
    const inbox = `${wire.inbox}.w.${consumer}`;
    try {
      subscription = connection.subscribe(inbox, {
        callback: (error, message) => {
          if (error !== null) return log.error({ error, stream: options.stream }, 'the NATS server refused a consumer');
          if (mine === run) take(message);
        },
      });
      const answer = await js.api<ConsumerInfo>(
        `CONSUMER.CREATE.${options.stream}.${consumer}`,
        {
          stream_name: options.stream,
          config: {
            name: consumer,
            deliver_subject: inbox,
            filter_subject: options.filter,
            ...options.start(),
            ack_policy: 'none',
            max_deliver: 1,
            replay_policy: 'instant',
            flow_control: true,
            idle_heartbeat: HEARTBEAT_MS * NANOS,
            inactive_threshold: 10 * HEARTBEAT_MS * NANOS,
            mem_storage: true,
            num_replicas: 1,
          },
        },
        CREATE_MS,
      );
      if (mine !== run) return;
      if (!answer.ok) {
        if (!started) log.debug({ stream: options.stream, error: answer.error }, 'no consumer yet');
        return restart();
      }
      heardMs = clock.monotonicMs();
      begin();
      if (answer.value.num_pending === 0 && received === 0) caughtUp();
    } catch (error) {
      log.warn({ error, stream: options.stream }, 'no consumer yet');
      if (mine === run) return restart();
    }
    if (mine === run) look(mine);
  };
  const look = (mine: number): void => {
    stopTimer = clock.after(LOOK_MS, () => {
      if (mine !== run) return;
      if (clock.monotonicMs() - heardMs > SILENT_MS) restart();
      else look(mine);
    });
  };
  const caughtUp = (): void => {
    if (options.onCaughtUp !== undefined) guarded(options.onCaughtUp);
  };
  const answerFlow = (reply: string): void => {
    const answer = (): void => {
      if (wire.connected()) connection.publish(reply);
    };
    if (options.onFlow === undefined) answer();
    else options.onFlow(answer);
  };

  const take = (message: Msg) => {
    heardMs = clock.monotonicMs();
    const headers = message.headers;
    if (headers !== undefined && headers.code > 0 && message.data.length === 0) {
      if (headers.code !== 100) return restart();
      if (message.reply) return answerFlow(message.reply);
      const stalled = headers.get('Nats-Consumer-Stalled');
      if (stalled !== '') answerFlow(stalled);
      const last = Number(headers.get('Nats-Last-Consumer'));
      if (last !== received) return restart();
      begin();
      return caughtUp();
    }
    const place = placeOf(message.reply ?? '');
    if (place === undefined || place.consumerSequence !== received + 1) return restart();
    received = place.consumerSequence;
    begin();
    guarded(() => options.onDelivery({ subject: message.subject, sequence: place.streamSequence, message }));
    if (place.pending === 0) caughtUp();
  };

  const stopStatus = wire.onStatus((status) => {
    if (status !== 'up') return;
    failures = 0;
    restart();
  });
  const cancel = (): void => {
    if (cancelled) return;
    cancelled = true;
    stopStatus();
    forget();
    stopTimer?.();
    run++;
    leave();
  };
  const forget = wire.onClose(cancel);
  void start(run);
  return cancel;
}

/** `$JS.ACK.[<domain>.<account>.]<stream>.<consumer>.<delivered>.<stream seq>.<consumer seq>.<time>.<pending>[.<token>]`. */
export function placeOf(
  reply: string,
): { readonly streamSequence: number; readonly consumerSequence: number; readonly pending: number } | undefined {
  const tokens = reply.split('.');
  if (tokens[0] !== '$JS' || tokens[1] !== 'ACK' || tokens.length < 9) return undefined;
  const from = tokens.length === 9 ? 5 : 7;
  const [streamSequence, consumerSequence, , pending] = tokens.slice(from, from + 4).map(Number);
  if (
    streamSequence === undefined ||
    consumerSequence === undefined ||
    pending === undefined ||
    Number.isNaN(streamSequence + consumerSequence + pending)
  )
    return undefined;
  return { streamSequence, consumerSequence, pending };
}
