import { stripVTControlCharacters } from 'node:util';
import type { CheckResult } from '../src/ports/check.ts';
import type { StartNews } from '../supervisors/start-news.ts';
import { checkLine } from './check-lines.ts';
import type { Result } from './command.ts';
import { plain, type Style } from './output.ts';

/** Where a start is shown: a terminal that may be painted on, plain lines, or lines of data. */
export interface SplashOptions {
  readonly write: (text: string) => void;
  readonly style: Style;
  /** Undefined: no terminal, or plain text is wanted. */
  readonly terminal: { readonly columns: number; readonly rows: number } | undefined;
  /** Instead of text: one object per line. */
  readonly emit: ((part: Result) => void) | undefined;
  readonly boot: string;
  readonly nowMs: () => number;
  /** Runs again and again until it is cancelled. */
  readonly every: (ms: number, run: () => void) => () => void;
  /** Checks of a node are shown one by one; else only those that are not fine. */
  readonly each: boolean;
}
export interface Splash {
  news(news: StartNews): void;
  /** One line of text. */
  note(line: string): void;
  /** Something for whoever reads the data; nothing on a terminal. */
  say(event: object): void;
  /** The last frame; gives the cursor back. Idempotent. */
  end(): void;
}

const FRAME_MS = 80;
const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const HIDE = '\u001b[?25l';
const SHOW = '\u001b[?25h';

/** What is over scrolls away above; what is going on is painted below it, in as many lines as the terminal has. */
export function splash(options: SplashOptions): Splash {
  const { write, style, emit, nowMs } = options;
  const live = options.terminal !== undefined;
  const fromMs = nowMs();
  const running = new Map<string, { message: string; checks: number; readonly sinceMs: number }>();
  let painted = 0;
  let frame = 0;
  let over = false;
  const seconds = (ms: number): string => `${(ms / 1_000).toFixed(2)} s`;

  const clear = (): string => (painted === 0 ? '' : `\u001b[${painted}A\r\u001b[J`);
  const paint = (above = ''): void => {
    const { terminal } = options;
    if (terminal === undefined || over) return;
    const rows = [...running].slice(0, Math.max(1, terminal.rows - 2)).map(([step, { message, checks, sinceMs }]) => {
      const counted = checks === 0 ? '' : `, ${checks} checks`;
      const text = `${FRAMES[frame % FRAMES.length]} ${step}  ${message}${counted}  ${seconds(nowMs() - sinceMs)}`;
      return `${style.dim(text.slice(0, Math.max(1, terminal.columns - 1)))}\n`;
    });
    write(`${clear()}${above}${rows.join('')}`);
    painted = rows.length;
  };
  const cancelFrames = !live
    ? () => {}
    : options.every(FRAME_MS, () => {
        frame++;
        paint();
      });
  if (live) write(HIDE);

  const line = (text: string): void => {
    if (emit !== undefined) return;
    const { terminal } = options;
    if (terminal === undefined || over) return write(`${text}\n`);
    // A line that wraps would be counted wrong when the frame is painted over.
    const bare = stripVTControlCharacters(text);
    paint(`${bare.length < terminal.columns ? text : bare.slice(0, terminal.columns - 1)}\n`);
  };
  const say = (event: object): void =>
    emit?.({ json: { boot: options.boot, atMs: Math.round(nowMs() - fromMs), ...event }, text: () => '' });
  const checked = (node: string | undefined, result: CheckResult): string => {
    const named = node === undefined || options.each ? result : { ...result, check: `${node} ${result.check}` };
    return `${style.dim(seconds(nowMs() - fromMs).padStart(7))}  ${checkLine(named, style)}`;
  };

  return {
    news(news) {
      say({ event: news.news, ...news, news: undefined });
      switch (news.news) {
        case 'begun':
          running.set(news.step, { message: news.message, checks: 0, sinceMs: nowMs() });
          return paint();
        case 'done':
          running.delete(news.step);
          return line(plain(news.message));
        case 'check': {
          const step = running.get(`node ${news.node}`);
          if (step !== undefined) step.checks++;
          const fine = news.result.verdict === 'ok' || news.result.verdict === 'skipped';
          if (news.node === undefined || options.each || !fine) line(checked(news.node, news.result));
        }
      }
    },
    note: (text) => line(text),
    say,
    end() {
      if (over) return;
      cancelFrames();
      running.clear();
      paint();
      over = true;
      if (live) write(SHOW);
    },
  };
}
