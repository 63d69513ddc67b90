import { keysAt } from './config-keys.ts';
import { type Config, configSchema } from './config-schema.ts';
import { didYouMean } from './did-you-mean.ts';

/** One thing that is wrong with a configuration. */
export interface ConfigProblem {
  /** `services[0].port`; empty for the whole. */
  readonly key: string;
  /** `expected a whole number from 1 to 65535, not "x"`. */
  readonly problem: string;
}

const MOST = 20;

/** The configuration, or all that is wrong with it (the first 20). */
export function problemsOf(given: unknown): { readonly config?: Config; readonly problems: readonly ConfigProblem[] } {
  const read = configSchema.safeParse(given);
  if (read.success) return { config: read.data, problems: [] };
  const problems = read.error.issues.flatMap((issue): readonly ConfigProblem[] => {
    if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknown(issue.path, key));
    if (issue.code === 'invalid_key') {
      return [{ key: spelled(issue.path), problem: `expected ${issue.issues[0]?.message ?? 'another name'}` }];
    }
    const value = valueAt(given, issue.path);
    return [
      {
        key: spelled(issue.path),
        problem: `expected ${issue.message}, ${value === undefined ? 'and it is missing' : `not ${shown(value)}`}`,
      },
    ];
  });
  return { problems: problems.slice(0, MOST) };
}

function unknown(path: readonly PropertyKey[], key: string): ConfigProblem {
  const meant = didYouMean(key, keysAt(path));
  return {
    key: spelled([...path, key.slice(0, 64)]),
    problem: meant === undefined ? 'there is no such key' : `there is no such key (did you mean ${meant}?)`,
  };
}

const spelled = (path: readonly PropertyKey[]): string =>
  path.map((step, index) => (typeof step === 'number' ? `[${step}]` : `${index === 0 ? '' : '.'}${String(step)}`)).join('');

const valueAt = (value: unknown, path: readonly PropertyKey[]): unknown =>
  path.reduce<unknown>(
    (inner, step) =>
      typeof inner === 'object' && inner !== null && Object.hasOwn(inner, step) ? (inner as Record<PropertyKey, unknown>)[step] : undefined,
    value,
  );

/** Enough to find it; of an object not what is in it: that may be a secret. */
function shown(value: unknown): string {
  if (value === null || typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (typeof value === 'string') return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value);
  return Array.isArray(value) ? 'a list' : typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}
