import { type DrillProgress, faultText } from '../../chaos/index.ts';
import type { Invocation } from '../command.ts';
import { plain, type Style } from '../output.ts';

const WORDS = {
  opening: 'starting the cluster',
  starting: 'starting the work',
  quiet: 'until all is answered',
  faults: 'faults',
  healing: 'healed, until all works',
  ending: 'reading what it came to',
  closing: 'ending the cluster',
} as const;

/** Shows a drill as it goes: a line of data for each change, one line that is painted again on a terminal, elsewhere a line for each phase and fault. */
export function liveDrill({ emit, progress, screen, options }: Pick<Invocation, 'emit' | 'progress' | 'screen' | 'options'>): {
  readonly show: (progress: DrillProgress) => void;
  readonly end: () => void;
} {
  if (options.output !== 'table') {
    return {
      show: (now) => emit({ json: { event: 'progress', ...now, faults: now.faults.map(faultText) }, text: () => '' }),
      end: () => undefined,
    };
  }
  if (screen === undefined) {
    let phase = '';
    let force: readonly object[] = [];
    return {
      show(now) {
        if (now.phase !== phase) progress(WORDS[now.phase]);
        if (now.note !== undefined) progress(plain(now.note));
        for (const fault of now.faults) if (fault.fault !== 'wait' && !force.includes(fault)) progress(faultText(fault));
        phase = now.phase;
        force = now.faults;
      },
      end: () => undefined,
    };
  }
  return painted(screen);
}

const CLEAR = '\r\u001b[K';

function painted({ columns, style, write }: NonNullable<Invocation['screen']>): ReturnType<typeof liveDrill> {
  let shown = false;
  let faultsSinceMs: number | undefined;
  let before: { readonly atMs: number; readonly ok: number } | undefined;
  let perSecond = 0;
  const end = (): void => {
    if (shown) write(CLEAR);
    shown = false;
  };
  // However it ends, nothing is left on the line of the prompt.
  process.once('exit', end);
  return {
    show(now) {
      const { phase, atMs, operations } = now;
      if (phase === 'faults') faultsSinceMs ??= atMs;
      if (before === undefined || atMs - before.atMs >= 1_000) {
        perSecond = before === undefined ? 0 : ((operations.ok - before.ok) * 1_000) / (atMs - before.atMs);
        before = { atMs, ok: operations.ok };
      }
      const leftMs = phase === 'faults' ? Math.max(0, now.durationMs - (atMs - (faultsSinceMs ?? atMs))) : undefined;
      write(`${CLEAR}${statusLine(now, { perSecond, leftMs }, style, columns)}`);
      shown = true;
    },
    end() {
      process.off('exit', end);
      end();
    },
  };
}

/** At most as wide as the terminal: what does not fit is left out from its end. */
export function statusLine(
  { phase, faults, operations: { ok, fail, info }, note }: DrillProgress,
  { perSecond, leftMs }: { readonly perSecond: number; readonly leftMs: number | undefined },
  style: Style,
  columns: number,
): string {
  const parts: (readonly [text: string, paint: (text: string) => string])[] = [
    [WORDS[phase], style.bold],
    ...(leftMs === undefined ? [] : [[`${clock(leftMs)} left`, same] as const]),
    ...(faults.length === 0 ? [] : [[faults.map(faultText).join(' + '), style.warn] as const]),
    ...(ok + fail + info === 0
      ? []
      : [[`${Math.round(perSecond)} ok/s`, same] as const, [`${ok} ok ${fail} fail ${info} unknown`, style.dim] as const]),
    ...(note === undefined ? [] : [[plain(note), style.dim] as const]),
  ];
  let left = columns - 1;
  const words: string[] = [];
  for (const [text, paint] of parts) {
    const room = left - (words.length === 0 ? 0 : 2);
    if (room < 1) break;
    words.push(paint(text.slice(0, room)));
    left = room - Math.min(room, text.length);
  }
  return words.join('  ');
}

const same = (text: string): string => text;
const clock = (ms: number): string => `${Math.floor(ms / 60_000)}:${String(Math.floor(ms / 1_000) % 60).padStart(2, '0')}`;
