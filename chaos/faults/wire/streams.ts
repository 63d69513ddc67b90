import { anySubject, clientInbox, STORES, type StoreName } from '../../../src/cluster/subject.ts';
import { NexaError } from '../../../src/errors.ts';
import { inTime } from '../../../src/ports/in-time.ts';
import type { Inbound } from '../../../src/ports/transport.ts';
import type { WireScene } from './scene.ts';

/** As an operator's hand would: replicas taken away, no room for more, the oldest dropped instead of the newest refused, everything in it gone. */
export type StreamChange = 'one-replica' | 'no-room' | 'drop-oldest' | 'purged';
/** The others lose by hand what was acknowledged: there is nothing to be judged then. */
export const LOSING_NOTHING = ['one-replica', 'no-room'] as const satisfies readonly StreamChange[];

const CALL_MS = 5_000;
const STREAM_OF = { kv: 'KV_', stream: '', objects: 'OBJ_' } as const;

/** F28: a stream of the cluster's records is deleted. @throws as {@link changeStream}. */
export const deleteStream = async (scene: WireScene, store: string): Promise<void> =>
  void (await call(scene, `STREAM.DELETE.${streamOf(scene, store)}`));

/**
 * F28: a stream of the cluster's records is changed through the server's interface. What undoes it.
 * @param store one of ours, by its name in the table of stores: `AGENTS`, `STATE`, …
 * @throws NexaError `invalid-message` for any other name, `unavailable` when the servers refuse or do not answer, also where there are none.
 */
export async function changeStream(scene: WireScene, store: string, change: StreamChange): Promise<() => Promise<void>> {
  const name = streamOf(scene, store);
  if (change === 'purged') {
    await call(scene, `STREAM.PURGE.${name}`);
    return async () => undefined;
  }
  const { config, state } = (await call(scene, `STREAM.INFO.${name}`)) as {
    readonly config: Readonly<Record<string, unknown>>;
    readonly state: { readonly bytes: number };
  };
  const changed = {
    'one-replica': { num_replicas: 1 },
    'no-room': { max_bytes: Math.max(1, state.bytes), discard: 'new' },
    'drop-oldest': { max_bytes: Math.max(1, state.bytes), discard: 'old' },
  } as const;
  await call(scene, `STREAM.UPDATE.${name}`, { ...config, ...changed[change] });
  return async () => void (await call(scene, `STREAM.UPDATE.${name}`, config));
}

function streamOf({ subjects }: WireScene, store: string): string {
  if (!Object.hasOwn(STORES, store))
    throw new NexaError('invalid-message', 'a cluster keeps no store of that name', {
      where: { stream: store.slice(0, 64) },
      fix: `Name one of ${Object.keys(STORES).join(', ')}.`,
    });
  return `${STREAM_OF[STORES[store as StoreName]]}${subjects.store(store as StoreName)}`;
}

/** One call of the servers' interface for streams. */
async function call({ link, random, clock }: WireScene, path: string, body?: object): Promise<object> {
  const { transport } = link;
  const inbox = clientInbox(random.id());
  let heard: (answer: Inbound) => void = () => undefined;
  const promise = new Promise<Inbound>((resolve) => {
    heard = resolve;
  });
  const end = transport.subscribe(inbox.all, (answer) => heard(answer));
  const refused = (message: string) => new NexaError('unavailable', `${path}: ${message}`, { where: { call: path } });
  try {
    transport.publish(anySubject(`$JS.API.${path}`), Buffer.from(body === undefined ? '' : JSON.stringify(body)), {
      reply: inbox.reply('1'),
    });
    const answer = await inTime(clock, CALL_MS, promise, () => refused(`no answer within ${CALL_MS} ms`));
    if (answer.noResponders) throw refused('there is no JetStream here');
    const said = JSON.parse(Buffer.from(answer.payload).toString('utf8')) as { readonly error?: { readonly description?: string } };
    if (said.error !== undefined) throw refused(String(said.error.description).slice(0, 200));
    return said;
  } finally {
    end();
  }
}
