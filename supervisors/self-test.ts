import { NexaError, toNexaError } from '../src/errors.ts';
import type { Check, CheckResult, Finding, SelfTest } from '../src/ports/check.ts';
import type { Clock } from '../src/ports/clock.ts';
import { inTime } from '../src/ports/in-time.ts';
import type { Logger } from '../src/ports/logger.ts';
import type { Random } from '../src/ports/random.ts';
import { systemRandom } from '../src/system-random.ts';

export interface SelfTestOptions {
  readonly clock: Clock;
  /** As each is through, in the order in which they are. */
  readonly onResult?: (result: CheckResult) => void;
  /** What was found before: checks may come after one of these. */
  readonly before?: readonly CheckResult[];
}

/**
 * Runs checks all at once, each after those that it names and within its own time. Never rejects.
 * @returns the results in the order of the list, after those from before.
 */
export async function selfTest(checks: readonly Check[], options: SelfTestOptions): Promise<SelfTest> {
  const { clock, before = [] } = options;
  const fromMs = clock.monotonicMs();
  const through = new Map<string, Promise<CheckResult>>(before.map((result) => [result.check, Promise.resolve(result)]));
  const one = async (check: Check): Promise<CheckResult> => {
    const first = await Promise.all((check.after ?? []).flatMap((name) => through.get(name) ?? []));
    const startMs = clock.monotonicMs();
    const broken = first.find(({ verdict }) => verdict === 'failed');
    const finding: Finding =
      broken === undefined ? await found(check, clock) : { verdict: 'skipped', message: `not looked at: ${broken.check} comes first` };
    const tookMs = Math.round((clock.monotonicMs() - startMs) * 10) / 10;
    const result = { ...finding, check: check.name, required: check.required, tookMs };
    options.onResult?.(result);
    return result;
  };
  for (const check of checks) through.set(check.name, one(check));
  const results = await Promise.all(through.values());
  return { ...summary(results), tookMs: Math.round(clock.monotonicMs() - fromMs) };
}

/** One look, whatever comes of it. */
async function found(check: Check, clock: Clock): Promise<Finding> {
  try {
    const late = () =>
      new NexaError('unavailable', `no result within ${check.timeoutMs} ms`, { fix: `Look why the check ${check.name} takes so long.` });
    return await inTime(clock, check.timeoutMs, check.run(), late);
  } catch (thrown) {
    const { code, message, where, fix = 'Look at the log of the node.' } = toNexaError(thrown, 'internal');
    return { verdict: 'failed', code, message, fix, where };
  }
}

/** The same check once more, for one that is repeated while the node runs. */
export async function lookAgain(check: Check, clock: Clock): Promise<CheckResult> {
  return (await selfTest([check], { clock })).checks[0] as CheckResult;
}

export function summary(checks: readonly CheckResult[]): Pick<SelfTest, 'verdict' | 'checks'> {
  const failed = checks.filter(({ verdict }) => verdict === 'failed');
  return { verdict: failed.some(({ required }) => required) ? 'failed' : failed.length > 0 ? 'degraded' : 'ok', checks };
}

/** @throws NexaError naming every required check that failed, with the code of the first and all fixes. */
export function requirePassed(checks: readonly CheckResult[]): void {
  const failed = checks.filter(({ verdict, required }) => verdict === 'failed' && required);
  const [first] = failed;
  if (first === undefined) return;
  throw new NexaError(first.code ?? 'store-misconfigured', failed.map(({ message }) => message).join('; '), {
    where: { check: failed.map(({ check }) => check).join(' '), ...first.where },
    fix: failed.flatMap(({ fix }) => fix ?? []).join(' '),
    // Nothing of the node ran.
    definite: true,
  });
}

/** One line of the start's log: what is fine is news for whoever asks for it, what is not is a warning. */
export function logResult(log: Logger, { message, verdict, ...fields }: CheckResult): void {
  log[verdict === 'ok' || verdict === 'skipped' ? 'info' : 'warn']({ ...fields, verdict }, message);
}

/** Of one start: on every line of its log, in every process that takes part in it. */
export const bootId = (random: Random = systemRandom): string => random.id().slice(0, 12);
