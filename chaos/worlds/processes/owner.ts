import { lchownSync, lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** A user of the machine, by the numbers of user and group. */
export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** Gives a path, and what is below it, to whom the programs of a stage run as: where the stage is root, what it makes is root's otherwise. */
export type Own = (path: string) => void;

export function ownedBy(owner: Owner | undefined): Own {
  if (owner === undefined) return () => {};
  const { uid, gid } = owner;
  return (path) => {
    lchownSync(path, uid, gid);
    if (!lstatSync(path).isDirectory()) return;
    for (const entry of readdirSync(path, { recursive: true, encoding: 'utf8' })) lchownSync(join(path, entry), uid, gid);
  };
}
