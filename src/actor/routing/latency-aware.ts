import { NexaError } from '../../errors.ts';
import { anyOf, type Candidate, type Routing, type RoutingSpec, routing } from './routing.ts';

export interface LatencyAwareOptions {
  /** How long a slow answer is remembered: after so many milliseconds a bit more than a third of it. 1 … 3,600,000, default 10,000. */
  readonly decayMs?: number;
}
/** How long asks of a routee took of late: up at once with a slow answer, down over time. */
export interface Latency {
  readonly costMs: number;
  readonly atMs: number;
}

/** Somebody who has not answered yet may be slow: only one request finds out. */
const UNKNOWN_MS = 1e9;

/**
 * Peak-EWMA and the power of two choices, after Finagle: two routees at random, and of these the one where latency times what is under
 * way there is smaller. Two suffice to avoid a slow one, and do not send everybody to the one that is fastest at the moment.
 */
export function latencyAwareSpec({ decayMs = 10_000 }: LatencyAwareOptions = {}): RoutingSpec<unknown, undefined, Latency> {
  if (!(decayMs >= 1 && decayMs <= 3_600_000))
    throw new NexaError('invalid-definition', `decayMs is to be from 1 to 3,600,000, not ${decayMs}`);
  const kept = (sinceMs: number): number => Math.exp(-Math.max(0, sinceMs) / decayMs);
  const price = ({ learned, outstanding }: Candidate<Latency>, nowMs: number): number => {
    if (learned === undefined) return outstanding === 0 ? 0 : UNKNOWN_MS * outstanding;
    // Forgotten while nobody asks it, so that one that was slow is tried again.
    return learned.costMs * kept(nowMs - learned.atMs) * (outstanding + 1);
  };
  return {
    name: 'latency-aware',
    start: undefined,
    choose: (_state, candidates, _message, random, nowMs) => {
      const { length } = candidates;
      if (length === 1) return [0, undefined];
      const one = anyOf(length, random);
      const step = 1 + anyOf(length - 1, random);
      const other = (one + step) % length;
      const cheaper = price(candidates[other] as Candidate<Latency>, nowMs) < price(candidates[one] as Candidate<Latency>, nowMs);
      return [cheaper ? other : one, undefined];
    },
    learn: (learned, tookMs, nowMs) => {
      if (learned === undefined || tookMs >= learned.costMs) return { costMs: tookMs, atMs: nowMs };
      const old = kept(nowMs - learned.atMs);
      return { costMs: learned.costMs * old + tookMs * (1 - old), atMs: nowMs };
    },
  };
}

/** Whoever answers fastest, without sending everything there. @throws NexaError `invalid-definition` */
export const latencyAware = (options?: LatencyAwareOptions): Routing<unknown> => routing(latencyAwareSpec(options));
