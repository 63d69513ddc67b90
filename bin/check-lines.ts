import type { CheckResult } from '../src/ports/check.ts';
import { plain, type Style } from './output.ts';

const MARKS = {
  ok: (style: Style) => style.good('ok     '),
  warning: (style: Style) => style.warn('warning'),
  failed: (style: Style) => style.bad('failed '),
  skipped: (style: Style) => style.dim('skipped'),
} as const;

/** One line: `ok       disk: writable, 80 GiB free (1.2 ms)`, with the fix where there is one. */
export function checkLine({ check, verdict, message, fix, tookMs }: CheckResult, style: Style): string {
  const todo = fix === undefined ? '' : ` — ${plain(fix)}`;
  return `${MARKS[verdict](style)}  ${plain(check)}: ${plain(message)}${todo} ${style.dim(`(${tookMs} ms)`)}`;
}
