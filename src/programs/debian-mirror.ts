import { readFile } from 'node:fs/promises';
import type { PackageCommand, PrivateApt } from './private-apt.ts';

export interface Release {
  readonly id: string;
  readonly codename: string;
}

/** What an os-release file says; undefined if the machine has none. */
export async function readRelease(path = '/etc/os-release'): Promise<Release | undefined> {
  const text = await readFile(path, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  const value = (key: string) => new RegExp(`^${key}=["']?([^"'\\n]*)["']?$`, 'm').exec(text)?.[1] ?? '';
  return { id: value('ID'), codename: value('VERSION_CODENAME') };
}

/**
 * Where this machine itself gets Debian from, as `apt-get indextargets` tells it (so comments, disabled and third-party sources
 * do not count): the entry labelled Debian whose codename is this release's. Undefined if there is none.
 */
export async function debianMirror(apt: PrivateApt, { codename }: Release): Promise<string | undefined> {
  const known = await listed(apt.system, codename);
  if (known !== undefined) return known;
  // Labels come with an index. A machine that never fetched one, such as a fresh container, has to ask, privately; whether a
  // third-party source is down does not matter.
  await apt.ownLists('apt-get', ['update']).catch(() => {});
  return listed(apt.ownLists, codename);
}

async function listed(command: PackageCommand, codename: string): Promise<string | undefined> {
  const { stdout } = await command('apt-get', ['indextargets', 'Label: Debian', `Codename: ${codename}`, 'Created-By: Packages']);
  for (const [, uri] of stdout.matchAll(/^Repo-URI: (.*)$/gm)) {
    // It becomes part of a sources file: one word of printable ASCII.
    if (uri !== undefined && /^[a-z][a-z0-9+.-]*:[\x21-\x7e]{1,500}$/.test(uri)) return uri;
  }
  return undefined;
}
