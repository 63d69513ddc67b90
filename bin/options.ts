import { type Environment, serverList } from '../supervisors/config.ts';
import type { Config } from '../supervisors/config-schema.ts';
import { UsageError } from './command.ts';

const DEFAULT_URL = 'nats://127.0.0.1:4222';

/** Where the cluster is: the option, else the environment, else the configuration file, else the server that `nexa up` starts. */
export function serverOf(
  options: Readonly<Record<string, unknown>>,
  environment: Environment,
  { nats, cluster }: Config,
): { readonly nats: string; readonly cluster: string } {
  return {
    nats: text(options.nats) ?? environment.natsUrl ?? (nats?.urls === undefined ? DEFAULT_URL : serverList(nats.urls).join(',')),
    cluster: text(options.cluster) ?? environment.cluster ?? cluster ?? 'nexa',
  };
}

/** From which level on a node logs. */
export const logLevelOf = (environment: Environment, { log }: Config): string => environment.logLevel ?? log?.level ?? 'warn';

/** An option's value; undefined if it was not given or is a flag. */
export const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

/** @throws UsageError if the argument is missing. */
export function required(value: string | undefined, name: string): string {
  if (value === undefined || value === '') throw new UsageError(`${name} is missing`);
  return value;
}

const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000 };

/** `500ms`, `5s`, `2m` in milliseconds, at most 10 m. @throws UsageError. */
export function durationMs(value: unknown, fallbackMs: number): number {
  const given = text(value);
  if (given === undefined) return fallbackMs;
  const [, amount, unit] = /^(\d{1,9}(?:\.\d{1,3})?)(ms|s|m)$/.exec(given) ?? [];
  const ms = Math.round(Number(amount) * (unitMs[unit ?? ''] ?? Number.NaN));
  if (!(ms >= 1 && ms <= 600_000)) throw new UsageError(`${JSON.stringify(given)} is no duration between 1ms and 10m, such as 500ms or 5s`);
  return ms;
}

/** @throws UsageError naming what was to be JSON. */
export function jsonOf(value: string, name: string): unknown {
  try {
    return JSON.parse(value);
  } catch (error) {
    throw new UsageError(`${name} is not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** A command for an agent: a JSON object with its `type`. @throws UsageError. */
export function messageOf(value: string | undefined): { readonly type: string } {
  const message = jsonOf(required(value, 'the command'), 'the command');
  if (typeof message !== 'object' || message === null || !('type' in message) || typeof message.type !== 'string') {
    throw new UsageError(`a command is a JSON object with a type, such as '{"type":"get"}'`);
  }
  return message as { readonly type: string };
}

/** `counter/alice`: everything after the first slash is the id. @throws UsageError. */
export function agentOf(value: string | undefined): { readonly type: string; readonly id: string } {
  const given = required(value, 'the agent');
  const slash = given.indexOf('/');
  if (slash < 1 || slash === given.length - 1)
    throw new UsageError(`${JSON.stringify(given)} names no agent: write <type>/<id>, such as counter/alice`);
  return { type: given.slice(0, slash), id: given.slice(slash + 1) };
}

/** `zone=eu,disk=ssd`. @throws UsageError. */
export function labelsOf(value: unknown): Readonly<Record<string, string>> | undefined {
  const given = text(value);
  if (given === undefined) return undefined;
  return Object.fromEntries(
    given.split(',').map((pair) => {
      const [name, label] = pair.split('=', 2);
      if (!name || label === undefined) throw new UsageError(`${JSON.stringify(pair)} is no label: write name=value`);
      return [name, label];
    }),
  );
}

/** A whole number within bounds. @throws UsageError. */
export function countOf(
  value: unknown,
  flag: string,
  bounds: { readonly least: number; readonly most: number; readonly fallback: number; readonly oneOf?: readonly number[] },
): number {
  const given = text(value);
  if (given === undefined) return bounds.fallback;
  const count = /^\d{1,9}$/.test(given) ? Number(given) : Number.NaN;
  if (bounds.oneOf !== undefined && !bounds.oneOf.includes(count))
    throw new UsageError(`${flag} takes ${bounds.oneOf.join(' or ')}, not ${JSON.stringify(given)}`);
  if (!(count >= bounds.least && count <= bounds.most))
    throw new UsageError(`${flag} takes a whole number from ${bounds.least} to ${bounds.most}, not ${JSON.stringify(given)}`);
  return count;
}
