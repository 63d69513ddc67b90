import { readdir } from 'node:fs/promises';
import type { Command } from './command.ts';

const folder = new URL('./commands/', import.meta.url);
const file = /^([a-z][a-z-]*)\.(?:ts|js)$/;

/** The names of all commands: the files of bin/commands, so that adding one is adding a file. */
export async function commandNames(): Promise<readonly string[]> {
  const names = (await readdir(folder)).flatMap((entry) => file.exec(entry)?.[1] ?? []);
  return [...new Set(names)].sort();
}

/** Loads one command; `name` is one of {@link commandNames}. */
export async function loadCommand(name: string): Promise<Command> {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  const loaded = (await import(new URL(`${name}.${extension}`, folder).href)) as { readonly command: Command };
  return loaded.command;
}
