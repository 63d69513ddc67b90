import { createHash } from 'node:crypto';
import { NexaError } from '../errors.ts';
import { assertKey } from '../ports/safe-name.ts';
import type { Blobs } from '../ports/stores.ts';
import { type JetStream, writtenFrom } from './jet-stream.ts';
import { readRecord } from './records.ts';
import { streamName } from './store-config.ts';
import { headersFrom } from './transport.ts';

/** As NATS's own object store writes it. */
interface Meta {
  readonly name: string;
  readonly bucket: string;
  readonly nuid: string;
  readonly size: number;
  readonly chunks: number;
  readonly digest?: string;
  readonly deleted?: boolean;
}

const CHUNK_BYTES = 131_072;
const LARGEST_BYTES = 268_435_456;

const digestOf = (value: Uint8Array): string => `SHA-256=${createHash('sha256').update(value).digest('base64url')}=`;

/** The {@link Blobs} over a stream in the layout of NATS's object store: chunks under a fresh name, then one record that names them. */
export function natsBlobs(js: JetStream, name: string): Blobs {
  const stream = streamName('objects', name);
  const metaSubject = (blob: string): string => `$O.${name}.M.${base64(blob)}`;
  const chunkSubject = (nuid: string): string => `$O.${name}.C.${nuid}`;

  const within = (timeoutMs: number) => {
    const untilMs = js.wire.clock.monotonicMs() + timeoutMs;
    return () => Math.max(0, untilMs - js.wire.clock.monotonicMs());
  };
  const store = async (subject: string, payload: Uint8Array, blob: string, leftMs: number, rollup: boolean): Promise<void> => {
    const outcome = writtenFrom(
      await js.publish(subject, payload, headersFrom(rollup ? [['Nats-Rollup', 'sub']] : []), leftMs),
      undefined,
      { store: name, subject },
    );
    if (outcome.written !== 'yes')
      throw new NexaError('unavailable', `the object ${blob} may not be stored`, { definite: false, where: { store: name, name: blob } });
  };
  const meta = async (blob: string, leftMs: number): Promise<Meta | undefined> => {
    const found = await readRecord(js, stream, { last_by_subj: metaSubject(blob) }, leftMs);
    if (found === undefined) return undefined;
    try {
      return JSON.parse(new TextDecoder().decode(found.value)) as Meta;
    } catch (cause) {
      throw corrupt(name, blob, cause);
    }
  };
  /** Chunks that nothing names any more: a courtesy, they are found by nobody. */
  const drop = (nuid: string): void => void js.api(`STREAM.PURGE.${stream}`, { filter: chunkSubject(nuid) }, 5_000).catch(() => undefined);

  return {
    put: async (blob, value, { timeoutMs }) => {
      assertKey(blob);
      if (value.length > LARGEST_BYTES)
        throw new NexaError('payload-too-large', `${value.length} bytes exceed the limit of ${LARGEST_BYTES}`, {
          where: { store: name, name: blob },
        });
      const leftMs = within(timeoutMs);
      const former = await meta(blob, leftMs());
      const nuid = js.wire.random.id();
      const chunks = Math.ceil(value.length / CHUNK_BYTES);
      try {
        for (let index = 0; index < chunks; index++)
          await store(chunkSubject(nuid), value.subarray(index * CHUNK_BYTES, (index + 1) * CHUNK_BYTES), blob, leftMs(), false);
      } catch (error) {
        drop(nuid);
        throw error;
      }
      const made: Meta & { readonly options: object } = {
        name: blob,
        bucket: name,
        nuid,
        size: value.length,
        chunks,
        digest: digestOf(value),
        options: { max_chunk_size: CHUNK_BYTES },
      };
      await store(metaSubject(blob), new TextEncoder().encode(JSON.stringify(made)), blob, leftMs(), true);
      if (former !== undefined && former.deleted !== true) drop(former.nuid);
    },
    get: async (blob, { timeoutMs }) => {
      assertKey(blob);
      const leftMs = within(timeoutMs);
      const known = await meta(blob, leftMs());
      if (known === undefined || known.deleted === true) return undefined;
      if (!(known.size >= 0 && known.size <= LARGEST_BYTES)) throw corrupt(name, blob);
      const value = new Uint8Array(known.size);
      let at = 0;
      let sequence = 1;
      for (let index = 0; index < known.chunks; index++) {
        const chunk = await readRecord(js, stream, { next_by_subj: chunkSubject(known.nuid), seq: sequence }, leftMs());
        if (chunk === undefined || at + chunk.value.length > value.length) throw corrupt(name, blob);
        value.set(chunk.value, at);
        at += chunk.value.length;
        sequence = chunk.sequence + 1;
      }
      if (at !== value.length || (known.digest !== undefined && known.digest.replace(/=+$/, '') !== digestOf(value).replace(/=+$/, '')))
        throw corrupt(name, blob);
      return value;
    },
    delete: async (blob, { timeoutMs }) => {
      assertKey(blob);
      const leftMs = within(timeoutMs);
      const known = await meta(blob, leftMs());
      if (known === undefined || known.deleted === true) return;
      await store(
        metaSubject(blob),
        new TextEncoder().encode(JSON.stringify({ ...known, deleted: true, size: 0, chunks: 0, digest: undefined })),
        blob,
        leftMs(),
        true,
      );
      drop(known.nuid);
    },
  };
}

const base64 = (text: string): string => Buffer.from(text).toString('base64').replaceAll('+', '-').replaceAll('/', '_');
const corrupt = (store: string, name: string, cause?: unknown): NexaError =>
  new NexaError('corrupt-record', `the object ${name} is not what was stored`, { where: { store, name }, cause });
