import { createRequire } from 'node:module';
import { CommanderError, Option, Command as Program } from 'commander';
import type { Client } from '../src/client.ts';
import { type ErrorData, toNexaError } from '../src/errors.ts';
import { hideLogins } from '../src/ports/hide-logins.ts';
import type { Environment } from '../supervisors/config.ts';
import { readConfigFile } from '../supervisors/config-file.ts';
import { type Command, Failure, type Invocation, type Result, type Screen, UsageError } from './command.ts';
import { commandNames, loadCommand } from './commands.ts';
import { EXIT, type ExitCode, exitCodeOf } from './exit-code.ts';
import { FORMATS, type Format, formatOf, notation } from './format.ts';
import { withHint } from './hint.ts';
import { serverOf, text } from './options.ts';
import { errorLine, type Style, styleFor } from './output.ts';
import { pause } from './pause.ts';
import { untilSignal } from './signals.ts';
import { type Splash, type SplashOptions, splash } from './splash.ts';

/** A place to write to. */
export interface Sink {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
  write(text: string): unknown;
}
export interface Main {
  /** Without `node` and the script. */
  readonly argv: readonly string[];
  readonly environment: Environment;
  readonly stdout: Sink;
  readonly stderr: Sink;
  /** Where a configuration file is looked for. Default: the working directory. */
  readonly folder?: string;
  /** Default: src/client.ts, loaded when a command first needs it. */
  readonly connect?: (server: { readonly nats: string; readonly cluster: string }) => Promise<Client>;
  /** Ends a command that goes on. Default: Ctrl-C and SIGTERM. */
  readonly ended?: AbortSignal;
  /** Default: {@link pause}. */
  readonly wait?: (ms: number, ended: AbortSignal) => Promise<void>;
}

const open: NonNullable<Main['connect']> = async (server) => (await import('../src/client.ts')).connect({ ...server, listed: false });
const version = (): string => (createRequire(import.meta.url)('nexa/package.json') as { readonly version: string }).version;

const screenOf = (sink: Sink, style: Style): Screen | undefined =>
  sink.isTTY === true
    ? {
        get columns() {
          return sink.columns ?? 80;
        },
        get rows() {
          return sink.rows ?? 24;
        },
        style,
        write: (text) => void sink.write(text),
      }
    : undefined;

function splashOn(
  sink: Sink,
  start: Pick<SplashOptions, 'boot' | 'each' | 'emit'>,
  { noColor, ci }: Pick<Environment, 'noColor' | 'ci'>,
): Splash {
  const live = sink.isTTY === true && !noColor && !ci && start.emit === undefined;
  const shown = splash({
    ...start,
    write: (text) => void sink.write(text),
    style: styleFor(sink.isTTY === true && !noColor),
    get terminal() {
      return live ? { columns: sink.columns ?? 80, rows: sink.rows ?? 24 } : undefined;
    },
    nowMs: () => performance.now(),
    every(ms, run) {
      const timer = setInterval(run, ms).unref();
      return () => clearInterval(timer);
    },
  });
  // However the process ends, the terminal has its cursor again.
  if (live) process.once('exit', shown.end);
  return shown;
}

