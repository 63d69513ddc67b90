import { execFile, execFileSync } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { styleFor } from '../../bin/output.ts';
import { type SplashOptions, splash } from '../../bin/splash.ts';
import type { CheckResult } from '../../src/ports/check.ts';
import { built } from '../live/support.ts';

const result = (check: string, more: Partial<CheckResult> = {}): CheckResult => ({
  ...{ check, required: true, verdict: 'ok', tookMs: 1.5, message: 'fine', ...more },
});
function shown(more: Partial<SplashOptions> = {}) {
  const world = { text: '', nowMs: 1_000, run: () => {}, cancelled: false, data: [] as unknown[] };
  const made = splash({
    write: (text) => {
      world.text += text;
    },
    style: styleFor(false),
    terminal: undefined,
    emit: undefined,
    boot: 'b1',
    nowMs: () => world.nowMs,
    every: (_, run) => {
      world.run = run;
      return () => {
        world.cancelled = true;
      };
    },
    each: false,
    ...more,
  });
  return { world, made };
}
const ESC = '\u001b';
/** What a terminal of that many lines shows in the end, of what we write: text, line feeds, up, clear below. */
function screen(text: string): string[] {
  const lines = [''];
  let row = 0;
  const parts = new RegExp(String.raw`${ESC}\[(\d+)A|${ESC}\[J|${ESC}\[\?25[lh]|\r|\n|[^${ESC}\r\n]+`, 'g');
  for (const [part] of text.matchAll(parts)) {
    if (/A$/.test(part) && part.startsWith(ESC)) row = Math.max(0, row - Number(part.slice(2, -1)));
    else if (part === `${ESC}[J`) lines.splice(row, lines.length, '');
    else if (part === '\n') lines[++row] ??= '';
    else if (part !== '\r' && !part.startsWith(ESC)) lines[row] = `${lines[row]}${part}`;
  }
  return lines.filter((line) => line !== '');
}

test('without a terminal each thing is one line, in order, with its time', () => {
  const { world, made } = shown();
  made.news({ news: 'check', result: result('disk') });
  made.news({ news: 'begun', step: 'servers', message: 'starting' });
  world.nowMs += 120;
  made.news({ news: 'done', step: 'servers', message: '1 server ready' });
  made.news({ news: 'begun', step: 'node n1', message: 'starting' });
  made.news({ news: 'check', node: 'n1', result: result('codec') });
  made.news({ news: 'check', node: 'n1', result: result('service:db', { verdict: 'failed', message: 'down\u001b[2J', fix: 'Start it.' }) });
  made.end();
  expect(world.text.split('\n')).toEqual([
    ' 0.00 s  ok       disk: fine (1.5 ms)',
    '1 server ready',
    ' 0.12 s  failed   n1 service:db: down\\u{1b}[2J — Start it. (1.5 ms)',
    '',
  ]);
});

test('on a terminal what goes on is painted below what is over, never wider or higher than it, and the cursor comes back', () => {
  const { world, made } = shown({ terminal: { columns: 40, rows: 4 } });
  for (const node of ['n1', 'n2', 'n3', 'n4', 'n5']) made.news({ news: 'begun', step: `node ${node}`, message: 'starting' });
  made.news({ news: 'check', node: 'n1', result: result('codec') });
  world.run();
  expect(screen(world.text)).toHaveLength(2);
  expect(screen(world.text)[0]).toMatch(/^. node n1 {2}starting, 1 checks/);
  made.news({ news: 'check', result: result('disk', { message: 'x'.repeat(100) }) });
  for (const node of ['n1', 'n2', 'n3', 'n4', 'n5']) made.news({ news: 'done', step: `node ${node}`, message: `node ${node} is up` });
  made.end();
  made.end();
  const lines = screen(world.text);
  expect(lines.slice(1)).toEqual(['n1', 'n2', 'n3', 'n4', 'n5'].map((node) => `node ${node} is up`));
  expect(Math.max(...lines.map(({ length }) => length))).toBeLessThan(40);
  expect(world.text.split('\u001b[?25l')).toHaveLength(2);
  expect(world.text.split('\u001b[?25h')).toHaveLength(2);
  expect(world.cancelled).toBe(true);
});

test('as data each thing is one object with the boot id and the time, and there is no text', () => {
  const data: unknown[] = [];
  const { world, made } = shown({ emit: ({ json }) => data.push(json) });
  made.note('a line for people');
  world.nowMs += 7;
  made.news({ news: 'check', node: 'n1', result: result('codec') });
  made.say({ event: 'ready' });
  expect(world.text).toBe('');
  expect(JSON.parse(JSON.stringify(data))).toEqual([
    { boot: 'b1', atMs: 7, event: 'check', node: 'n1', result: result('codec') },
    { boot: 'b1', atMs: 7, event: 'ready' },
  ]);
});

const hasScript = (() => {
  try {
    return execFileSync('script', ['--version'], { encoding: 'utf8' }).includes('util-linux');
  } catch {
    return false;
  }
})();
test.runIf(hasScript)('under a real terminal a start that fails gives the cursor back', async () => {
  const command = `NO_COLOR= CI= '${process.execPath}' '${built('nexa')}' up --nats-port 1 --data /dev/null/x`;
  const { stdout } = await promisify(execFile)('script', ['-qec', command, '/dev/null']).catch((error: { stdout: string }) => error);
  expect(stdout).toContain('\u001b[?25l');
  expect(stdout.lastIndexOf('\u001b[?25h')).toBeGreaterThan(stdout.lastIndexOf('\u001b[?25l'));
  expect(stdout).toMatch(/error store-misconfigured/);
});
