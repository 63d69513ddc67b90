import { createInterface } from 'node:readline/promises';
import { jsonLog } from '../../src/log.ts';
import { serverList } from '../../supervisors/config.ts';
import { diagnose, whatIsLost } from '../../supervisors/doctor.ts';
import { checkLine } from '../check-lines.ts';
import { type Command, UsageError } from '../command.ts';
import { EXIT } from '../exit-code.ts';

export const command: Command = {
  summary: 'Looks at a cluster from outside and says what is wrong with it, and what to do. Ends with 1 if something failed.',
  options: [
    { flags: '--repair', about: 'creates a store that is missing, empty, after asking; nothing else is ever changed' },
    { flags: '--yes', about: 'with --repair: does not ask' },
  ],
  examples: ['nexa doctor', 'nexa doctor -o json', 'nexa doctor --repair'],
  async run({ options, config, server, progress, screen }) {
    const repair = options.repair === true;
    const mayAsk = process.stdin.isTTY === true && process.stderr.isTTY === true;
    if (repair && options.yes !== true && !mayAsk)
      throw new UsageError('--repair asks before it creates anything: without a terminal add --yes');
    if (options.yes === true && !repair) throw new UsageError('--yes says yes to --repair, which is not there');
    const diagnosed = await diagnose({
      nats: serverList(server.nats),
      cluster: server.cluster,
      services: config.services ?? [],
      log: jsonLog({ level: 'silent' }),
      // On a terminal each result is seen as it comes; elsewhere they are the output.
      ...(screen === undefined ? {} : { onResult: (result) => screen.write(`${checkLine(result, screen.style)}\n`) }),
      ...(repair ? { repair: async (store) => options.yes === true || (await confirmed(store)) } : {}),
    });
    const { checks, verdict, tookMs, missing } = diagnosed;
    if (missing.length > 0 && !repair) progress(`to create ${missing.join(', ')}, empty: stop the nodes, then nexa doctor --repair`);
    const count = (wanted: string): number => checks.filter((result) => result.verdict === wanted).length;
    const summary = `${checks.length} checks in ${tookMs} ms: ${count('failed')} failed, ${count('warning')} warnings`;
    const ok = count('failed') === 0;
    return {
      json: { ok, verdict, tookMs, missing, checks },
      text: (style) =>
        [
          ...(screen === undefined ? checks.map((result) => checkLine(result, style)) : []),
          ok ? style.good(summary) : style.bad(summary),
        ].join('\n'),
      exit: ok ? EXIT.ok : EXIT.failure,
    };
  },
};

async function confirmed(store: string): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await terminal.question(`${store} is missing. An empty one loses ${whatIsLost(store)}. Create it? Type its name: `);
    return answer.trim() === store;
  } finally {
    terminal.close();
  }
}
