import { type DrillRequest, runDrill } from '../../chaos/index.ts';
import { NexaError, toNexaError } from '../../src/errors.ts';
import { type Command, Failure, type Invocation, type Result, UsageError } from '../command.ts';
import { EXIT } from '../exit-code.ts';
import { countOf, required, text } from '../options.ts';
import { drillText, exitOf } from './drill-text.ts';
import { liveDrill } from './live.ts';

export const TIERS = ['namespaces', 'sudo', 'proxies'] as const;
/** What a script says itself. */
const OF_A_DRILL = ['seed', 'minutes', 'nodes', 'servers', 'workload', 'world'] as const;

/** `nexa chaos run` */
export const run: Command['run'] = async (invocation): Promise<Result> => {
  const request = requestOf(invocation);
  const live = liveDrill(invocation);
  const controller = new AbortController();
  const stop = (): void => controller.abort(new NexaError('cancelled', 'stopped by hand'));
  const ended = invocation.ended();
  ended.addEventListener('abort', stop, { once: true });
  if (ended.aborted) stop();
  let begun = false;
  try {
    const { report, folder } = await runDrill({
      ...request,
      signal: controller.signal,
      onProgress(now) {
        begun ||= now.phase !== 'opening' && now.phase !== 'closing';
        live.show(now);
      },
    });
    live.end();
    return { json: { event: 'report', folder, report }, text: (style) => drillText(report, folder, style), exit: exitOf(report.verdict) };
  } catch (thrown) {
    live.end();
    const error = toNexaError(thrown, 'internal');
    if (controller.signal.aborted) throw new Failure(error, EXIT.unknown);
    // What cannot begin is no failure of the harness, unless nobody foresaw it.
    if (begun || error.code === 'internal') throw new Failure(error, EXIT.harness);
    throw error;
  } finally {
    ended.removeEventListener('abort', stop);
  }
};

function requestOf({ args, options }: Pick<Invocation, 'args' | 'options'>): DrillRequest {
  const how = {
    tier: oneOf(options.tier, '--tier', TIERS),
    agents: text(options.agents),
    folder: text(options.folder),
  };
  const script = text(options.script);
  if (script !== undefined) {
    if (args.what !== undefined) throw new UsageError('a drill or a --script, not both');
    const besides = OF_A_DRILL.find((name) => options[name] !== undefined);
    if (besides !== undefined) throw new UsageError(`--${besides} is what the script says`);
    return { ...how, script };
  }
  return {
    ...how,
    drill: required(args.what, 'the drill, or a --script,'),
    seed: options.seed === undefined ? undefined : seedOf(options.seed),
    durationMs: options.minutes === undefined ? undefined : minutesMs(options.minutes),
    nodes: options.nodes === undefined ? undefined : countOf(options.nodes, '--nodes', { least: 1, most: 20, fallback: 3 }),
    servers:
      options.servers === undefined ? undefined : countOf(options.servers, '--servers', { least: 1, most: 3, oneOf: [1, 3], fallback: 3 }),
    workloads: text(options.workload)
      ?.split(',')
      .filter((name) => name !== ''),
    world: oneOf(options.world, '--world', ['processes', 'simulation']),
  };
}

function oneOf<T extends string>(value: unknown, flag: string, values: readonly T[]): T | undefined {
  const given = text(value);
  const known = values.find((each) => each === given);
  if (given !== undefined && known === undefined)
    throw new UsageError(`${flag} takes ${values.join(' or ')}, not ${JSON.stringify(given)}`);
  return known;
}

function seedOf(value: unknown): number {
  const seed = Number(text(value));
  if (/^\d{1,10}$/.test(text(value) ?? '') && seed < 2 ** 32) return seed;
  throw new UsageError(`--seed takes a whole number from 0 to ${2 ** 32 - 1}, not ${JSON.stringify(value)}`);
}

const MOST_MINUTES = 1_440;
function minutesMs(value: unknown): number {
  const minutes = /^\d{1,5}(\.\d{1,20})?$/.test(text(value) ?? '') ? Number(value) : Number.NaN;
  const ms = Math.round(minutes * 60_000);
  if (ms >= 1 && minutes <= MOST_MINUTES) return ms;
  throw new UsageError(`--minutes takes a number up to ${MOST_MINUTES}, such as 5 or 0.5, not ${JSON.stringify(value)}`);
}
