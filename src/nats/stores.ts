import { NexaError } from '../errors.ts';
import { assertStoreName, assertSubscribable } from '../ports/safe-name.ts';
import type { Ensured, StoreSpec, Stores } from '../ports/stores.ts';
import { natsBlobs } from './blobs.ts';
import type { Wire } from './connection.ts';
import { type ApiAnswer, errors, type JetStream, unreadable } from './jet-stream.ts';
import { natsKv } from './kv.ts';
import { differences, type StreamConfig, specFrom, streamConfig, streamName } from './store-config.ts';
import { natsStream } from './stream.ts';

interface StreamInfo {
  readonly config: Partial<StreamConfig>;
  readonly created: string;
  readonly did_create?: boolean;
}

/** One try; a lost answer is tried again inside the deadline. */
const TRY_MS = 2_000;
const RETRY_MS = 250;
/** Replicas on a single server, JetStream off, overlapping subjects, no room, invalid: waiting cures none of them. */
const REFUSED_FOR_GOOD = new Set([10_074, 10_039, 10_076, 10_065, 10_052, 10_047, 10_028]);
const FULL = new Set([10_047, 10_028]);
const KINDS = ['kv', 'stream', 'objects'] as const;

/** The {@link Stores} over JetStream. */
export function natsStores(wire: Wire, js: JetStream): Stores {
  const info = (stream: string, timeoutMs: number): Promise<ApiAnswer<StreamInfo>> =>
    js.api<StreamInfo>(`STREAM.INFO.${stream}`, undefined, timeoutMs);

  const ensureOnce = async (spec: StoreSpec, config: StreamConfig, timeoutMs: number): Promise<Ensured> => {
    const present = await info(config.name, timeoutMs);
    if (present.ok) {
      const different = differences(present.value.config, config);
      return different.length === 0 ? 'same' : { different };
    }
    if (present.error?.errCode !== errors.streamNotFound) return refuse(spec, present);
    const made = await js.api<StreamInfo>(`STREAM.CREATE.${config.name}`, config, timeoutMs);
    if (made.ok) return made.value.did_create === false ? 'same' : 'created';
    // Somebody was faster: what that is, the next look says.
    return made.error?.errCode === errors.streamNameInUse ? 'unknown' : refuse(spec, made);
  };

  return {
    ensure: async (spec, { timeoutMs }) => {
      assertStoreName(spec.name);
      if (spec.kind === 'stream' && !spec.subjects?.length)
        throw new NexaError('store-misconfigured', `stream ${spec.name} has no subjects`, { where: { store: spec.name } });
      for (const subject of spec.subjects ?? []) assertSubscribable(subject);
      const config = streamConfig(spec);
      const untilMs = wire.clock.monotonicMs() + timeoutMs;
      for (;;) {
        const outcome = await ensureOnce(spec, config, Math.min(TRY_MS, Math.max(1, untilMs - wire.clock.monotonicMs())));
        if (outcome !== 'unknown' || wire.clock.monotonicMs() + RETRY_MS >= untilMs) return outcome;
        await new Promise<void>((resolve) => wire.clock.after(RETRY_MS, resolve));
      }
    },
    info: async (name, { timeoutMs }) => {
      assertStoreName(name);
      const answers = await Promise.all(KINDS.map(async (kind) => ({ kind, answer: await info(streamName(kind, name), timeoutMs) })));
      for (const { kind, answer } of answers) {
        if (answer.ok) return { spec: specFrom(name, kind, answer.value.config), createdAtMs: Date.parse(answer.value.created) };
      }
      for (const { answer } of answers)
        if (!answer.ok && answer.error?.errCode !== errors.streamNotFound) throw unreadable(name, answer.error);
      return undefined;
    },
    kv: (name) => natsKv(js, checked(name)),
    stream: (name) => natsStream(js, checked(name)),
    blobs: (name) => natsBlobs(js, checked(name)),
    reconnect: wire.reconnect,
  };
}

function checked(name: string): string {
  assertStoreName(name);
  return name;
}

function refuse(spec: StoreSpec, answer: ApiAnswer<unknown>): 'unknown' {
  const error = answer.ok ? undefined : answer.error;
  if (error === undefined || !REFUSED_FOR_GOOD.has(error.errCode)) return 'unknown';
  throw new NexaError(
    FULL.has(error.errCode) ? 'quota-exceeded' : 'store-misconfigured',
    `store ${spec.name} cannot be made: ${error.description}`,
    { where: { store: spec.name } },
  );
}
