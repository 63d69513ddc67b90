import { escaped, hasControl, json } from './output.ts';

/** How a command answers: text for people, or one of two notations of the same data for programs. */
export const FORMATS = ['table', 'json', 'yaml'] as const;
export type Format = (typeof FORMATS)[number];

/** Read from the raw line, because a line that does not parse is answered in its format too. */
export function formatOf(argv: readonly string[]): Format {
  const named = (format: Format): boolean =>
    argv.some(
      (word, index) =>
        word === `-o${format}` || word === `--output=${format}` || (word === format && ['-o', '--output'].includes(argv[index - 1] ?? '')),
    );
  return FORMATS.find((format) => format !== 'table' && named(format)) ?? 'table';
}

/** Writes data in that notation, without the last newline; undefined for people. */
export async function notation(format: Format): Promise<((data: unknown) => string) | undefined> {
  if (format === 'table') return undefined;
  if (format === 'json') return json;
  const { Document, visit } = await import('yaml');
  return (data) => {
    // As JSON first, so that both notations show the same. Readers of YAML 1.1 shall see a text where there is one: `no`, `1e3`.
    const document = new Document(JSON.parse(JSON.stringify(data ?? null)), { compat: 'yaml-1.1' });
    visit(document, {
      Scalar: (_key, node) => {
        if (typeof node.value === 'string' && hasControl(node.value)) node.type = 'QUOTE_DOUBLE';
      },
    });
    // Each is a document, so that a command that goes on writes a stream of them.
    return `---\n${escaped(document.toString({ lineWidth: 0 }).trimEnd())}`;
  };
}
