import { obtainNatsServer } from '../../src/nats-server/obtain.ts';
import { rawEnvironment, shownServerList } from '../../supervisors/config.ts';
import type { Command } from '../command.ts';
import { table } from '../output.ts';
import { untilSignal } from '../signals.ts';

export const command: Command = {
  summary: 'Finds or fetches a nats-server, and shows what was chosen and why.',
  options: [{ flags: '--single', about: 'for one server alone, which may be older than replicated ones' }],
  examples: ['nexa setup', 'nexa setup --single'],
  async run({ options, environment, progress }) {
    if (environment.natsUrl !== undefined)
      progress(
        `NEXA_NATS_URL is set: nodes use ${shownServerList(environment.natsUrl)}; \`nexa up\` starts servers of its own all the same`,
      );
    const { binary, candidates } = await obtainNatsServer({
      env: rawEnvironment(),
      replicated: options.single !== true,
      signal: untilSignal().aborted,
      onProgress: ({ step, percent }) => progress(`fetching nats-server: ${step}${percent === undefined ? '' : ` ${percent} %`}`),
    });
    const rows = candidates.map(({ verdict, version, path, reason }) => ({ verdict, version: version ?? '', path, reason: reason ?? '' }));
    return {
      json: { chosen: binary, candidates },
      text: (style) =>
        `${table(
          ['verdict', 'version', 'path', 'why'],
          rows.map((row) => [row.verdict, row.version, row.path, row.reason]),
          style,
        )}\n\nchosen: nats-server ${binary.version} at ${binary.path}${binary.warning === undefined ? '' : `\n${style.warn(binary.warning)}`}`,
    };
  },
};
