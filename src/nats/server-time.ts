import type { NatsLink } from './connection.ts';
import { streamName } from './store-config.ts';

/** A server's wall clock as it was about `atMs` of our monotonic clock, known to within half a round trip. */
export interface ServerTime {
  readonly wallMs: number;
  readonly atMs: number;
  readonly roundTripMs: number;
}

/** Reads the time off an answer about one bucket. Undefined: the server is out of reach, or older than 2.10 and does not say. */
export async function readServerTime(
  link: NatsLink,
  options: { readonly bucket: string; readonly timeoutMs: number },
): Promise<ServerTime | undefined> {
  const { clock } = link.jetStream.wire;
  const fromMs = clock.monotonicMs();
  const answer = await link.jetStream.api<{ readonly ts?: string }>(
    `STREAM.INFO.${streamName('kv', options.bucket)}`,
    undefined,
    options.timeoutMs,
  );
  const roundTripMs = clock.monotonicMs() - fromMs;
  const wallMs = answer.ok ? Date.parse(answer.value.ts ?? '') : Number.NaN;
  return Number.isFinite(wallMs) ? { wallMs, atMs: fromMs + roundTripMs / 2, roundTripMs } : undefined;
}
