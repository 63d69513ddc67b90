import { jsonLog } from '../../src/log.ts';
import { restoreBackup } from '../../supervisors/backup.ts';
import { serverList } from '../../supervisors/config.ts';
import type { Command } from '../command.ts';
import { countOf, required, text } from '../options.ts';
import { facts, plain } from '../output.ts';
import { tenths } from '../progress.ts';
import { dateText } from '../units.ts';

export const command: Command = {
  summary: 'Brings a backup into an empty cluster, which no node may have joined. Ends with 5 if the cluster is not empty.',
  args: [{ name: 'file', about: 'what nexa backup wrote' }],
  options: [{ flags: '--replicas <count>', about: 'servers that keep each record, when it forms a new cluster (default 1)' }],
  examples: ['nexa restore monday.nexa', 'nexa restore monday.nexa --cluster shop2 --replicas 3'],
  async run(invocation) {
    const { args, options, server } = invocation;
    const file = required(args.file, 'the file');
    const given = text(options.replicas);
    const replicas = given === undefined ? undefined : countOf(given, '--replicas', { least: 1, most: 5, fallback: 1 });
    const fromMs = performance.now();
    const { header, counts, handled, formation } = await restoreBackup({
      ...{ nats: serverList(server.nats), cluster: server.cluster, file, replicas },
      log: jsonLog({ level: 'silent' }),
      onProgress: tenths(invocation, 'records'),
    });
    const tookMs = Math.round(performance.now() - fromMs);
    return {
      json: {
        ok: true,
        cluster: server.cluster,
        from: header.cluster,
        createdAtMs: header.createdAtMs,
        counts,
        handled,
        ...formation,
        tookMs,
      },
      text: (style) =>
        `${facts(
          [
            ['cluster', plain(server.cluster)],
            ['from', `${plain(header.cluster)}, ${dateText(header.createdAtMs)}`],
            ['agents', `${counts.agent}`],
            ['messages', `${counts.mail} that wait, ${counts.dead} dead; ${handled} had been handled`],
            ['reminders', `${counts.reminder}`],
          ],
          style,
        )}\nStart nodes now: they take over the agents.`,
    };
  },
};
