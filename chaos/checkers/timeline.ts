import type { Operation } from '../history.ts';

const columns = 40;
const rows = 24;

const said = (operation: Operation<unknown, unknown>, cutMs: number): string => {
  if (operation.endedAtMs > cutMs) return '…';
  return operation.outcome === 'ok' ? JSON.stringify(operation.result) : `${operation.outcome} ${operation.error.code}`;
};

/**
 * The last calls before `cutMs` as bars over time, one line each, in order of invocation: `[==]` answered, `[==>` open. The line
 * marked `*` is the answer that came at `cutMs`. At most 24 lines; what is left out is counted.
 */
export function timeline(operations: readonly Operation<unknown, unknown>[], cutMs: number): string {
  const sorted = [...operations].sort((a, b) => a.invokedAtMs - b.invokedAtMs);
  const last = sorted.filter((each) => each.endedAtMs !== cutMs).slice(1 - rows);
  const shown = sorted.filter((each) => each.endedAtMs === cutMs || last.includes(each));
  const fromMs = shown[0]?.invokedAtMs ?? 0;
  const column = (atMs: number): number =>
    Math.round(((Math.min(atMs, cutMs) - fromMs) / Math.max(cutMs - fromMs, Number.MIN_VALUE)) * (columns - 1));
  const lines = shown.map((each) => {
    const begin = column(each.invokedAtMs);
    const open = each.outcome !== 'ok' || each.endedAtMs > cutMs;
    const end = open ? columns - 1 : column(each.endedAtMs);
    const bar = `${' '.repeat(begin)}[${'='.repeat(Math.max(0, end - begin - 1))}${open ? '>' : ']'}`.padEnd(columns + 1);
    return `${each.endedAtMs === cutMs ? '*' : ' '} ${bar} ${each.invokedAtMs.toFixed(1)} ms ${JSON.stringify(each.op)} → ${said(each, cutMs)}`;
  });
  return [...(sorted.length > shown.length ? [`  (${sorted.length - shown.length} earlier calls left out)`] : []), ...lines].join('\n');
}
