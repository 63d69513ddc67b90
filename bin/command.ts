import type { Client } from '../src/client.ts';
import type { NexaError } from '../src/errors.ts';
import type { Environment } from '../supervisors/config.ts';
import type { Config } from '../supervisors/config-schema.ts';
import type { ExitCode } from './exit-code.ts';
import type { Style } from './output.ts';
import type { Splash } from './splash.ts';

/** What a command gives back: the documented JSON, and the same for people. Only `main` writes either. */
export interface Result {
  readonly json: unknown;
  /** Without the last newline. */
  readonly text: (style: Style) => string;
  /** How the process ends where the answer is not the one that was hoped for. Default 0. */
  readonly exit?: ExitCode;
}

/** One call of a command: what was typed, and what it may reach. */
export interface Invocation {
  /** By the name in {@link Command.args}; absent ones are undefined. */
  readonly args: Readonly<Record<string, string | undefined>>;
  /** By their long name in camel case; flags are true. */
  readonly options: Readonly<Record<string, string | true | undefined>>;
  readonly environment: Environment;
  /** What the configuration file says; an option or a variable goes before it. Empty without a file. */
  readonly config: Config;
  readonly server: { readonly nats: string; readonly cluster: string };
  /** Connects at the first call; closed when the command is over. @throws NexaError `disconnected`. */
  connect(): Promise<Client>;
  /** One line for whoever waits, on stderr; never part of the output. */
  progress(line: string): void;
  /** Shows a start as it goes: on stderr, or as lines of data. `each`: every check of a node by itself. End it. */
  splash(start: { readonly boot: string; readonly each: boolean }): Splash;
  /** For a command that goes on: writes a part of its output now, as one line of JSON or as text. */
  emit(part: Result): void;
  /** For a command that goes on: aborted by the first Ctrl-C or SIGTERM, a second one ends the process. */
  ended(): AbortSignal;
  /** Resolves after so long, or as soon as the command is {@link ended}. */
  pause(ms: number): Promise<void>;
  /** The terminal, if there is one and text for people is wanted. */
  readonly screen: Screen | undefined;
}

/** A terminal that a command may paint on. */
export interface Screen {
  readonly columns: number;
  readonly rows: number;
  readonly style: Style;
  write(text: string): void;
}

/** A command is one file in bin/commands named after it, exporting one of these as `command`. Nothing else lists it. */
export interface Command {
  readonly summary: string;
  readonly args?: readonly {
    readonly name: string;
    readonly about: string;
    readonly optional?: boolean;
    /** What completion offers, or by the first argument what it offers then. */
    readonly values?: readonly string[] | Readonly<Record<string, readonly string[]>>;
    /** The last one may take several words, joined by blanks. */
    readonly many?: boolean;
  }[];
  /** Besides `-o`, `--config`, `--nats` and `--cluster`, which every command has. */
  readonly options?: readonly { readonly flags: string; readonly about: string; readonly values?: readonly string[] }[];
  /** It works without a configuration file, and also with one that is wrong. */
  readonly unconfigured?: true;
  /** Whole command lines, shown by `--help`. */
  readonly examples: readonly string[];
  /** Nothing returned: it said what it had to say while it ran. */
  run(invocation: Invocation): Promise<Result | undefined>;
}

/** An error after which the process ends otherwise than its code says. */
export class Failure extends Error {
  readonly error: NexaError;
  readonly exit: ExitCode;
  constructor(error: NexaError, exit: ExitCode) {
    super(error.message, { cause: error });
    this.error = error;
    this.exit = exit;
  }
}

/** What was typed is wrong: exit code 2 and a hint at the help. */
export class UsageError extends Error {}
