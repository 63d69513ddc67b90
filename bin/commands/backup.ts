import { jsonLog } from '../../src/log.ts';
import { takeBackup } from '../../supervisors/backup.ts';
import { serverList } from '../../supervisors/config.ts';
import type { Command } from '../command.ts';
import { required } from '../options.ts';
import { facts, plain } from '../output.ts';
import { tenths } from '../progress.ts';
import { bytesText } from '../units.ts';

export const command: Command = {
  summary:
    'Writes all durable state of the cluster into one file, while it works: each agent as a crash at one instant would have left it.',
  args: [{ name: 'file', about: 'a file that is not there yet' }],
  examples: ['nexa backup monday.nexa', 'nexa backup /backups/$(date +%F).nexa -o json', 'nexa backup shop.nexa --cluster shop'],
  async run(invocation) {
    const { args, server } = invocation;
    const file = required(args.file, 'the file');
    const fromMs = performance.now();
    const { header, summary, bytes, sha256 } = await takeBackup({
      ...{ nats: serverList(server.nats), cluster: server.cluster, file },
      log: jsonLog({ level: 'silent' }),
      onProgress: tenths(invocation, 'agents'),
    });
    const tookMs = Math.round(performance.now() - fromMs);
    const { counts, corrupt } = summary;
    return {
      json: { ok: true, file, ...header, bytes, sha256, counts, corrupt, tookMs },
      text: (style) =>
        [
          facts(
            [
              ['file', `${plain(file)} (${bytesText(bytes)})`],
              ['cluster', plain(header.cluster)],
              ['agents', `${counts.agent}`],
              ['messages', `${counts.mail} that wait, ${counts.dead} dead`],
              ['reminders', `${counts.reminder}`],
              ['sha256', sha256],
            ],
            style,
          ),
          ...(corrupt.length === 0 ? [] : [style.warn(`corrupt, and taken as they are: ${corrupt.map(plain).join(', ')}`)]),
        ].join('\n'),
    };
  },
};
