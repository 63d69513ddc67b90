import { dialNats } from '../nats.ts';
import { TEXT, type Told } from './told.ts';

/** As many as a channel of ours lets through before a sender has to wait. */
const WINDOW = 4_096;
const N_BYTES = 4;
const template = Buffer.from(JSON.stringify({ type: 'hit', n: 12_345, dueMs: 1_234_567.123, text: TEXT }));

/** A publish for each message and a callback for each subject, with bytes: it encodes two numbers, and reads them. */
export const natsPublish: Told = {
  async far(url, receivers, take) {
    const nats = await dialNats(url);
    for (let index = 0; index < receivers; index++)
      nats.subscribe(`bench.told.${index}`, {
        callback: (_error, { data }) => {
          const view = new DataView(data.buffer, data.byteOffset);
          take(index, view.getUint32(0, true), view.getFloat64(N_BYTES, true));
        },
      });
    await nats.flush();
    return { stop: () => nats.close() };
  },
  async near(url) {
    const nats = await dialNats(url);
    let unflushed = 0;
    let flushing: Promise<void> | undefined;
    const flush = async (): Promise<void> => {
      await nats.flush();
      unflushed = 0;
      flushing = undefined;
    };
    return {
      send: (sender, drive) =>
        drive({
          tell(n, dueMs) {
            const bytes = Buffer.from(template);
            bytes.writeDoubleLE(dueMs, bytes.writeUInt32LE(n));
            nats.publish(`bench.told.${sender}`, bytes);
            return ++unflushed < WINDOW;
          },
          ready() {
            flushing ??= flush();
            return flushing;
          },
        }),
      stop: () => nats.close(),
    };
  },
};
