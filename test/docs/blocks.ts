import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../../', import.meta.url));

/** One fenced block of a page. */
export interface Block {
  readonly page: string;
  /** Of its opening fence. */
  readonly line: number;
  readonly language: string;
  /** What follows the language on the fence: `request spawn`. */
  readonly about: string;
  readonly text: string;
  /** Why it is not run: `<!-- not run: … -->` on the line above it. */
  readonly notRun: string | undefined;
}

export const pages = ['README.md', ...readdirSync(`${root}docs`, { recursive: true, encoding: 'utf8' }).map((path) => `docs/${path}`)]
  .filter((path) => path.endsWith('.md'))
  .sort();

export const blocks: readonly Block[] = pages.flatMap((page) => {
  const found: Block[] = [];
  const lines = readFileSync(root + page, 'utf8').split('\n');
  for (let index = 0; index < lines.length; index++) {
    const [, language, about] = /^```(\S*)\s*(.*)$/.exec(lines[index] ?? '') ?? [];
    if (language === undefined) continue;
    const end = lines.indexOf('```', index + 1);
    if (end < 0) throw new Error(`${page}:${index + 1} is not closed`);
    const [, notRun] = /^<!-- not run: (.+) -->$/.exec(lines[index - 1] ?? '') ?? [];
    found.push({ page, line: index + 1, language, about: about ?? '', text: lines.slice(index + 1, end).join('\n'), notRun });
    index = end;
  }
  return found;
});

/** The blocks of a language that are to run. */
export const running = (...languages: readonly string[]): readonly Block[] =>
  blocks.filter((block) => languages.includes(block.language) && block.notRun === undefined);

/** The words of one line of a shell, as far as pages use one: quotes and a comment at its end. @throws at anything else. */
export function words(line: string): readonly string[] {
  const found: string[] = [];
  let rest = line.trim();
  while (rest !== '' && !rest.startsWith('#')) {
    let word = '';
    while (rest !== '' && !/^\s/.test(rest)) {
      const [whole, single, double, plain] = /^(?:'([^']*)'|"([^"\\$`]*)"|([^\s'"\\$`|&;<>()*?]+))/.exec(rest) ?? [];
      if (whole === undefined) throw new Error(`a shell line beyond this test: ${line}`);
      word += single ?? double ?? plain ?? '';
      rest = rest.slice(whole.length);
    }
    found.push(word);
    rest = rest.trimStart();
  }
  return found;
}
/** Lines of a shell block, each command of `a && b` by itself. */
export const commandsOf = (block: Block): readonly (readonly string[])[] =>
  block.text
    .replaceAll('\\\n', ' ')
    .split('\n')
    .flatMap((line) => line.split(' && '))
    .map((line) => words(line.replace(/^\$ /, '')))
    .filter((command) => command.length > 0);
