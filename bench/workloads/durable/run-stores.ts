import { randomBytes } from 'node:crypto';
import { dialNats } from '../../contenders/nats.ts';
import { type StoreName, subjects } from './journals.ts';

const LATE_MS = 60_000;
const TRY_MS = 1_000;
const LOOK_MS = 200;

/** The stores of one run, through the library that a user of the servers has: a cluster's of its own, so that runs share nothing. */
export type RunStores = Awaited<ReturnType<typeof runStores>>;
export async function runStores(url: string) {
  const names = subjects(`bench-${randomBytes(6).toString('hex')}`);
  const connection = await dialNats(url);
  const js = connection.jetstream({ timeout: LATE_MS });
  const jsm = await connection.jetstreamManager({ timeout: LATE_MS });
  const reading = await connection.jetstreamManager({ timeout: TRY_MS });
  const streamOf = (store: StoreName): string => (store === 'JOURNAL' ? names.store(store) : `KV_${names.store(store)}`);
  /** A stream that is just choosing its leader answers nobody. */
  const infoOf = async (store: StoreName, options?: { readonly subjects_filter: string }) => {
    const untilMs = performance.now() + LATE_MS;
    for (;;)
      try {
        return await reading.streams.info(streamOf(store), options);
      } catch (error) {
        if (performance.now() > untilMs) throw error;
      }
  };
  return {
    url,
    names,
    connection,
    js,
    bucket: (store: StoreName) => js.views.kv(names.store(store), { bindOnly: true, timeout: LATE_MS }),
    /** Which server leads a stream is chance, and another one than that which is dialled is one hop more: it is the same for everybody. */
    async lead(...stores: readonly StoreName[]): Promise<void> {
      const preferred = connection.info?.server_name;
      const asked = JSON.stringify({ placement: { preferred } });
      for (const store of stores) {
        const untilMs = performance.now() + LATE_MS;
        for (;;) {
          const leader = (await infoOf(store)).cluster?.leader;
          if (leader === preferred) break;
          if (performance.now() > untilMs) throw new Error(`${preferred} does not come to lead ${store}`);
          if (leader) connection.publish(`$JS.API.STREAM.LEADER.STEPDOWN.${streamOf(store)}`, asked);
          await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
        }
      }
    },
    /** How many writes a store has taken: each that it took has a number, and no other has. */
    taken: async (store: StoreName): Promise<number> => (await infoOf(store)).state.last_seq,
    /** How many keys below a prefix a bucket holds. */
    async keys(store: StoreName, prefix: string): Promise<number> {
      const info = await infoOf(store, { subjects_filter: `$KV.${names.store(store)}.${prefix}.>` });
      return Object.keys(info.state.subjects ?? {}).length;
    },
    /** Nothing is left that the servers would replicate through the runs to come. */
    async remove(): Promise<void> {
      const all = await jsm.streams.names().next();
      await Promise.all(all.filter((name) => name.includes(`nexa_${names.cluster}_`)).map((name) => jsm.streams.delete(name)));
    },
  };
}
