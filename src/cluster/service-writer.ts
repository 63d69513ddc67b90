import { NexaError } from '../errors.ts';
import type { Clock } from '../ports/clock.ts';
import type { Codec } from '../ports/codec.ts';
import type { Kv, Written } from '../ports/stores.ts';
import type { Copy } from './copy.ts';
import { decodeService, encodeService, type ServiceRecord } from './service.ts';

const PAUSE_MS = [20, 1_000] as const;
/** Repeating cannot help. */
const FINAL: readonly string[] = ['quota-exceeded', 'payload-too-large', 'bad-id', 'not-encodable', 'conflict'];

interface There {
  readonly value: ServiceRecord;
  readonly revision: number;
}

/** Writes entries by compare-and-set until it is known what became of it. */
export interface ServiceWriter {
  /**
   * Resolves once a write of what `make` returned was seen to succeed. @throws what `make` throws of what the leader showed;
   * NexaError `quota-exceeded`; `unavailable` after the time, indefinite if one of the writes may have happened.
   */
  put(at: string, make: (there: ServiceRecord | undefined) => ServiceRecord, options: { readonly timeoutMs: number }): Promise<void>;
  /** Rewrites what is there with itself, and so shows that it is meant; false: it is not there. @throws NexaError `unavailable`. */
  renew(at: string, options: { readonly timeoutMs: number }): Promise<boolean>;
  /** Resolves once it is known not to be there. @throws NexaError `unavailable`. */
  remove(at: string, options: { readonly timeoutMs: number }): Promise<void>;
}

export function serviceWriter(options: {
  readonly kv: Kv;
  readonly copy: () => Copy<ServiceRecord>;
  readonly codec: Codec;
  readonly clock: Clock;
  readonly storeMs: number;
}): ServiceWriter {
  const { kv, copy, codec, clock } = options;

  const read = async (at: string): Promise<There | undefined> => {
    const found = await kv.get(at, { timeoutMs: options.storeMs });
    return found === undefined ? undefined : { value: decodeService(found.value, codec, at), revision: found.revision };
  };
  /** Tries until `attempt` says that it is done; from the second time on with what the leader shows, and from the first if `looks`. */
  const trying = async (
    at: string,
    { timeoutMs, looks }: { readonly timeoutMs: number; readonly looks: boolean },
    attempt: (there: There | undefined, doubtful: boolean) => Promise<Written['written'] | 'done'>,
  ): Promise<void> => {
    const untilMs = clock.monotonicMs() + timeoutMs;
    let pauseMs: number = PAUSE_MS[0];
    let there: There | undefined;
    let doubtful = false;
    let stale = looks;
    let cause: unknown;
    for (;;) {
      try {
        if (stale) there = await read(at);
        const came = await attempt(there, doubtful);
        if (came === 'yes' || came === 'done') return;
        doubtful ||= came === 'unknown';
      } catch (thrown) {
        if (thrown instanceof NexaError && FINAL.includes(thrown.code)) throw thrown;
        cause = thrown;
      }
      stale = true;
      if (clock.monotonicMs() + pauseMs > untilMs) {
        throw new NexaError('unavailable', `the store did not take the entry of a service within ${timeoutMs} ms`, {
          ...{ where: { key: at }, cause, definite: !doubtful },
          fix: 'Repeat it: that is harmless.',
        });
      }
      await new Promise<void>((resolve) => void clock.after(pauseMs, resolve));
      pauseMs = Math.min(pauseMs * 2, PAUSE_MS[1]);
    }
  };
  const write = async (at: string, record: ServiceRecord, over: There | undefined): Promise<Written['written']> => {
    const bytes = encodeService(record, codec);
    const within = { timeoutMs: options.storeMs };
    const written = over === undefined ? await kv.create(at, bytes, within) : await kv.update(at, bytes, over.revision, within);
    if (written.written === 'yes') copy().apply(at, record, written.revision);
    return written.written;
  };

  return {
    put: (at, make, { timeoutMs }) => {
      let nonce: string | undefined;
      // What the copy shows may be old. What it does not show is most likely not there, and a create finds out.
      return trying(at, { timeoutMs, looks: copy().get(at) !== undefined }, async (there, doubtful) => {
        if (there !== undefined && doubtful && there.value.nonce === nonce) {
          copy().apply(at, there.value, there.revision);
          return 'done';
        }
        const record = make(there?.value);
        nonce = record.nonce;
        return write(at, record, there);
      });
    },
    async renew(at, { timeoutMs }) {
      let found = true;
      await trying(at, { timeoutMs, looks: false }, async (there) => {
        const known = there ?? copy().get(at) ?? (await read(at));
        found = known !== undefined;
        return known === undefined ? 'done' : write(at, known.value, known);
      });
      return found;
    },
    remove: (at, { timeoutMs }) =>
      trying(at, { timeoutMs, looks: true }, async (there) => {
        if (there === undefined) return 'done';
        const gone = await kv.delete(at, there.revision, { timeoutMs: options.storeMs });
        if (gone.written === 'yes') copy().apply(at, undefined, gone.revision);
        return gone.written;
      }),
  };
}
