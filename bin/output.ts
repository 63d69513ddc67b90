import Table from 'cli-table3';
import colors from 'picocolors';
import type { ErrorData } from '../src/errors.ts';

/** Colours, or none of them: without a terminal and under NO_COLOR the text is plain. */
export interface Style {
  good(text: string): string;
  warn(text: string): string;
  bad(text: string): string;
  dim(text: string): string;
  bold(text: string): string;
}
export function styleFor(colored: boolean): Style {
  const { green, yellow, red, dim, bold } = colors.createColors(colored);
  return { good: green, warn: yellow, bad: red, dim, bold };
}

const control = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;
/** One line of text that no terminal acts on: ids and reasons come from others, and may hold escapes or bidirectional marks. */
export const plain = (text: string): string => text.replace(control, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`);

const noBorders = Object.fromEntries(
  ['top', 'bottom', 'mid', 'left', 'right'].flatMap((side) =>
    [side, `${side}-mid`, `${side}-left`, `${side}-right`].map((part) => [part, '']),
  ),
);

/** Columns under upper-case heads, two blanks apart, no borders: greppable. */
export function table(heads: readonly string[], rows: readonly (readonly string[])[], style: Style): string {
  const grid = new Table({
    head: heads.map((head) => style.dim(head.toUpperCase())),
    chars: { ...noBorders, middle: '  ' },
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0, compact: true },
  });
  for (const row of rows) grid.push([...row]);
  return grid
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}

/** `name  value` lines. */
export function facts(entries: readonly (readonly [name: string, value: string])[], style: Style): string {
  const width = Math.max(0, ...entries.map(([name]) => name.length));
  return entries.map(([name, value]) => `${style.dim(name.padEnd(width))}  ${value}`.trimEnd()).join('\n');
}

/** The state of a node or an agent in its colour. */
export function stateText(state: string, style: Style): string {
  if (state === 'running') return style.good(state);
  if (state === 'passive') return state;
  return state === 'quarantined' || state === 'gone' || state === 'error' ? style.bad(plain(state)) : style.warn(plain(state));
}

const c1 = /[\u007f-\u009f\u2028\u2029]/g;
/** Whether JSON would leave something in it that a terminal acts on. */
export const hasControl = (text: string): boolean => text.search(c1) >= 0;
/** What such a text is inside quotes, in JSON and in YAML. */
export const escaped = (quoted: string): string =>
  quoted.replace(c1, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
/** Compact JSON, of which a terminal acts on nothing. */
export const json = (value: unknown): string => escaped(JSON.stringify(value ?? null));

/** One line: `error <code>: message (where) — fix`. */
export function errorLine(error: Pick<ErrorData, 'code' | 'message' | 'where' | 'fix' | 'refusal' | 'details'>, style: Style): string {
  const where = Object.entries(error.where ?? {}).map(([name, value]) => `${name} ${value}`);
  const place = where.length === 0 ? '' : ` (${where.join(', ')})`;
  const details = error.refusal === undefined ? '' : ` ${json(error.details)}`;
  const fix = error.fix === undefined ? '' : ` — ${error.fix}`;
  return style.bad(`error ${error.code}:`) + plain(` ${error.message}${details}${place}${fix}`);
}
