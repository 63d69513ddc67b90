import { spawn } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { headers } from 'nats';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePorts } from '../../src/nats-server/ports.ts';
import { type LiveCluster, liveCluster } from '../live/support.ts';
import { run } from '../package/project.ts';
import { natsServerBinary } from '../support/nats.ts';
import { until } from '../support/real.ts';
import { type Block, blocks, commandsOf, root, running } from './blocks.ts';

const place = ({ page, line }: Block): string => `${page}:${line}`;
const named = (found: readonly Block[]) => found.map((block) => ({ where: place(block), block }));
const command = join(root, 'dist/bin/nexa.js');
/** The pages show the cluster of `nexa up`; here it has another name and address. */
const here = (text: string): string =>
  text.replaceAll('nexa.nexa.v1', live.prefix).replaceAll(/nats:\/\/(127\.0\.0\.1|localhost):4222/g, live.urls[0] ?? '');

let folder: string;
let live: LiveCluster;
let env: Readonly<Record<string, string>>;

beforeAll(async () => {
  // What a user has after `npm install nexa zod nats`.
  folder = await mkdtemp(join(tmpdir(), 'nexa-docs-'));
  await mkdir(join(folder, 'node_modules/@types'), { recursive: true });
  await symlink(root, join(folder, 'node_modules/nexa'));
  for (const name of ['zod', 'nats', 'typescript', '@types/node'])
    await symlink(join(root, 'node_modules', name), join(folder, 'node_modules', name));
  await writeFile(join(folder, 'package.json'), '{"private":true,"type":"module"}');
  await cp(join(root, 'examples/agents'), join(folder, 'agents'), { recursive: true });
  live = await liveCluster({ agents: join(folder, 'agents') });
  env = { NEXA_NATS_URL: live.urls.join(','), NEXA_CLUSTER: live.cluster, NEXA_NATS_SERVER: natsServerBinary().path, NEXA_LOG: 'error' };
}, 90_000);
afterAll(async () => {
  await live?.stop();
  await rm(folder, { recursive: true, force: true });
});

test('every block of the pages is data, or a program that runs here, or says why not', () => {
  const known = new Set(['json', 'ts', 'js', 'sh', 'text', '']);
  expect(blocks.filter(({ language }) => !known.has(language)).map(place)).toEqual([]);
  expect(blocks.filter(({ notRun }) => notRun !== undefined).length).toBeLessThanOrEqual(5);
});

test('every JSON block is JSON, line by line where it has several', () => {
  for (const block of running('json')) {
    const whole = (text: string) => () => JSON.parse(text);
    try {
      whole(block.text)();
    } catch {
      for (const line of block.text.split('\n')) expect(whole(line), place(block)).not.toThrow();
    }
  }
});

describe('TypeScript and JavaScript', () => {
  const programs = running('ts', 'js');
  const file = (block: Block): string => `${block.page.replaceAll(/\W/g, '-')}-${block.line}`;
  beforeAll(async () => {
    await mkdir(join(folder, 'src'));
    for (const block of programs) {
      await writeFile(join(folder, 'src', `${file(block)}.${block.language}`), here(block.text));
    }
    const compilerOptions = {
      target: 'es2023',
      lib: ['es2023', 'esnext.disposable'],
      types: ['node'],
      module: 'nodenext',
      strict: true,
      allowJs: true,
      skipLibCheck: true,
      rootDir: 'src',
      outDir: 'out',
    };
    await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['src'] }));
    expect(await run(process.execPath, ['node_modules/typescript/bin/tsc'], folder)).toEqual({ exit: 0, stdout: '', stderr: '' });
  }, 60_000);

  test.each(named(programs))('the program at $where runs and ends by itself', async ({ block }) => {
    // They ask as a user would, with deadlines of a second, and tell him when a machine that stands still takes longer: then once more.
    const ran = () => run(process.execPath, [`out/${file(block)}.js`], folder, env);
    const first = await ran();
    expect(/code: '(ask-timeout|unavailable)'/.test(first.stderr) ? await ran() : first).toMatchObject({ exit: 0, stderr: '' });
  });
});

