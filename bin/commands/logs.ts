import type { Client } from '../../src/client.ts';
import { toNexaError } from '../../src/errors.ts';
import { type Command, UsageError } from '../command.ts';
import { countOf, text as optionText } from '../options.ts';
import { errorLine, json, plain, type Style } from '../output.ts';
import { list, nodesOf, number, record, text } from '../shapes.ts';
import { timeText } from '../units.ts';

const LEVELS = ['info', 'warn', 'error'] as const;
type Level = (typeof LEVELS)[number];
/** How often a log is looked at while it is followed. */
const FOLLOW_MS = 500;

export const command: Command = {
  summary: 'Shows what nodes logged lately, from info on; with -f also what they log from now on, until Ctrl-C.',
  args: [{ name: 'node', about: 'only this one', optional: true }],
  options: [
    { flags: '-f, --follow', about: 'goes on until Ctrl-C' },
    { flags: '--level <level>', about: 'from this one on: info, warn or error (default info)' },
    { flags: '--limit <count>', about: 'at most so many lines of each node (default 200)' },
  ],
  examples: ['nexa logs', 'nexa logs n1 --level warn', 'nexa logs -f -o json'],
  async run({ args, options, connect, emit, progress, ended, pause }) {
    const level = LEVELS.find((known) => known === (optionText(options.level) ?? 'info'));
    if (level === undefined) throw new UsageError(`${JSON.stringify(options.level)} is no level: ${LEVELS.join(', ')}`);
    const limit = countOf(options.limit, '--limit', { least: 1, most: 1_000, fallback: 200 });
    const { cluster } = await connect();
    const nodes = async (): Promise<readonly string[]> =>
      args.node === undefined ? nodesOf(await cluster.nodes()).flatMap(({ node, state }) => (state === 'gone' ? [] : [node])) : [args.node];
    const reader = readerOf(cluster, { level, limit });
    const show = (lines: readonly Line[]): void => {
      for (const line of lines) emit({ json: line, text: (style) => lineText(line, style) });
    };
    /** A node that dies meanwhile must not hide the others; it is said once. */
    const silent = new Set<string>();
    const round = async (names: readonly string[]): Promise<readonly Line[]> => {
      const pages = await Promise.all(
        names.map(async (node) => {
          try {
            const lines = await reader(node);
            silent.delete(node);
            return lines;
          } catch (thrown) {
            const error = toNexaError(thrown, 'internal');
            if (args.node !== undefined && options.follow !== true) throw error;
            if (!silent.has(node)) progress(`${plain(node)}  ${errorLine(error.toJSON(), PLAIN)}`);
            silent.add(node);
            return [];
          }
        }),
      );
      return pages.flat().sort((a, b) => a.atMs - b.atMs);
    };
    show(await round(await nodes()));
    if (options.follow !== true) return undefined;
    const signal = ended();
    let known = await nodes();
    while (!signal.aborted) {
      await pause(FOLLOW_MS);
      if (signal.aborted) break;
      // Nodes come and go; while nobody answers, those that were known are asked on.
      known = await nodes().catch(() => known);
      show(await round(known));
    }
    return undefined;
  },
};

const PLAIN: Style = { good: (text) => text, warn: (text) => text, bad: (text) => text, dim: (text) => text, bold: (text) => text };

interface Line {
  readonly node: string;
  readonly n: number;
  readonly atMs: number;
  readonly level: string;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** Reads a node's log: at first its latest lines, then each time what came since. A node that was started anew begins anew. */
function readerOf(cluster: Client['cluster'], wanted: { readonly level: Level; readonly limit: number }) {
  const seen = new Map<string, number>();
  return async (node: string): Promise<readonly Line[]> => {
    const after = seen.get(node) ?? 0;
    const page = record(await cluster.logs(node, after === 0 ? wanted : { ...wanted, limit: 1_000, after }));
    const last = number(page.last) ?? 0;
    seen.set(node, last < after ? 0 : last);
    const lost = number(page.lost) ?? 0;
    const lines = list(page.lines)
      .map(record)
      .map(({ n, atMs, level, message, fields }) => ({
        ...{ node, n: number(n) ?? 0, atMs: number(atMs) ?? 0, level: text(level), message: text(message), fields: record(fields) },
      }));
    const gap = {
      node,
      n: after,
      atMs: lines[0]?.atMs ?? 0,
      level: 'warn',
      message: `${lost} lines were not kept long enough`,
      fields: {},
    };
    return lost > 0 && after > 0 ? [gap, ...lines] : lines;
  };
}

function lineText({ node, atMs, level, message, fields }: Line, style: Style): string {
  const colour = level === 'error' ? style.bad : level === 'warn' ? style.warn : style.dim;
  const rest = Object.entries(fields).map(([name, value]) => plain(`${name}=${typeof value === 'string' ? value : json(value)}`));
  return [style.dim(timeText(atMs)), plain(node), colour(plain(level)), plain(message), style.dim(rest.join(' '))].join(' ').trimEnd();
}
