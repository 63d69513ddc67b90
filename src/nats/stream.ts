import { assertPublishable, assertRecordId, assertSubscribable } from '../ports/safe-name.ts';
import type { Stream } from '../ports/stores.ts';
import type { Subject } from '../ports/transport.ts';
import { errors, type JetStream, writtenFrom } from './jet-stream.ts';
import { orderedConsumer } from './ordered-consumer.ts';
import { recordHeaders } from './record-headers.ts';
import { readRecord, type StoredRecord } from './records.ts';
import { streamName } from './store-config.ts';
import { subjectCounts } from './subject-counts.ts';

const found = (record: StoredRecord | undefined) =>
  record === undefined ? undefined : { record: record.value, sequence: record.sequence };
/** The {@link Stream} over JetStream. */
export function natsStream(js: JetStream, name: string): Stream {
  const stream = streamName('stream', name);
  return {
    append: async (subject, record, { expectedSequence, recordId, timeoutMs }) => {
      assertPublishable(subject);
      assertRecordId(recordId);
      const headers = recordHeaders([
        ['Nats-Msg-Id', recordId],
        ...(expectedSequence === undefined ? [] : [['Nats-Expected-Last-Subject-Sequence', String(expectedSequence)] as const]),
      ]);
      return writtenFrom(await js.publish(subject, record, headers, timeoutMs), expectedSequence, { store: name, subject });
    },
    last: async (subject, { timeoutMs }) => {
      assertPublishable(subject);
      return found(await readRecord(js, stream, { last_by_subj: subject }, timeoutMs));
    },
    next: async (subject, { fromSequence, timeoutMs }) => {
      assertSubscribable(subject);
      return found(await readRecord(js, stream, { next_by_subj: subject, seq: Math.max(1, fromSequence) }, timeoutMs));
    },
    read: (subject, { afterSequence, signal }) => {
      assertSubscribable(subject);
      return follow(js, stream, subject, afterSequence, signal);
    },
    purge: async (subject, { belowSequence, timeoutMs }) => {
      assertSubscribable(subject);
      // The server takes 0 for "everything".
      if (belowSequence <= 0) return 'yes';
      const answer = await js.api(`STREAM.PURGE.${stream}`, { filter: subject, seq: belowSequence }, timeoutMs);
      return answer.ok ? 'yes' : 'unknown';
    },
    remove: async (sequence, { timeoutMs }) => {
      const answer = await js.api(`STREAM.MSG.DELETE.${stream}`, { seq: sequence, no_erase: true }, timeoutMs);
      return answer.ok || answer.error?.errCode === errors.sequenceNotFound ? 'yes' : 'unknown';
    },
    subjects: async (filter, { timeoutMs }) => {
      assertSubscribable(filter);
      return subjectCounts(js, stream, filter, timeoutMs);
    },
  };
}

type Item = { readonly record: Uint8Array; readonly sequence: number; readonly subject: Subject } | (() => void);

/** The reader's pace is the server's: its flow-control question is answered only when what came before was taken. */
async function* follow(js: JetStream, stream: string, subject: Subject, afterSequence: number, signal: AbortSignal) {
  let queue: Item[] = [];
  let wake = (): void => undefined;
  let heard = afterSequence;
  let closed = false;
  const cancel = orderedConsumer(js, {
    stream,
    filter: subject,
    start: () => ({ deliver_policy: 'by_start_sequence', opt_start_seq: heard + 1 }),
    onDelivery: ({ subject, sequence, message }) => {
      if (sequence <= heard) return;
      heard = sequence;
      queue.push({ record: message.data.slice(), sequence, subject: subject as Subject });
      wake();
    },
    onFlow: (answer) => {
      queue.push(answer);
      wake();
    },
  });
  const stop = (): void => wake();
  const forget = js.wire.onClose(() => {
    closed = true;
    wake();
  });
  signal.addEventListener('abort', stop);
  try {
    while (!signal.aborted && !closed) {
      const batch = queue;
      queue = [];
      for (const item of batch) {
        if (signal.aborted) return;
        if (typeof item === 'function') item();
        else yield item;
      }
      if (queue.length > 0 || signal.aborted || closed) continue;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  } finally {
    cancel();
    forget();
    signal.removeEventListener('abort', stop);
  }
}
