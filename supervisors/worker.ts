import { loadAgents } from '../src/agent/load.ts';
import { NexaError, toNexaError } from '../src/errors.ts';
import { jsonLog } from '../src/log.ts';
import { nodeSettings } from './config-schema.ts';
import { EXIT_OVER } from './launcher.ts';
import { startNodeWith } from './node.ts';
import type { NexaNode } from './node-contract.ts';
import type { LauncherOrder, WorkerNews, WorkerSpec } from './worker-spec.ts';

/** What a node without its launcher may take for leaving. */
const ORPHAN_MS = 10_000;

/**
 * The process of one node, as its launcher started it. Ends with 0 after a graceful leave, 75 when this incarnation is over, 1
 * otherwise. When the channel to the launcher closes, the launcher is dead: the node leaves by itself.
 * @param nexa the package itself, for users' agent modules that import it by name.
 */
export async function runWorker(spec: WorkerSpec, nexa: object): Promise<never> {
  const log = jsonLog({ level: spec.logLevel, fields: { node: spec.node, ...(spec.boot === undefined ? {} : { boot: spec.boot }) } });
  const tell = (news: WorkerNews): void => {
    if (process.connected === true) process.send?.(news);
  };
  const exit = (code: number): never => process.exit(code);
  process.on('uncaughtException', (error) => {
    log.error({ error: error.stack ?? String(error) }, 'an exception that nobody caught: the node ends');
    exit(1);
  });
  process.on('unhandledRejection', (reason) => {
    log.error({ error: reason instanceof Error ? reason.stack : String(reason) }, 'a rejection that nobody handled: the node ends');
    exit(1);
  });
  let node: NexaNode | undefined;
  // An order, a signal and a lost launcher all ask for the same leave: a service manager sends its signal to the launcher and to us.
  const leave = (): void => {
    if (node === undefined) exit(0);
    void node?.stop();
  };
  let signals = 0;
  const signalled = (): void => {
    signals++;
    if (signals > 1) exit(1);
    leave();
  };
  process.on('message', (message) => {
    if ((message as LauncherOrder).order === 'stop') leave();
  });
  process.on('disconnect', () => {
    // Nobody is left to end a leave that hangs, and the servers may have gone with the launcher.
    setTimeout(() => exit(1), ORPHAN_MS).unref();
    leave();
  });
  process.on('SIGTERM', signalled);
  process.on('SIGINT', signalled);
  try {
    const agents = spec.agents === undefined ? [] : await loadAgents(spec.agents, { nexa });
    node = await startNodeWith(
      {
        cluster: spec.cluster,
        name: spec.node,
        nats: spec.nats,
        agents,
        labels: spec.labels,
        capacity: spec.capacity,
        log,
        ...nodeSettings(spec),
        ...(spec.replicas === undefined ? {} : { replicas: spec.replicas }),
      },
      {
        joined: spec,
        onCheck: (result) => tell({ news: 'check', result }),
        ...(spec.boot === undefined ? {} : { boot: spec.boot }),
        ...(spec.durability === undefined ? {} : { durability: spec.durability }),
        ...(spec.ttlMs === undefined ? {} : { times: { ttlMs: spec.ttlMs } }),
      },
    );
  } catch (thrown) {
    const error = toNexaError(thrown, 'internal');
    // Whoever started it says why, once.
    if (process.connected === true)
      await new Promise((told) => process.send?.({ news: 'failed', error: error.toJSON() } satisfies WorkerNews, told));
    else log.error({ ...error.toJSON() }, 'the node could not start');
    return exit(error.code === 'fenced' ? EXIT_OVER : 1);
  }
  tell({ news: 'ready' });
  try {
    await node.done;
    return exit(0);
  } catch (thrown) {
    return exit(thrown instanceof NexaError && thrown.code === 'fenced' ? EXIT_OVER : 1);
  }
}
