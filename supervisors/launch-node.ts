import { createCodec } from '../src/cluster/codec.ts';
import { form } from '../src/cluster/formation.ts';
import { subjects as subjectsOf } from '../src/cluster/subject.ts';
import { connectNats } from '../src/nats/connection.ts';
import type { Logger } from '../src/ports/logger.ts';
import { systemClock } from '../src/system-clock.ts';
import { systemRandom } from '../src/system-random.ts';
import { type Launcher, launch } from './launcher.ts';
import type { WorkerSpec } from './worker-spec.ts';

/**
 * One node under a launcher of its own, with the launcher's own connection.
 * @throws NexaError `disconnected`, `store-misconfigured`.
 */
export async function launchNode(
  options: Pick<WorkerSpec, 'cluster' | 'nats' | 'labels' | 'capacity' | 'agents' | 'replicas' | 'logLevel' | 'processes' | 'services'> & {
    readonly name: string;
    readonly command: readonly string[];
    readonly log: Logger;
  },
): Promise<{ readonly launcher: Launcher; readonly close: () => Promise<number> }> {
  const { name, cluster, nats, command, log, replicas, ...worker } = options;
  const link = await connectNats({
    servers: nats,
    name: `nexa launcher ${name}`,
    role: 'control',
    clock: systemClock,
    random: systemRandom,
    log,
  });
  try {
    const stores = link.stores();
    const formation = await form({
      stores,
      subjects: subjectsOf(cluster),
      codec: createCodec(),
      clock: systemClock,
      replicas,
      timeoutMs: 30_000,
      storeMs: 2_000,
    });
    const launcher = launch({
      workers: [{ ...worker, node: name, cluster, nats, replicas: formation.replicas }],
      command,
      stores,
      transport: link.transport(),
      clock: systemClock,
      random: systemRandom,
      log,
    });
    return {
      launcher,
      close: async () => {
        const code = await launcher.done;
        await link.close();
        return code;
      },
    };
  } catch (error) {
    await link.close();
    throw error;
  }
}
