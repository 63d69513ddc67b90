import { readFile } from 'node:fs/promises';
import { NexaError } from '../errors.ts';
import type { Environment } from './find.ts';
import { run } from './run.ts';

export interface DebianRelease {
  readonly id: string;
  readonly codename: string;
}

/** The `KEY=value` lines of an os-release file, unquoted; undefined if the machine has none. */
export async function readRelease(path = '/etc/os-release'): Promise<DebianRelease | undefined> {
  const text = await readFile(path, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  const value = (key: string) => new RegExp(`^${key}=["']?([^"'\\n]*)["']?$`, 'm').exec(text)?.[1] ?? '';
  return { id: value('ID'), codename: value('VERSION_CODENAME') };
}

/**
 * Where this machine itself gets Debian from, as `apt-get indextargets` tells it (so comments, disabled and third-party sources
 * do not count): the entry labelled Debian whose codename is this release's. `undefined` if apt knows none, as it does
 * until an index was fetched. `options` are further arguments for apt-get.
 */
export async function debianMirror(
  release: DebianRelease,
  options: { readonly env: Environment; readonly aptOptions?: readonly string[]; readonly timeoutMs: number },
): Promise<string | undefined> {
  const ran = await run('apt-get', [...(options.aptOptions ?? []), 'indextargets'], {
    timeoutMs: options.timeoutMs,
    env: { ...options.env, LC_ALL: 'C' },
  });
  if (ran.code !== 0)
    throw new NexaError('unavailable', `apt-get indextargets: ${ran.stderr.trim().slice(-500)}`, { where: { step: 'mirror' } });
  for (const stanza of ran.stdout.split(/\n\n+/)) {
    const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(stanza)?.[1]?.trim();
    if (field('Label') !== 'Debian' || field('Codename') !== release.codename || field('Created-By') !== 'Packages') continue;
    const uri = field('Repo-URI');
    // It becomes part of a sources file: one word of printable ASCII.
    if (uri !== undefined && /^[a-z][a-z0-9+.-]*:[\x21-\x7e]{1,500}$/.test(uri)) return uri;
  }
  return undefined;
}
