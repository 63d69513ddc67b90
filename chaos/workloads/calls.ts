import type { Client, RawSpawn } from '../../src/client.ts';
import { type NexaError, toNexaError } from '../../src/errors.ts';
import type { WorkScene } from './work.ts';

const AGAIN_MS = 250;

/** How a workload talks to the cluster: by the client of the key, and by the next one when that gets no answer. */
export interface Calls {
  /** @throws NexaError whatever `run` rejects with. */
  by<T>(key: number, run: (client: Client) => Promise<T>): Promise<T>;
  /**
   * Repeats what is harmless to repeat until it comes to something or enough was asked for.
   * @throws NexaError what is not worth repeating, or the last one.
   */
  prepare<T>(key: number, run: (client: Client) => Promise<T>): Promise<T>;
  /** As {@link prepare}, under one spawn id. @throws as that. */
  spawn(key: number, wanted: Omit<RawSpawn, 'spawnId' | 'timeoutMs'> & { readonly id: string }): Promise<{ readonly node: string | null }>;
  /** Repeats it until then; undefined: it never came to anything. */
  patiently<T>(key: number, untilMs: number, run: (client: Client) => Promise<T>): Promise<T | undefined>;
  wait(ms: number): Promise<void>;
  nowMs(): number;
}

/** Nobody who could have said so has said that it was refused: another server, or another node, may know more. */
const unanswered = ({ code, definite }: NexaError): boolean => !definite || code === 'disconnected' || code === 'unavailable';

export function callsOf(scene: WorkScene): Calls {
  const { clock, timeoutMs, signal } = scene;
  const wait = (ms: number): Promise<void> => new Promise((resolve) => void clock.after(ms, resolve));
  const by = async <T>(key: number, run: (client: Client) => Promise<T>): Promise<T> => {
    const client = scene.client(key);
    try {
      return await run(client);
    } catch (thrown) {
      const error = toNexaError(thrown);
      // Of several calls that got no answer from one client, the first moves on.
      if (unanswered(error) && scene.client(key) === client) scene.moveOn(key);
      throw error;
    }
  };
  const trying = async <T>(key: number, enough: () => boolean, run: (client: Client) => Promise<T>): Promise<T> => {
    for (;;) {
      try {
        return await by(key, run);
      } catch (thrown) {
        const error = toNexaError(thrown);
        if ((error.definite && !error.retryable) || enough()) throw error;
        await wait(AGAIN_MS);
      }
    }
  };
  const prepare: Calls['prepare'] = (key, run) => trying(key, () => signal.aborted, run);
  return {
    by,
    wait,
    prepare,
    nowMs: () => clock.monotonicMs(),
    patiently: (key, untilMs, run) => trying(key, () => clock.monotonicMs() >= untilMs, run).catch(() => undefined),
    spawn: (key, wanted) => prepare(key, (client) => client.spawnRaw({ ...wanted, spawnId: `${wanted.agent}-${wanted.id}`, timeoutMs })),
  };
}
