import type { Environment } from '../supervisors/config.ts';
import { liveNames, type Names, refreshNames } from './complete-names.ts';
import { type CommandRow, commandTable } from './complete-table.ts';
import { FORMATS } from './format.ts';

/** What the cursor may stand on, with a word about it. */
export interface Candidate {
  readonly value: string;
  readonly about: string;
}

/** What a shell takes as it is: other names, which anybody may have chosen, are not offered. */
const SAFE = /^[A-Za-z0-9_./@%+,-]+$/;
const MOST = 500;
/** Which names an argument or an option takes. */
const KINDS: Readonly<Record<string, readonly (keyof Names)[]>> = {
  agent: ['agents'],
  '--agent': ['agents'],
  node: ['nodes'],
  '--node': ['nodes'],
  name: ['nodes'],
  type: ['types'],
  target: ['agents'],
  topic: ['topics'],
};
const VALUES: Readonly<Record<string, readonly string[]>> = {
  '-o': FORMATS,
  '--output': FORMATS,
  '--level': ['info', 'warn', 'error'],
  '--servers': ['1', '3'],
  target: ['node'],
  shell: ['bash', 'zsh', 'fish'],
};

/**
 * `nexa complete -- <words up to the cursor>`: what may stand there, a line each, its description behind a tab. Called by the scripts of
 * `nexa completion` at every press of a key: it loads next to nothing, and waits for no cluster longer than 80 ms.
 */
export async function complete(argv: readonly string[], environment: Environment, write: (text: string) => void): Promise<void> {
  if (argv[0] === '--refresh') return refreshNames(argv.slice(1), environment);
  const words = argv[0] === '--' ? argv.slice(1) : argv;
  // Names are asked for while the command is still being typed.
  if (words.length <= 1) await liveNames(words, environment, { wait: false });
  const found = await candidates(words, await commandTable(environment), () => liveNames(words, environment, { wait: true }));
  const shown = found.filter(({ value }) => SAFE.test(value)).slice(0, MOST);
  if (shown.length > 0) write(`${shown.map(({ value, about }) => `${value}\t${about.replaceAll(/\s+/g, ' ')}`).join('\n')}\n`);
}

/** `words`: what was typed behind `nexa`, the last one being what the cursor is on. */
export async function candidates(
  words: readonly string[],
  table: Readonly<Record<string, CommandRow>>,
  names: () => Promise<Names>,
): Promise<readonly Candidate[]> {
  const current = words.at(-1) ?? '';
  const begun = (found: readonly Candidate[]): readonly Candidate[] => found.filter(({ value }) => value.startsWith(current));
  const [name = ''] = words;
  if (words.length <= 1) return begun(Object.entries(table).map(([value, { about }]) => ({ value, about })));
  const command = Object.hasOwn(table, name) ? table[name] : undefined;
  if (command === undefined) return [];
  const values = async (key: string, own: readonly string[] = []): Promise<readonly Candidate[]> => {
    const kinds = KINDS[key] ?? [];
    const live = kinds.length === 0 ? undefined : await names();
    return begun([
      ...[...own, ...(VALUES[key] ?? [])].map((value) => ({ value, about: '' })),
      ...kinds.flatMap((kind) => (live?.[kind] ?? []).map((value) => ({ value, about: kind.slice(0, -1) }))),
    ]);
  };
  const takesValue = (word: string | undefined): boolean => command.options.some(({ names, value }) => value && names.includes(word ?? ''));
  const before = words.at(-2);
  if (words.length > 2 && takesValue(before)) {
    const option = command.options.find(({ names }) => names.includes(before ?? ''));
    return values(before ?? '', option?.values);
  }
  if (current.startsWith('-')) return begun(command.options.flatMap(({ names, about }) => names.map((value) => ({ value, about }))));
  const given = words.slice(1, -1).filter((word, index, all) => !word.startsWith('-') && !takesValue(all[index - 1]));
  const place = given.length;
  const arg = command.args[Math.min(place, command.args.length - 1)];
  if (arg === undefined || (place >= command.args.length && !arg.many)) return [];
  const [first = ''] = given;
  return values(
    arg.name,
    Array.isArray(arg.values)
      ? arg.values
      : Object.hasOwn(arg.values ?? {}, first)
        ? (arg.values as Readonly<Record<string, readonly string[]>>)[first]
        : [],
  );
}
