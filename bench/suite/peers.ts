import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

interface Lock {
  readonly packages: Readonly<Record<string, { readonly version?: string; readonly optional?: boolean }>>;
}

/** Installs what the lock of this folder names, unless it is there; runs nothing of it. @throws when that fails: npm has said why */
export function installPeers(folder: string, say: (line: string) => void): void {
  if (installed(folder)) return;
  say('installing what is measured beside Nexa: npm ci --ignore-scripts in bench/peers');
  execFileSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}

/** Whether npm has left there exactly the versions of the lock. By what they say, since a clone gives every file the time of its own. */
export function installed(folder: string): boolean {
  const packages = (file: string): Lock['packages'] => (JSON.parse(readFileSync(join(folder, file), 'utf8')) as Lock).packages;
  try {
    const there = packages('node_modules/.package-lock.json');
    return Object.entries(packages('package-lock.json')).every(
      ([path, { version, optional }]) => path === '' || optional || there[path]?.version === version,
    );
  } catch {
    return false;
  }
}
