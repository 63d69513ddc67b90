import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { NexaError } from '../errors.ts';
import type { Environment } from './cache.ts';
import { type Ran, run } from './run.ts';

/** Runs apt-get and other package commands; `onPercent` follows apt's transfers. @throws NexaError `unavailable` unless it ends with 0. */
export type PackageCommand = (command: 'apt-get' | 'dpkg', args: readonly string[], onPercent?: (percent: number) => void) => Promise<Ran>;

export interface PrivateApt {
  /** With the machine's own settings and state: to look only. */
  readonly system: PackageCommand;
  /** The machine's sources, but our own lists. */
  readonly ownLists: PackageCommand;
  /** Our own lists, and as its only source the line given to `useSource`. */
  readonly ownSource: PackageCommand;
  useSource(line: string): Promise<void>;
}

/** apt-get with lists, cache, preferences and sources under `folder`; the machine's proxy and transport settings stay in force. */
export async function privateApt(
  folder: string,
  options: { readonly env: Environment; readonly leftMs: () => number; readonly signal?: AbortSignal },
): Promise<PrivateApt> {
  const at = (name: string) => `"${join(folder, name)}"`;
  for (const name of ['lists/partial', 'cache/archives/partial', 'none']) await mkdir(join(folder, name), { recursive: true });
  const ownLists = [
    // Container images hook in here to empty the system's package cache.
    '#clear APT::Update::Pre-Invoke;',
    '#clear APT::Update::Post-Invoke;',
    '#clear APT::Update::Post-Invoke-Success;',
    `Dir::State::Lists ${at('lists')};`,
    `Dir::Cache ${at('cache')};`,
    'Dir::Etc::Preferences "/dev/null";',
    `Dir::Etc::PreferencesParts ${at('none')};`,
    // As root apt would leave the transfer to a user who cannot see this folder; signatures are checked either way.
    'APT::Sandbox::User "root";',
    'APT::Status-Fd "3";',
    'Acquire::Languages "none";',
    'Acquire::PDiffs "false";',
    'Acquire::Retries "2";',
    'Acquire::http::Timeout "20";',
    'Acquire::https::Timeout "20";',
  ];
  const ownSource = [...ownLists, `Dir::Etc::SourceList ${at('sources.list')};`, `Dir::Etc::SourceParts ${at('none')};`];
  await writeFile(join(folder, 'lists.conf'), `${ownLists.join('\n')}\n`);
  await writeFile(join(folder, 'source.conf'), `${ownSource.join('\n')}\n`);

  const withConfig =
    (config?: string): PackageCommand =>
    async (command, args, onPercent) => {
      const flags = command === 'apt-get' && config !== undefined ? ['-q', '-c', join(folder, config)] : [];
      const ran = await run(command, [...flags, ...args], {
        env: { ...options.env, LC_ALL: 'C' },
        cwd: folder,
        timeoutMs: options.leftMs(),
        ...(options.signal === undefined ? {} : { signal: options.signal }),
        onStatus: (line) => {
          const percent = Number(/^dlstatus:\d+:([\d.]+):/.exec(line)?.[1]);
          if (Number.isFinite(percent)) onPercent?.(Math.min(100, percent));
        },
      });
      if (ran.code === 0) return ran;
      const said = (ran.stderr || ran.stdout).trim().slice(-800);
      throw new NexaError('unavailable', `${command} ${args[0]} ended with ${ran.code}: ${said}`, {
        where: { command: `${command} ${args.join(' ')}` },
      });
    };
  return {
    system: withConfig(),
    ownLists: withConfig('lists.conf'),
    ownSource: withConfig('source.conf'),
    useSource: (line) => writeFile(join(folder, 'sources.list'), `${line}\n`),
  };
}
