import { stat } from 'node:fs/promises';
import type { Environment } from '../supervisors/config.ts';
import { readCache, writeCache } from './cache.ts';
import type { Command } from './command.ts';

/** What completion knows of a command without loading it. */
export interface CommandRow {
  readonly about: string;
  readonly args: readonly {
    readonly name: string;
    readonly many: boolean;
    readonly values: NonNullable<Command['args']>[number]['values'];
  }[];
  readonly options: readonly {
    readonly names: readonly string[];
    readonly value: boolean;
    readonly about: string;
    readonly values?: readonly string[] | undefined;
  }[];
}

const FILE = 'commands.json';
const LONGEST_MS = 30 * 86_400_000;
const COMMON: CommandRow['options'] = [
  { names: ['-o', '--output'], value: true, about: 'table, json or yaml' },
  { names: ['--config'], value: true, about: 'the configuration file' },
  { names: ['--nats'], value: true, about: 'NATS servers' },
  { names: ['--cluster'], value: true, about: 'the cluster' },
  { names: ['-h', '--help'], value: false, about: 'shows its help' },
];

/** Commands load what they run, which takes too long for a key: what they take is kept in the cache until they change. */
export async function commandTable(environment: Environment): Promise<Readonly<Record<string, CommandRow>>> {
  const { mtimeMs } = await stat(new URL('./commands/', import.meta.url));
  const made = `${import.meta.url} ${mtimeMs}`;
  const kept = await readCache(environment, FILE, LONGEST_MS);
  if (isTable(kept, made)) return kept.table;
  const { commandNames, loadCommand } = await import('./commands.ts');
  const rows = await Promise.all(
    (await commandNames()).map(async (name) => {
      const { summary, args = [], options = [] } = await loadCommand(name);
      const own = options.map(({ flags, about, values }) => ({
        names: flags.match(/(?<![\w-])--?[a-z][a-z-]*/g) ?? [],
        value: /[<[]/.test(flags),
        about,
        values,
      }));
      const taken = own.flatMap(({ names }) => names);
      const common = COMMON.filter(({ names }) => !names.some((each) => taken.includes(each)));
      const row = {
        about: summary,
        args: args.map(({ name: arg, many, values }) => ({ name: arg, many: many === true, values })),
        options: [...own, ...common],
      };
      return [name, row] as const;
    }),
  );
  const table = Object.fromEntries(rows);
  await writeCache(environment, FILE, { made, table });
  return table;
}

const isTable = (value: unknown, made: string): value is { readonly table: Readonly<Record<string, CommandRow>> } =>
  typeof value === 'object' && value !== null && 'made' in value && value.made === made && 'table' in value;
