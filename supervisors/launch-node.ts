import { createCodec } from '../src/cluster/codec.ts';
import { form } from '../src/cluster/formation.ts';
import { subjects as subjectsOf } from '../src/cluster/subject.ts';
import { connectNats } from '../src/nats/connection.ts';
import type { Logger } from '../src/ports/logger.ts';
import { systemClock } from '../src/system-clock.ts';
import { systemRandom } from '../src/system-random.ts';
import type { NodeSettings } from './config-schema.ts';
import { type Launcher, type LauncherEvent, launch } from './launcher.ts';
import type { StartNews } from './start-news.ts';
import type { WorkerSpec } from './worker-spec.ts';

/** `web`, `web-2`, `web-3`: the members that one launcher starts under one name. */
export const workerNames = (name: string, workers: number): readonly string[] =>
  Array.from({ length: workers }, (_, index) => (index === 0 ? name : `${name}-${index + 1}`));

/**
 * One node or several, each a member and a process, under a launcher of their own with the launcher's own connection.
 * @throws NexaError `disconnected`, `store-misconfigured`.
 */
export async function launchNode(
  options: Pick<
    WorkerSpec,
    'cluster' | 'nats' | 'labels' | 'capacity' | 'agents' | 'replicas' | 'logLevel' | 'boot' | keyof NodeSettings
  > & {
    readonly names: readonly string[];
    readonly command: readonly string[];
    readonly log: Logger;
    /** What is being done and looked at. */
    readonly onNews?: (news: StartNews) => void;
    /** What becomes of the processes, also long after the start. */
    readonly onEvent?: (event: LauncherEvent) => void;
  },
): Promise<{ readonly launcher: Launcher; readonly close: () => Promise<number> }> {
  const { names, cluster, nats, command, log, replicas, onNews = () => {}, onEvent, ...worker } = options;
  const link = await connectNats({
    servers: nats,
    name: `nexa launcher ${names[0]}`,
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
      workers: names.map((node) => ({ ...worker, node, cluster, nats, replicas: formation.replicas })),
      command,
      stores,
      transport: link.transport(),
      clock: systemClock,
      random: systemRandom,
      log,
      onEvent(event) {
        if (event.event === 'started') onNews({ news: 'begun', step: `node ${event.node}`, message: 'starting' });
        if (event.event === 'check') onNews({ news: 'check', node: event.node, result: event.result });
        if (event.event === 'ready')
          onNews({
            news: 'done',
            step: `node ${event.node}`,
            message: `node ${event.node} is up in cluster ${cluster} (pid ${event.pid})`,
          });
        onEvent?.(event);
      },
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
