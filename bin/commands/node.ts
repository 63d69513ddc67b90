import { hostname } from 'node:os';
import { resolve } from 'node:path';
import { jsonLog } from '../../src/log.ts';
import { serverList } from '../../supervisors/config.ts';
import { nodeSettings } from '../../supervisors/config-schema.ts';
import { launchNode, workerNames } from '../../supervisors/launch-node.ts';
import type { LauncherEvent } from '../../supervisors/launcher.ts';
import { bootId } from '../../supervisors/self-test.ts';
import type { Command } from '../command.ts';
import { countOf, labelsOf, logLevelOf, text } from '../options.ts';
import { untilSignal } from '../signals.ts';
import { workerCommand } from '../worker-command.ts';

export const command: Command = {
  summary: 'Starts a node, or several, that join the cluster; Ctrl-C or SIGTERM makes them leave gracefully.',
  options: [
    { flags: '--name <name>', about: 'its name in the cluster (default: this host and the process)' },
    { flags: '--labels <labels>', about: 'what agents may ask for, such as zone=eu,disk=ssd' },
    { flags: '--capacity <share>', about: 'its share of the agents, relative to others (default 1)' },
    { flags: '--agents <folder>', about: 'your own agent types: TypeScript or JavaScript modules' },
    { flags: '--replicas <count>', about: 'servers that keep each record, when it forms a new cluster (default 1)' },
    { flags: '--workers <count>', about: 'how many nodes, a process each: name, name-2 … (default 1)' },
  ],
  examples: [
    'nexa node --name n4',
    'nexa node --name web --workers 4',
    'nexa node --nats nats://10.0.0.5:4222 --labels zone=eu --agents ./agents',
  ],
  async run({ options, environment, config, server, splash }) {
    const signals = untilSignal();
    const agents = text(options.agents) ?? config.agents;
    const replicas = text(options.replicas) ?? config.replicas?.toString();
    const logLevel = logLevelOf(environment, config);
    const name =
      text(options.name) ??
      config.name ??
      `${hostname()
        .replaceAll(/[^A-Za-z0-9_-]/g, '-')
        .slice(0, 40)}-${process.pid}`;
    const names = workerNames(name, countOf(options.workers, '--workers', { least: 1, most: 32, fallback: config.workers ?? 1 }));
    const boot = bootId();
    const shown = splash({ boot, each: names.length === 1 });
    shown.say({ event: 'start', cluster: server.cluster, nodes: names });
    const starting = {
      names,
      cluster: server.cluster,
      nats: serverList(server.nats),
      labels: labelsOf(options.labels) ?? config.labels ?? {},
      capacity: countOf(options.capacity, '--capacity', { least: 1, most: 1_000, fallback: config.capacity ?? 1 }),
      logLevel,
      command: workerCommand(),
      log: jsonLog({ level: logLevel, fields: { launcher: name, boot } }),
      boot,
      onNews: shown.news,
      onEvent: (event: LauncherEvent) => {
        if (event.event === 'started') shown.say({ event: 'started', node: event.node, pid: event.pid, incarnation: event.incarnation });
        if (event.event === 'exited')
          shown.say({ event: 'exited', node: event.node, pid: event.pid, code: event.code, signal: event.signal });
      },
      ...(agents === undefined ? {} : { agents: resolve(agents) }),
      ...(replicas === undefined ? {} : { replicas: countOf(replicas, '--replicas', { least: 1, most: 5, fallback: 1 }) }),
      ...nodeSettings(config),
    };
    try {
      const launched = await launchNode(starting);
      signals.onSecond(() => {
        process.exitCode = 1;
        launched.launcher.stopNow();
      });
      void signals.first.then(() => launched.launcher.stop());
      try {
        await launched.launcher.ready;
      } catch (error) {
        await launched.close();
        throw error;
      }
      shown.say({ event: 'ready', nodes: Object.fromEntries(launched.launcher.pids()) });
      shown.end();
      const code = await launched.close();
      if (code !== 0) process.exitCode = code;
      return undefined;
    } finally {
      shown.end();
    }
  },
};