/** One command line, from arguments to exit code. Nothing thrown leaves it. */
export async function main({
  argv,
  environment,
  stdout,
  stderr,
  folder = process.cwd(),
  connect = open,
  ended,
  wait = pause,
}: Main): Promise<number> {
  const styleOn = (sink: Sink) => styleFor(sink.isTTY === true && !environment.noColor);
  const fail = async (error: ErrorData, exitCode: number): Promise<number> => {
    const written = await notation(formatOf(argv));
    if (written !== undefined) stdout.write(`${written({ ok: false, error })}\n`);
    else stderr.write(`${errorLine(error, styleOn(stderr))}\n`);
    return exitCode;
  };

  const configOf = async (named: string | undefined) => (await readConfigFile({ folder, named, nexa: () => import('../index.ts') })).config;
  const run = async (command: Command, invocation: Omit<Invocation, 'connect'>): Promise<Result | undefined> => {
    let client: Promise<Client> | undefined;
    try {
      return await command.run({ ...invocation, connect: () => (client ??= connect(invocation.server)) });
    } catch (thrown) {
      throw await withHint(thrown, await client?.catch(() => undefined));
    } finally {
      await (await client?.catch(() => undefined))?.[Symbol.asyncDispose]();
    }
  };

  let exit: ExitCode = EXIT.ok;
  const program = new Program('nexa')
    .description('A distributed actor runtime on NATS: nodes, agents, and what they are doing.')
    .version(version(), '-V, --version')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => stdout.write(text),
      writeErr: (text) => stderr.write(text),
      // Written below, in the form that was asked for.
      outputError: () => {},
      getOutHelpWidth: () => stdout.columns ?? 100,
      getErrHelpWidth: () => stderr.columns ?? 100,
      getOutHasColors: () => stdout.isTTY === true && !environment.noColor,
      getErrHasColors: () => stderr.isTTY === true && !environment.noColor,
    })
    .addHelpText('after', '\nEach command has its own help: nexa <command> --help');

  const add = (name: string, command: Command): void => {
    const sub = program.command(name).description(command.summary);
    for (const { name: arg, about, optional, many } of command.args ?? []) {
      const words = many === true ? `${arg}...` : arg;
      sub.argument(optional === true ? `[${words}]` : `<${words}>`, about);
    }
    for (const { flags, about } of command.options ?? []) sub.option(flags, about);
    // An agent's configuration is called so too: there the variable names the file.
    const namesFile = command.options?.some(({ flags }) => /^--config\b/.test(flags)) !== true;
    if (namesFile)
      sub.option('--config <file>', 'the configuration file (NEXA_CONFIG; else nexa.config.ts, .js, .json or .yaml of this folder)');
    sub
      .addOption(new Option('-o, --output <format>', 'table for people, json or yaml for programs').choices(FORMATS).default('table'))
      .option('--nats <urls>', 'NATS servers (NEXA_NATS_URL)')
      .option('--cluster <name>', 'the cluster (NEXA_CLUSTER)')
      .addHelpText('after', `\nExamples:\n${command.examples.map((example) => `  $ ${example}`).join('\n')}`)
      .action(async () => {
        const options = sub.opts<Invocation['options']>();
        const args = Object.fromEntries(
          (command.args ?? []).map(({ name, many }, index) => {
            const words = sub.args.slice(index, many === true ? undefined : index + 1);
            return [name, words.length === 0 ? undefined : words.join(' ')];
          }),
        );
        const written = await notation(options.output as Format);
        const emit = (part: Result) => void stdout.write(`${written?.(part.json) ?? part.text(styleOn(stdout))}\n`);
        const config =
          command.unconfigured === true ? {} : await configOf((namesFile ? text(options.config) : undefined) ?? environment.configFile);
        let aborted = ended;
        const end = (): AbortSignal => (aborted ??= untilSignal().aborted);
        const result = await run(command, {
          args,
          options,
          environment,
          config,
          server: serverOf(options, environment, config),
          progress: (line) => void stderr.write(`${line}\n`),
          emit,
          splash: (start) => splashOn(stderr, { ...start, emit: written === undefined ? undefined : emit }, environment),
          ended: end,
          pause: (ms) => wait(ms, end()),
          screen: options.output === 'table' ? screenOf(stdout, styleOn(stdout)) : undefined,
        });
        if (result === undefined) return;
        emit(result);
        exit = result.exit ?? EXIT.ok;
      });
  };

  try {
    const names = await commandNames();
    // Only the command that is meant is loaded; help and what it may have meant need them all.
    const meant = names.filter((name) => name === argv[0]);
    for (const name of meant.length > 0 ? meant : names) add(name, await loadCommand(name));
    if (argv.length === 0) {
      program.outputHelp();
      return EXIT.ok;
    }
    await program.parseAsync(argv, { from: 'user' });
    return exit;
  } catch (error) {
    if (error instanceof CommanderError || error instanceof UsageError) {
      if (error instanceof CommanderError && error.exitCode === 0) return EXIT.ok;
      // It repeats what was typed, addresses of servers among it.
      const message = hideLogins(error.message.replace(/^error: /, '').replaceAll('\n', ' '));
      const fix = `See nexa ${program.commands.length === 1 ? `${argv[0]} ` : ''}--help.`;
      return fail({ code: 'usage', message, fix }, EXIT.usage);
    }
    if (error instanceof Failure) return fail(error.error.toJSON(), error.exit);
    const known = toNexaError(error, 'internal');
    return fail(known.toJSON(), exitCodeOf(known.code));
  }
}
