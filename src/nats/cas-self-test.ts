import { NexaError } from '../errors.ts';
import type { Clock } from '../ports/clock.ts';
import type { Random } from '../ports/random.ts';
import type { NatsLink } from './connection.ts';
import { errors, type JetStream, presentSequence } from './jet-stream.ts';
import { headersFrom } from './transport.ts';

export interface CasSelfTestOptions {
  readonly replicas: number;
  readonly clock: Clock;
  readonly random: Random;
  /** For everything together; default 20,000. */
  readonly timeoutMs?: number;
}

/** So many are run. */
export const RACES = 20;
const WRITERS = 12;
const TRY_MS = 2_000;
const RETRY_MS = 250;
const HOUR_NANOS = 3_600_000_000_000;
const RECORD = new TextEncoder().encode('nexa compare-and-set self-test');
/** Another write to this subject is under way: a refusal as good as any. */
const IN_PROCESS = 10_164;
const NOT_CLUSTERED = 10_074;

/**
 * Whether the server keeps its most important promise: of several writers with one expectation, one wins. nats-server below 2.9.21
 * acknowledges several on replicated streams, and everything here rests on it. 20 races of 12 writers, about 60 ms.
 * @returns how many races did not have exactly one winner: anything above 0 is a server not to run on.
 * @throws NexaError `unavailable` when it could not be found out in time, `store-misconfigured` when the server cannot keep so many replicas.
 */
export async function casSelfTest(link: NatsLink, options: CasSelfTestOptions): Promise<number> {
  const js = link.jetStream;
  const untilMs = options.clock.monotonicMs() + (options.timeoutMs ?? 20_000);
  const leftMs = (): number => untilMs - options.clock.monotonicMs();
  const stream = `nexa_self_test_R${options.replicas}`;
  await ensureStream(js, stream, options, leftMs);
  const subject = `${stream}.${options.random.id()}`;
  try {
    let wrong = 0;
    let expected = 0;
    for (let race = 0; race < RACES; race++) {
      const outcome = await run(js, subject, expected, leftMs);
      if (outcome.winners !== 1) wrong++;
      expected = outcome.last;
    }
    return wrong;
  } finally {
    await js.api(`STREAM.PURGE.${stream}`, { filter: subject }, TRY_MS).catch(() => undefined);
  }
}

/** One race, run again from the present last record when an answer was lost: that says nothing about who won. */
async function run(
  js: JetStream,
  subject: string,
  expectation: number,
  leftMs: () => number,
): Promise<{ readonly winners: number; readonly last: number }> {
  for (let expected = expectation; leftMs() > 0; ) {
    const answers = await Promise.all(
      Array.from({ length: WRITERS }, () =>
        js.publish(subject, RECORD, headersFrom([['Nats-Expected-Last-Subject-Sequence', String(expected)]]), Math.min(TRY_MS, leftMs())),
      ),
    );
    const won = answers.flatMap((answer) => (answer.ok && answer.value.seq > 0 ? [answer.value.seq] : []));
    const refused = answers
      .flatMap((answer) => (answer.ok || answer.error === undefined ? [] : [answer.error]))
      .filter(({ errCode }) => errCode === errors.wrongLastSequence || errCode === IN_PROCESS);
    const present = refused.map(presentSequence).filter(Number.isSafeInteger);
    const last = Math.max(expected, ...won, ...present);
    // Two winners are wrong whatever the others heard, and so is a refusal of exactly what is there; fewer answers say nothing.
    if (won.length > 1 || (won.length + refused.length === WRITERS && (won.length === 1 || present.includes(expected))))
      return { winners: won.length, last };
    expected = last;
    await new Promise<void>((resolve) => js.wire.clock.after(RETRY_MS, resolve));
  }
  throw new NexaError('unavailable', 'the compare-and-set self-test got no answers in time', {
    fix: 'Look at the NATS servers: their store may have no leader.',
  });
}

async function ensureStream(js: JetStream, name: string, { replicas, clock }: CasSelfTestOptions, leftMs: () => number): Promise<void> {
  const config = {
    name,
    subjects: [`${name}.>`],
    retention: 'limits',
    storage: 'memory',
    discard: 'old',
    num_replicas: replicas,
    max_age: HOUR_NANOS,
    max_bytes: 16_777_216,
    allow_direct: false,
  };
  let why = 'no answer';
  while (leftMs() > 0) {
    const made = await js.api(`STREAM.CREATE.${name}`, config, Math.min(TRY_MS, leftMs()));
    if (made.ok || made.error?.errCode === errors.streamNameInUse) return;
    if (made.error !== undefined) why = made.error.description;
    if (made.error?.errCode === NOT_CLUSTERED)
      throw new NexaError('store-misconfigured', `${replicas} replicas need a cluster of servers: ${why}`, {
        fix: 'Start as many servers as there are replicas, or ask for one replica.',
      });
    await new Promise<void>((resolve) => clock.after(RETRY_MS, resolve));
  }
  throw new NexaError('unavailable', `the stream of the self-test cannot be made: ${why}`);
}
