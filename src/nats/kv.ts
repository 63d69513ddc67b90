import { assertKey, assertKeyPrefix } from '../ports/safe-name.ts';
import type { Kv, Written } from '../ports/stores.ts';
import { type JetStream, writtenFrom } from './jet-stream.ts';
import { orderedConsumer } from './ordered-consumer.ts';
import { recordHeaders } from './record-headers.ts';
import { readRecord } from './records.ts';
import { streamName } from './store-config.ts';
import { subjectCounts, subjectState } from './subject-counts.ts';

const NOTHING = new Uint8Array(0);
const DELETED = /^KV-Operation: (DEL|PURGE)\r?$|^Nats-Marker-Reason:/m;

/** The {@link Kv} of one bucket: raw publishes, leader reads and our own watch, in the layout of NATS's own key-value stores. */
export function natsKv(js: JetStream, name: string): Kv {
  const stream = streamName('kv', name);
  const root = `$KV.${name}.`;

  const write = async (key: string, value: Uint8Array, expected: number, timeoutMs: number, deleted = false): Promise<Written> => {
    assertKey(key);
    const headers = recordHeaders([
      ['Nats-Expected-Last-Subject-Sequence', String(expected)],
      ...(deleted ? [['KV-Operation', 'DEL'] as const] : []),
    ]);
    const subject = root + key;
    return writtenFrom(await js.publish(subject, value, headers, timeoutMs), expected, { store: name, subject });
  };
  const read = (key: string, timeoutMs: number) => readRecord(js, stream, { last_by_subj: root + key }, timeoutMs);

  return {
    create: async (key, value, { timeoutMs }) => {
      const { clock } = js.wire;
      const sinceMs = clock.monotonicMs();
      const copy = value.slice();
      const first = await write(key, copy, 0, timeoutMs);
      if (first.written !== 'no') return first;
      // A record is there: perhaps the mark of a deletion, over which one may create.
      const leftMs = (): number => timeoutMs - (clock.monotonicMs() - sinceMs);
      const present = await read(key, leftMs()).catch(() => undefined);
      if (present === undefined) return { written: 'unknown' };
      return DELETED.test(present.headers) ? write(key, copy, present.sequence, leftMs()) : first;
    },
    update: (key, value, revision, { timeoutMs }) => write(key, value, revision, timeoutMs),
    delete: (key, revision, { timeoutMs }) => write(key, NOTHING, revision, timeoutMs, true),
    get: async (key, { timeoutMs }) => {
      assertKey(key);
      const found = await read(key, timeoutMs);
      return found === undefined || DELETED.test(found.headers) ? undefined : { value: found.value, revision: found.sequence };
    },
    removed: async (key, revision, { timeoutMs }) => {
      assertKey(key);
      const { clock } = js.wire;
      const untilMs = clock.monotonicMs() + timeoutMs;
      const found = await read(key, timeoutMs);
      if (found !== undefined) return found.sequence > revision && DELETED.test(found.headers);
      // One answer about both: what a server that lags does not know yet is not gone.
      const { lastSequence, present } = await subjectState(js, stream, root + key, untilMs - clock.monotonicMs());
      return lastSequence >= revision && !present;
    },
    keys: async (prefix, { timeoutMs }) => {
      assertKeyPrefix(prefix);
      const whole = prefix.slice(0, prefix.lastIndexOf('.') + 1);
      const found = [...(await subjectCounts(js, stream, `${root}${whole}>`, timeoutMs)).keys()].map((subject) =>
        subject.slice(root.length),
      );
      return found.filter((key) => key.startsWith(prefix));
    },
    watch: (prefix, listener) => {
      assertKeyPrefix(prefix);
      let first = true;
      let live = false;
      const whole = prefix.slice(0, prefix.lastIndexOf('.') + 1);
      return orderedConsumer(js, {
        stream,
        filter: `${root}${whole}>`,
        start: () => ({ deliver_policy: 'last_per_subject' }),
        onStart: () => {
          live = false;
          if (!first) listener({ kind: 'reset' });
          first = false;
        },
        onCaughtUp: () => {
          if (live) return;
          live = true;
          listener({ kind: 'live' });
        },
        onDelivery: ({ subject, sequence, message }) => {
          if (!subject.startsWith(prefix, root.length)) return;
          // Whoever watches keeps the key, and a slice would keep the whole subject with it.
          const key = Buffer.from(subject.slice(root.length)).toString();
          const operation = message.headers?.get('KV-Operation') ?? '';
          const deleted = operation === 'DEL' || operation === 'PURGE' || message.headers?.has('Nats-Marker-Reason') === true;
          listener({ kind: deleted ? 'delete' : 'put', key, value: message.data.slice(), revision: sequence });
        },
      });
    },
  };
}