describe('messages', () => {
  /** What an answer is made of: its fields, and those of the first of a list. */
  const shape = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.slice(0, 1).map(shape);
    if (typeof value !== 'object' || value === null) return typeof value;
    return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, shape(field)]));
  };
  const ask = async (subject: string, body: string): Promise<unknown> =>
    (await live.client.nats.request(`${live.prefix}.${subject}`, body, { timeout: 20_000 })).json();
  const requests = blocks.flatMap((block, index) => {
    const subject = /^request (\S+)$/.exec(block.about)?.[1];
    const next = blocks[index + 1];
    const answer = next?.about === 'answer' ? next.text : undefined;
    return subject === undefined ? [] : [{ where: place(block), subject, body: block.text, answer }];
  });
  const ends = ({ subject, body }: (typeof requests)[number]): boolean => subject.startsWith('ctl.') && /"(stop|kill)"/.test(body);

  test.each(requests.filter((request) => !ends(request)))('a node answers $body at $where as shown', async ({ subject, body, answer }) => {
    const answered = await ask(subject, body);
    expect(answered).toMatchObject({ ok: true });
    if (answer !== undefined) expect(shape(answered)).toEqual(shape(JSON.parse(answer)));
  });

  test.each(
    running('json')
      .filter(({ text }) => text.startsWith('{ "subject"'))
      .map((block) => ({ where: place(block), block })),
  )('the messages at $where are answered', async ({ block }) => {
    for (const line of block.text.split('\n')) {
      const { subject, body } = JSON.parse(line) as { readonly subject: string; readonly body: object };
      expect(await ask(here(subject).slice(live.prefix.length + 1), JSON.stringify(body))).toMatchObject({ ok: true });
    }
  });
});

describe('the shell', () => {
  test.each(named(running('sh')))('the lines at $where do what they say', { timeout: 120_000 }, async ({ block }) => {
    for (const words of commandsOf(block)) await shell(words.map(here));
  });
});

async function shell(words: readonly string[]): Promise<void> {
  const line = words.join(' ');
  const [program, ...args] = words[0] === 'npx' ? words.slice(1) : words;
  switch (program) {
    case 'nexa':
      if (args[0] === 'up') return untilReady(args, / ready after|^ready after/m, line);
      if (args[0] === 'node') return untilReady(args, /is up in cluster/, line);
      return expect(await run(process.execPath, [command, ...args], folder, env), line).toMatchObject({ exit: 0 });
    case 'npm':
      return expectScript(args, line);
    case 'nats':
      return natsCommand(args, line);
    default:
      throw new Error(`nobody knows how to run: ${line}`);
  }
}

/** Starts what runs until it is told to stop, waits until it says that it is ready, and stops it as Ctrl-C does. */
async function untilReady(args: readonly string[], ready: RegExp, line: string): Promise<void> {
  const [ports] = await freePorts(1, '127.0.0.1');
  const own = args[0] === 'up' && !args.includes('--memory') ? ['--nats-port', String(ports?.client), '--data', join(folder, 'data')] : [];
  const child = spawn(process.execPath, [command, ...args, ...own], {
    cwd: folder,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  try {
    await until(
      () => ready.test(said) || child.exitCode !== null,
      60_000,
      () => said,
    );
  } finally {
    child.kill('SIGINT');
  }
  expect(await ended, `${line}\n${said}`).toBe(0);
}

/** What npm runs is this repository's own: its scripts exist; the suite that runs now is one of them. */
async function expectScript(args: readonly string[], line: string): Promise<void> {
  const { scripts } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as {
    readonly scripts: Readonly<Record<string, string>>;
  };
  const [verb = '', name = ''] = args;
  const script = verb === 'run' ? name : verb;
  if (verb === 'ci' || verb === 'install') return;
  expect(Object.keys(scripts), line).toContain(script);
}

/** The command line of NATS, as far as the pages use it. */
async function natsCommand([verb, subject = '', body = '', ...flags]: readonly string[], line: string): Promise<void> {
  const head = headers();
  for (let index = 0; index < flags.length; index += 2) {
    const [, name = '', value = ''] = /^([^:]+):(.*)$/.exec(flags[index + 1] ?? '') ?? [];
    expect(flags[index], line).toBe('-H');
    head.set(name, value);
  }
  if (verb === 'pub') return live.client.nats.publish(subject, body, { headers: head });
  expect(verb, line).toBe('req');
  expect((await live.client.nats.request(subject, body, { timeout: 20_000, headers: head })).json(), line).toMatchObject({ ok: true });
}

describe('messages that end a node', () => {
  const body = (type: string): string =>
    running('json').find(({ about, text }) => about.startsWith('request ctl.n1') && text.includes(type))?.text ?? '';
  const ask = async (subject: string, message: string): Promise<unknown> =>
    (await live.client.nats.request(`${live.prefix}.${subject}`, message, { timeout: 20_000 })).json();

  test('kill and stop are answered, and the node comes back, or has left', async () => {
    const told = live.events.length;
    expect(await ask('ctl.n1.launcher', body('kill'))).toMatchObject({ ok: true });
    await live.heard('ready', 'n1', told);
    const back = live.events.length;
    expect(await ask('ctl.n1', body('stop'))).toMatchObject({ ok: true });
    expect(await live.heard('exited', 'n1', back)).toMatchObject({ code: 0 });
  });
});
