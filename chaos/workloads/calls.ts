import type { Client, RawSpawn } from '../../src/client.ts';
import { type NexaError, toNexaError } from '../../src/errors.ts';
import type { WorkScene } from './work.ts';

const AGAIN_MS = 250;
const TRIES = 60;

/** How a workload talks to the cluster: by the client of the key, and by the next one when that gets no answer. */
export interface Calls {
  /** @throws NexaError whatever `run` rejects with. */
  by<T>(key: number, run: (client: Client) => Promise<T>): Promise<T>;
  /** Repeats what is harmless to repeat, 60 times at most; undefined: it never came to anything. */
  patiently<T>(key: number, run: (client: Client) => Promise<T>): Promise<T | undefined>;
  /**
   * As {@link patiently}, under one spawn id.
   * @throws NexaError what is not worth repeating, or the last one.
   */
  spawn(key: number, wanted: Omit<RawSpawn, 'spawnId' | 'timeoutMs'> & { readonly id: string }): Promise<{ readonly node: string | null }>;
  wait(ms: number): Promise<void>;
}

/** Nobody who could have said so has said that it was refused: another server, or another node, may know more. */
const unanswered = ({ code, definite }: NexaError): boolean => !definite || code === 'disconnected' || code === 'unavailable';

export function callsOf(scene: WorkScene): Calls {
  const { clock, timeoutMs } = scene;
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
  const trying = async <T>(key: number, run: (client: Client) => Promise<T>): Promise<T | NexaError> => {
    for (let tries = 1; ; tries++) {
      try {
        return await by(key, run);
      } catch (thrown) {
        const error = toNexaError(thrown);
        if (tries === TRIES || (error.definite && !error.retryable)) return error;
        await wait(AGAIN_MS);
      }
    }
  };
  return {
    by,
    wait,
    patiently: async (key, run) => {
      const came = await trying(key, run);
      return isError(came) ? undefined : came;
    },
    spawn: async (key, wanted) => {
      const came = await trying(key, (client) => client.spawnRaw({ ...wanted, spawnId: `${wanted.agent}-${wanted.id}`, timeoutMs }));
      if (isError(came)) throw came;
      return came;
    },
  };
}

const isError = <T>(came: T | NexaError): came is NexaError => came instanceof Error;
