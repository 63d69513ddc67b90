import type { NatsConnection } from 'nats';
import { dialNats } from '../nats.ts';
import { numberIn, question } from './bytes.ts';
import type { Echo } from './echo.ts';

const TO_FAR = 'bench.batched';
const TO_NEAR = 'bench.batched.answers';
const HEAD_BYTES = 4;
const BATCH_BYTES = 65_536;

/** What is sent within one turn of the loop goes as one publish, each part with its length before it. */
function batches(nats: NatsConnection, subject: string): (bytes: Uint8Array) => void {
  let batch: Uint8Array[] = [];
  let size = 0;
  const flush = (): void => {
    const all = Buffer.allocUnsafe(size);
    let at = 0;
    for (const bytes of batch) {
      at = all.writeUInt32LE(bytes.length, at);
      all.set(bytes, at);
      at += bytes.length;
    }
    batch = [];
    size = 0;
    if (all.length > 0) nats.publish(subject, all);
  };
  return (bytes) => {
    if (size > BATCH_BYTES) flush();
    if (batch.push(bytes) === 1) queueMicrotask(flush);
    size += HEAD_BYTES + bytes.length;
  };
}
function onParts(nats: NatsConnection, subject: string, take: (bytes: Uint8Array) => void): void {
  nats.subscribe(subject, {
    callback: (_error, { data }) => {
      const view = new DataView(data.buffer, data.byteOffset);
      for (let at = 0; at < data.length; ) {
        const from = at + HEAD_BYTES;
        const length = view.getUint32(at, true);
        at = from + length;
        take(data.subarray(from, at));
      }
    },
  });
}

/** As bound.ts, but in batches: what is left to gain where many are in flight. The id is the number in the question. */
export const batchedBound: Echo = {
  async far(url) {
    const nats = await dialNats(url);
    const answer = batches(nats, TO_NEAR);
    let handled = 0;
    onParts(nats, TO_FAR, (bytes) => {
      handled++;
      answer(bytes);
    });
    await nats.flush();
    return { handled: () => handled, stop: () => nats.close() };
  },
  async near(url) {
    const nats = await dialNats(url);
    const waiting = new Map<number, (n: number) => void>();
    const send = batches(nats, TO_FAR);
    onParts(nats, TO_NEAR, (answer) => {
      const n = numberIn(answer);
      waiting.get(n)?.(n);
      waiting.delete(n);
    });
    await nats.flush();
    return {
      ask: (n) =>
        new Promise((resolve) => {
          waiting.set(n, resolve);
          send(question(n));
        }),
      stop: () => nats.close(),
    };
  },
};
