import { resolve } from 'node:path';
import { jsonLog } from '../../src/log.ts';
import { nodeSettings } from '../../supervisors/config-schema.ts';
import { startDevCluster } from '../../supervisors/dev-cluster.ts';
import { bootId } from '../../supervisors/self-test.ts';
import type { Command } from '../command.ts';
import { countOf, logLevelOf, text } from '../options.ts';
import { untilSignal } from '../signals.ts';
import { workerCommand } from '../worker-command.ts';

const DEFAULT_PORT = 4222;

export const command: Command = {
  summary: 'Starts a cluster on this machine: nats-server, nodes, everything. Ctrl-C stops it.',
  options: [
    { flags: '--nodes <count>', about: 'how many nodes (default 3)' },
    { flags: '--servers <count>', about: 'one nats-server, or three that replicate (default 1)' },
    { flags: '--nats-port <port>', about: `where clients connect (default ${DEFAULT_PORT})` },
    { flags: '--data <folder>', about: 'where the servers keep their data (default .nexa)' },
    { flags: '--agents <folder>', about: 'your own agent types: TypeScript or JavaScript modules' },
    { flags: '--fsync', about: 'acknowledge writes only when they are on the disk' },
    { flags: '--memory', about: 'one process, no NATS: to try things out' },
  ],
  examples: ['nexa up', 'nexa up --agents ./agents', 'nexa up --servers 3 --nodes 5', 'nexa up --nats-port 4333 --cluster demo'],
  async run({ options, environment, config, server, progress, splash }) {
    const startedAtMs = performance.now();
    const logLevel = logLevelOf(environment, config);
    const boot = bootId();
    const log = jsonLog({ level: logLevel, fields: { boot } });
    const agents = text(options.agents) ?? config.agents;
    const signals = untilSignal();
    const seconds = (): string => ((performance.now() - startedAtMs) / 1_000).toFixed(1);
    if (options.memory === true) {
      const { startMemoryNode } = await import('../../supervisors/memory-node.ts');
      const nexa = await import('../../index.ts');
      const node = await startMemoryNode({
        cluster: server.cluster,
        log,
        nexa,
        ...(agents === undefined ? {} : { agents: resolve(agents) }),
      });
      progress(`ready after ${seconds()} s: node ${node.name} in this process, without NATS; nothing outlives it. Ctrl-C stops it.`);
      await signals.first;
      signals.onSecond(() => process.exit(1));
      await node.stop();
      return undefined;
    }
    const port = countOf(options.natsPort, '--nats-port', { least: 1, most: 65_533, fallback: config.nats?.port ?? DEFAULT_PORT });
    const nodes = countOf(options.nodes, '--nodes', { least: 1, most: 32, fallback: config.workers ?? 3 });
    const shown = splash({ boot, each: false });
    shown.say({ event: 'start', cluster: server.cluster, nodes });
    const cluster = await startDevCluster({
      servers: countOf(options.servers, '--servers', { least: 1, most: 3, fallback: config.nats?.servers ?? 1, oneOf: [1, 3] }) as 1 | 3,
      nodes: Array.from({ length: nodes }, (_, index) => `n${index + 1}`),
      natsPort: port,
      folder: resolve(text(options.data) ?? config.nats?.data ?? '.nexa'),
      cluster: server.cluster,
      fsync: options.fsync === true || config.nats?.fsync === true,
      logLevel,
      command: workerCommand(),
      log,
      boot,
      onProgress: shown.note,
      onNews: shown.news,
      signal: signals.aborted,
      ...(agents === undefined ? {} : { agents: resolve(agents) }),
      ...(config.labels === undefined ? {} : { labels: config.labels }),
      ...(config.capacity === undefined ? {} : { capacity: config.capacity }),
      settings: nodeSettings(config),
    }).finally(shown.end);
    shown.say({
      event: 'ready',
      readyMs: Math.round(performance.now() - startedAtMs),
      urls: cluster.urls,
      nodes: Object.fromEntries(cluster.launcher.pids()),
    });
    signals.onSecond(() => void cluster.stopNow().then(() => process.exit(1)));
    progress(`ready after ${seconds()} s: ${nodes} nodes of cluster ${server.cluster} on ${cluster.urls.join(' ')}`);
    const named = port === DEFAULT_PORT ? '' : ` --nats ${cluster.urls[0]}`;
    progress(`in another terminal:  nexa spawn counter alice${named}   and   nexa ask counter/alice '{"type":"add","by":1}'${named}`);
    await Promise.race([signals.first, cluster.done]);
    progress('stopping: the nodes give their agents back');
    const code = await cluster.stop();
    progress('stopped');
    if (code !== 0) process.exitCode = code;
    return undefined;
  },
};
