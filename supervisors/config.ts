import { shownServers } from '../src/nats/login.ts';

/** The environment a process was started with, read once. Everything else takes it by parameter: this is its only reader. */
export interface Environment {
  /** NEXA_NATS_URL: server URLs, separated by commas. */
  readonly natsUrl?: string;
  /** NEXA_CLUSTER */
  readonly cluster?: string;
  /** NEXA_CONFIG: the configuration file. */
  readonly configFile?: string;
  /** NEXA_NATS_SERVER: a nats-server binary. */
  readonly natsServer?: string;
  /** NEXA_LOG: silent, debug, info, warn or error. */
  readonly logLevel?: string;
  /** NEXA_WORKER: what a launcher tells the process it starts. */
  readonly worker?: string;
  readonly noColor: boolean;
  readonly ci: boolean;
  readonly path: string;
  /** Where caches go: XDG_CACHE_HOME, else ~/.cache. */
  readonly cacheHome?: string;
  readonly home?: string;
}

export function readEnvironment(): Environment {
  const env = process.env;
  const given = <Key extends string>(key: Key, value: string | undefined): { readonly [K in Key]?: string } =>
    (value === undefined || value === '' ? {} : { [key]: value }) as { readonly [K in Key]?: string };
  return {
    ...given('natsUrl', env.NEXA_NATS_URL),
    ...given('cluster', env.NEXA_CLUSTER),
    ...given('configFile', env.NEXA_CONFIG),
    ...given('natsServer', env.NEXA_NATS_SERVER),
    ...given('logLevel', env.NEXA_LOG),
    ...given('worker', env.NEXA_WORKER),
    ...given('cacheHome', env.XDG_CACHE_HOME),
    ...given('home', env.HOME),
    noColor: env.NO_COLOR !== undefined && env.NO_COLOR !== '',
    ci: env.CI !== undefined && env.CI !== '',
    path: env.PATH ?? '',
  };
}

/** All of it, for programs that we start: a package tool needs the machine's proxy settings. */
export const rawEnvironment = (): NodeJS.ProcessEnv => ({ ...process.env });
const HARMLESS = ['PATH', 'HOME', 'USER', 'LANG', 'LC_ALL', 'TZ', 'TMPDIR'] as const;
/** What a program that a user configured finds of ours: nothing that could be a secret. */
export const plainEnvironment = (): Readonly<Record<string, string>> =>
  Object.fromEntries(HARMLESS.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])));
/** The environment of a child: ours, with what the launcher tells it. */
export const childEnvironment = (worker: string): NodeJS.ProcessEnv => ({ ...process.env, NEXA_WORKER: worker });

/** Server URLs from one text or several. */
export const serverList = (urls: string | readonly string[]): readonly string[] =>
  (typeof urls === 'string' ? urls.split(',') : urls).map((url) => url.trim()).filter((url) => url !== '');
/** The same as people are told of them: without user and password. */
export const shownServerList = (urls: string): string => shownServers(serverList(urls));
