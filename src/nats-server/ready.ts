import { NexaError, toNexaError } from '../errors.ts';
import { readMonitor } from './monitor.ts';
import { type Probe, probe } from './probe.ts';

export interface ReadyTarget {
  readonly host: string;
  readonly port: number;
  readonly monitorPort: number;
}

const STREAM = 'nexa_ready';
const SUBJECT = 'nexa_ready.write';
const CALL_MS = 2_000;
const RETRY_MS = 25;

/**
 * Resolves when state can really be kept: every server's /healthz is ok, its JetStream API answers, and a write with as many replicas
 * as there are servers is acknowledged. Health alone says ok seconds too early after servers lost sight of each other.
 * Streams that were there before may take some seconds longer to elect their leaders: calls to them are retried as ever.
 * `check` is asked between tries and ends the wait by throwing (a server that died need not be waited for).
 * @throws NexaError `unavailable` with the last obstacle after `timeoutMs`.
 */
export async function whenReady(
  targets: readonly ReadyTarget[],
  options: { readonly replicas: number; readonly timeoutMs: number; readonly check?: () => void },
): Promise<void> {
  const deadline = performance.now() + options.timeoutMs;
  const retry = async <T>(what: string, attempt: () => Promise<T>): Promise<T> => {
    for (;;) {
      options.check?.();
      try {
        return await attempt();
      } catch (error) {
        if (performance.now() + RETRY_MS > deadline) {
          throw new NexaError(
            'unavailable',
            `the servers were not ready after ${options.timeoutMs} ms: ${what}: ${toNexaError(error).message}`,
            { cause: error },
          );
        }
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
  };
  await Promise.all(
    targets.map((target) =>
      retry(`health of ${target.host}:${target.port}`, async () => {
        await readMonitor('/healthz', { port: target.monitorPort }, CALL_MS);
        using connection = await probe(target, CALL_MS);
        await api(connection, 'INFO', '');
      }),
    ),
  );
  const [first] = targets;
  if (first !== undefined) await retry('a replicated write', () => replicatedWrite(first, options.replicas));
}

async function replicatedWrite(target: ReadyTarget, replicas: number): Promise<void> {
  using connection = await probe(target, CALL_MS);
  const stream = { name: STREAM, subjects: [SUBJECT], storage: 'memory', num_replicas: replicas, max_msgs: 1 };
  try {
    await api(connection, `STREAM.CREATE.${STREAM}`, JSON.stringify(stream));
    parsed(await connection.request(SUBJECT, '', CALL_MS));
  } finally {
    await api(connection, `STREAM.DELETE.${STREAM}`, '').catch(() => {});
  }
}

async function api(connection: Probe, name: string, payload: string): Promise<void> {
  parsed(await connection.request(`$JS.API.${name}`, payload, CALL_MS));
}

function parsed(answer: string): void {
  const { error } = JSON.parse(answer) as { error?: { err_code?: number; description?: string } };
  if (error !== undefined) throw new Error(`${error.err_code ?? ''} ${error.description ?? ''}`.trim());
}
