import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { NexaError } from '../../src/errors.ts';
import { type Command, UsageError } from '../command.ts';
import { text } from '../options.ts';
import { plain } from '../output.ts';
import { starter } from '../starter.ts';

const CLUSTER = /^[A-Za-z0-9_-]{1,32}$/;

export const command: Command = {
  summary: 'Writes a configuration, an example agent and a package.json into a folder; overwrites nothing.',
  unconfigured: true,
  args: [{ name: 'folder', about: 'where to (default: the working directory)', optional: true }],
  options: [{ flags: '--yes', about: 'asks nothing' }],
  examples: ['nexa init', 'nexa init my-agents --yes --cluster blue'],
  async run({ args, options, progress }) {
    const folder = resolve(args.folder ?? '.');
    const cluster = text(options.cluster) ?? (options.yes === true ? 'nexa' : await askedFor());
    if (cluster === undefined) throw new NexaError('cancelled', 'nothing was written', { definite: true });
    if (!CLUSTER.test(cluster))
      throw new UsageError(`${JSON.stringify(cluster)} is no name of a cluster: letters, digits, _ and -, at most 32`);
    const { version } = createRequire(import.meta.url)('nexa/package.json') as { readonly version: string };
    const files = Object.entries(starter({ folder, cluster, version }));
    const there = files.map(([path]) => path).filter((path) => existsSync(join(folder, path)));
    if (there.length > 0) {
      throw new NexaError('conflict', `${there.join(', ')} ${there.length === 1 ? 'is' : 'are'} there already; nothing was written`, {
        where: { folder },
        fix: 'Name another folder, or remove what is there.',
      });
    }
    for (const [path, contents] of files) {
      await mkdir(dirname(join(folder, path)), { recursive: true });
      // Whoever was faster keeps what is theirs.
      await writeFile(join(folder, path), contents, { flag: 'wx' });
    }
    const written = files.map(([path]) => path);
    const next = args.folder === undefined ? 'nexa up' : `cd ${plain(args.folder)} && nexa up`;
    progress(`next:  ${next}   and in another terminal   nexa spawn greeter g   and   nexa ask greeter/g '{"type":"greet","name":"you"}'`);
    return { json: { folder, written }, text: () => written.map((path) => `wrote ${plain(join(folder, path))}`).join('\n') };
  },
};

/** The one thing to choose, from whoever sits at the terminal; undefined if they left. @throws UsageError without a terminal. */
async function askedFor(): Promise<string | undefined> {
  if (process.stdin.isTTY !== true) throw new UsageError('without a terminal nobody can be asked: pass --yes');
  const { isCancel, text: ask } = await import('@clack/prompts');
  const answer = await ask({
    message: 'What is the cluster called?',
    initialValue: 'nexa',
    output: process.stderr,
    validate: (value) => (CLUSTER.test(value ?? '') ? undefined : 'Letters, digits, _ and -, at most 32.'),
  });
  return isCancel(answer) ? undefined : answer;
}
