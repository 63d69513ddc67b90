import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { built, eventually } from './support.ts';

/** `nexa …` as a process of its own, as a user starts it. */
export interface Program {
  readonly pid: number;
  readonly child: ChildProcess;
  readonly stdout: string;
  readonly stderr: string;
  /** Its exit code, or the signal that ended it. */
  readonly ended: Promise<number | string>;
  /** Waits for a line on stderr. @returns the match. */
  says(pattern: RegExp): Promise<RegExpExecArray>;
}

const HELD_OPEN_MS = 2_000;

export function program(argv: readonly string[], env: Readonly<Record<string, string>> = {}): Program {
  const { NEXA_NATS_URL: _, NEXA_CLUSTER: __, NEXA_WORKER: ___, NEXA_LOG: ____, ...rest } = process.env;
  const child = spawn(process.execPath, [built('nexa'), ...argv], { stdio: ['ignore', 'pipe', 'pipe'], env: { ...rest, ...env } });
  const written = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    written.stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    written.stderr += text;
  });
  // With all it wrote; but somebody it left behind may hold its output open.
  const ended = new Promise<number | string>((resolve) => {
    child.once('exit', (code, signal) => {
      const end = (): void => resolve(code ?? signal ?? 'unknown');
      child.once('close', end);
      setTimeout(end, HELD_OPEN_MS).unref();
    });
  });
  return {
    pid: child.pid ?? 0,
    child,
    get stdout() {
      return written.stdout;
    },
    get stderr() {
      return written.stderr;
    },
    ended,
    says: (pattern) =>
      eventually(`it says ${pattern}`, 120_000, () => {
        if (child.exitCode !== null && !pattern.test(written.stderr)) throw new Error(`it ended: ${written.stderr}`);
        return pattern.exec(written.stderr);
      }),
  };
}

/** What a node or a launcher warns of when it was not run for seconds: on a machine that stood still that is right. */
const STOOD_STILL =
  /"msg":"(an alert|suspended: the lease was not renewed in time|no successful renewal: trying another server|own beats are not heard: the data connection follows|a member record could not be written|the NATS server reported an error)"/;
/** The lines of a program's stderr, without those that only tell of a machine that stood still. */
export const linesOf = (stderr: string): readonly string[] =>
  stderr
    .trimEnd()
    .split('\n')
    .filter((line) => !STOOD_STILL.test(line));

/** One command to its end. */
export async function nexa(
  ...argv: readonly string[]
): Promise<{ readonly exit: number | string; readonly stdout: string; readonly stderr: string }> {
  const running = program(argv);
  const closed = new Promise((resolve) => running.child.once('close', resolve));
  const exit = await running.ended;
  await closed;
  return { exit, stdout: running.stdout, stderr: running.stderr };
}

/** A folder that is gone when the test is. */
export async function temporary(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'nexa-live-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true, maxRetries: 5 }) };
}

/** A user's agent type, in a folder of its own below `folder`: it counts by `config.step`, crashes when told to, has a plain child. */
export async function moodyAgents(folder: string): Promise<string> {
  const agents = join(folder, 'agents');
  await mkdir(agents);
  await writeFile(
    join(agents, 'moody.ts'),
    `import { command, defineAgent, receive } from 'nexa';
import { z } from 'zod';
const value = z.object({ value: z.int() });
export const moody = defineAgent({
  type: 'moody',
  version: 1,
  commands: {
    add: command({}, { reply: value }),
    get: command({}, { reply: value }),
    crash: command({ why: z.string() }),
    child: command({}, { reply: z.string() }),
  },
  config: z.object({ step: z.int().default(1) }),
  state: value,
  initial: { value: 0 },
}).handle({
  add({ state, config }) {
    const next = { value: state.value + config.step };
    return { state: next, reply: next };
  },
  get: ({ state }) => ({ reply: state }),
  crash(_context, { why }) {
    throw new Error(why);
  },
  child(context) {
    const { epoch } = context;
    const child =
      context.children.get('child') ??
      context.spawn({ behavior: () => receive((own, message) => own.reply(message, 'child of ' + epoch)) }, 'child');
    return { reply: child.toJSON() };
  },
});
`,
  );
  return agents;
}
