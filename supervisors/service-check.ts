import { get as getHttp } from 'node:http';
import { get as getHttps } from 'node:https';
import { connect } from 'node:net';
import { NexaError } from '../src/errors.ts';
import type { Check, Finding } from '../src/ports/check.ts';

/** A service outside the cluster that agents of this node need: a database, an API. Probed at the start and every 30 s. */
export type ServiceOptions = {
  /** Shown as `service:<name>`; letters, digits, `.`, `_` and `-`, at most 64. */
  readonly name: string;
  /** Without it the node does not start. Default false: it starts, and is degraded. */
  readonly required?: boolean;
  /** For one probe. Default 2,000, at most 60,000. */
  readonly timeoutMs?: number;
} & (
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  /** The same by URL: `postgres://db.internal:5432`. Only host and port are used. */
  | { readonly kind: 'tcp'; readonly url: string }
  | {
      readonly kind: 'http';
      readonly url: string;
      /** Default: any from 200 to 299. */
      readonly expectStatus?: number | undefined;
    }
);

const PROBE_MS = { standard: 2_000, longest: 60_000 } as const;
const EVERY_MS = 30_000;
const MOST_SERVICES = 64;
const NAME = /^[A-Za-z0-9._-]{1,64}$/;
/** Of those whose URLs come without one. */
const PORTS: Readonly<Record<string, number>> = {
  'postgres:': 5_432, 'postgresql:': 5_432, 'mysql:': 3_306, 'redis:': 6_379, 'mongodb:': 27_017, 'amqp:': 5_672, 'nats:': 4_222, 'http:': 80, 'https:': 443,
}; // biome-ignore format: a table

/** One check per declared service. @throws NexaError `invalid-definition` naming the field that does not fit. */
export function serviceChecks(services: readonly ServiceOptions[]): readonly Check[] {
  if (services.length > MOST_SERVICES) throw misfit('services', `at most ${MOST_SERVICES} services are probed`);
  const names = new Set<string>();
  return services.map((service) => {
    const { name, kind, required = false, timeoutMs = PROBE_MS.standard } = service;
    if (!NAME.test(name)) throw misfit('name', `a service is called ${JSON.stringify(String(name).slice(0, 64))}`);
    if (names.has(name)) throw misfit(name, 'two services have this name');
    names.add(name);
    if (!(timeoutMs >= 1 && timeoutMs <= PROBE_MS.longest)) throw misfit(`${name}.timeoutMs`, `it is from 1 to ${PROBE_MS.longest}`);
    const target = kind === 'http' ? httpTarget(name, service.url) : tcpTarget(service);
    const probe = kind === 'http' ? () => probeHttp(target, service.expectStatus, timeoutMs) : () => probeTcp(target, timeoutMs);
    return {
      name: `service:${name}`,
      required,
      timeoutMs: timeoutMs + 500,
      everyMs: EVERY_MS,
      async run(): Promise<Finding> {
        const where = { service: name, url: shown(target) };
        const fromMs = performance.now();
        const wrong = await probe();
        if (wrong === undefined)
          return { verdict: 'ok', message: `${shown(target)} answers in ${Math.round(performance.now() - fromMs)} ms`, where };
        const fix = `Start it, correct the service ${name} in the configuration, or declare it optional.`;
        return { verdict: 'failed', code: 'unavailable', message: `${shown(target)} ${wrong}`, fix, where };
      },
    };
  });
}

/** Undefined: it answers as it should; else what is wrong. */
function probeTcp({ hostname, port, protocol }: URL, timeoutMs: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host: bare(hostname), port: port === '' ? (PORTS[protocol] ?? 0) : Number(port) });
    const timer = setTimeout(() => done(`does not answer within ${timeoutMs} ms`), timeoutMs);
    const done = (wrong: string | undefined): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(wrong);
    };
    socket.once('connect', () => done(undefined));
    socket.on('error', (error: NodeJS.ErrnoException) => done(`cannot be reached (${error.code ?? error.message})`));
  });
}

/** Only the status counts: of the body not a byte is kept, and no redirect is followed. */
function probeHttp(url: URL, expected: number | undefined, timeoutMs: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => done(`does not answer within ${timeoutMs} ms`), timeoutMs);
    const request = (url.protocol === 'https:' ? getHttps : getHttp)(url, { agent: false }, ({ statusCode = 0 }) => {
      const fits = expected === undefined ? statusCode >= 200 && statusCode < 300 : statusCode === expected;
      done(fits ? undefined : `answers ${statusCode} instead of ${expected ?? '200 to 299'}`);
    });
    const done = (wrong: string | undefined): void => {
      clearTimeout(timer);
      request.destroy();
      resolve(wrong);
    };
    request.on('error', (error: NodeJS.ErrnoException) => done(`cannot be reached (${error.code ?? error.message})`));
  });
}

function httpTarget(name: string, text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) throw misfit(`${name}.url`, 'it is no http or https URL');
  return url;
}

function tcpTarget(service: Extract<ServiceOptions, { readonly kind: 'tcp' }>): URL {
  const text =
    'url' in service ? service.url : `tcp://${service.host.includes(':') ? `[${bare(service.host)}]` : service.host}:${service.port}`;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || url.hostname === '') throw misfit(`${service.name}.url`, 'it names no host and port');
  if (url.port === '' && PORTS[url.protocol] === undefined) throw misfit(`${service.name}.url`, 'it names no port');
  return url;
}

const bare = (hostname: string): string => hostname.replace(/^\[|\]$/g, '');
/** Without user, password and query: they are secrets. */
const shown = ({ protocol, host, pathname }: URL): string => `${protocol}//${host}${pathname === '/' ? '' : pathname}`;
const misfit = (field: string, message: string): NexaError =>
  new NexaError('invalid-definition', `services: ${field}: ${message}`, {
    where: { field: `services.${field}` },
    fix: 'Correct it in the configuration.',
  });
