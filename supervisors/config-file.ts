import { existsSync, statSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { NexaError } from '../src/errors.ts';
import type { Config } from './config-schema.ts';

/** What a configuration file says. */
export interface ConfigFile {
  /** Absolute; undefined: there is none, and `config` is empty. */
  readonly file: string | undefined;
  /** Folders in it are absolute: they are meant relative to the file. */
  readonly config: Config;
}

const NAMES = ['ts', 'mts', 'js', 'mjs', 'cjs', 'json', 'yaml', 'yml'].map((extension) => `nexa.config.${extension}`);
const LOADABLE = /\.(?:[cm]?[jt]s|json|ya?ml)$/;
const MOST_BYTES = 1_048_576;

/**
 * The configuration file of a folder, or the one that is named: TypeScript, JavaScript, JSON or YAML. It is the last that is asked: a
 * flag goes before a variable, a variable before the file, the file before the default.
 * @param nexa the package itself, for a file that imports it by name.
 * @throws NexaError `invalid-definition` naming the file and all that is wrong in it at once.
 */
export async function readConfigFile(options: {
  readonly folder: string;
  readonly named?: string | undefined;
  readonly nexa: () => Promise<object>;
}): Promise<ConfigFile> {
  const file = fileOf(options);
  if (file === undefined) return { file, config: {} };
  return { file, config: inFolder(await checked(await exportedBy(file, options.nexa), file), dirname(file)) };
}

function fileOf({ folder, named }: { readonly folder: string; readonly named?: string | undefined }): string | undefined {
  if (named !== undefined) {
    const file = resolve(folder, named);
    if (!existsSync(file) || !statSync(file).isFile()) throw wrong(file, 'there is no such file', 'Pass --config a file that exists.');
    if (!LOADABLE.test(file)) throw wrong(file, 'is of no known kind', 'Name it .ts, .js, .json or .yaml.');
    return file;
  }
  const [first, second] = NAMES.map((name) => resolve(folder, name)).filter((file) => existsSync(file));
  if (first !== undefined && second !== undefined)
    throw wrong(first, `${basename(second)} is there too, and only one of them can count`, 'Remove one, or name one with --config.');
  return first;
}

async function exportedBy(file: string, nexa: () => Promise<object>): Promise<unknown> {
  if (statSync(file).size > MOST_BYTES) throw wrong(file, `it is larger than ${MOST_BYTES} bytes`, 'Write less into it.');
  try {
    const { loadConfig } = await import('c12');
    // Only a module can import this package: of this very copy it is, installed or not.
    const modules = /\.(?:json|ya?ml)$/.test(file) ? {} : { nexa: await nexa() };
    const { config } = await loadConfig<Record<string, unknown>>({
      cwd: dirname(file),
      configFile: basename(file),
      // This one file and nothing else: no layers, no dot files, no variables, nothing fetched.
      rcFile: false,
      packageJson: false,
      dotenv: false,
      extend: false,
      giget: false,
      envName: false,
      merger: (...layers) => layers.find((layer) => layer !== undefined) ?? {},
      jitiOptions: { fsCache: false, moduleCache: false, interopDefault: true, virtualModules: modules },
    });
    return config;
  } catch (cause) {
    const [line = ''] = (cause instanceof Error ? cause.message : String(cause)).split('\n', 1);
    throw wrong(file, `it does not load: ${line.slice(0, 300)}`, 'Correct it; `defineConfig` from nexa gives the types.', cause);
  }
}

/** @throws NexaError `invalid-definition` naming every key that is wrong, unknown or missing. */
export async function checked(given: unknown, file: string): Promise<Config> {
  // Most folders have no such file, and then nobody waits for the schema to be made.
  const { problemsOf } = await import('./config-problems.ts');
  const { config, problems } = problemsOf(given);
  if (config !== undefined) return config;
  const message = problems.map(({ key, problem }) => (key === '' ? problem : `${key}: ${problem}`)).join('; ');
  const keys = problems.map(({ key }) => key).filter((key) => key !== '');
  throw new NexaError('invalid-definition', message, {
    where: { file, ...(keys.length === 0 ? {} : { keys: keys.join(' ') }) },
    fix: 'docs/configuration.md lists every key.',
  });
}

/** Folders are meant from where the file lies, not from where somebody stands. */
function inFolder(config: Config, folder: string): Config {
  const { agents, nats, processes } = config;
  return {
    ...config,
    ...(agents === undefined ? {} : { agents: resolve(folder, agents) }),
    ...(nats?.data === undefined ? {} : { nats: { ...nats, data: resolve(folder, nats.data) } }),
    ...(processes === undefined
      ? {}
      : {
          processes: Object.fromEntries(
            Object.entries(processes).map(([name, each]) => [name, { ...each, cwd: resolve(folder, each.cwd ?? '.') }]),
          ),
        }),
  };
}

const wrong = (file: string, message: string, fix: string, cause?: unknown): NexaError =>
  new NexaError('invalid-definition', message, { where: { file }, fix, ...(cause === undefined ? {} : { cause }) });
