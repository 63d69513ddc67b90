import { STORES } from '../src/cluster/subject.ts';
import { NexaError } from '../src/errors.ts';
import type { Fault, FaultName } from './fault.ts';
import { PLAN_VERSION, type Plan } from './plan.ts';

/** What a plan may ask for at most: whoever wrote it, nothing it says runs without an end. */
export const PLAN_LIMITS = {
  faults: 1_000,
  depth: 4,
  forMs: 600_000,
  durationMs: 86_400_000,
  nodes: 20,
  workloads: 16,
  bytes: 1_048_576,
} as const;

/** As `plan.json` of a report, which {@link parsePlan} reads back as the same plan. */
export const formatPlan = (plan: Plan): string => `${JSON.stringify(plan, undefined, 2)}\n`;

/**
 * A plan out of a file; `file` names it in errors.
 * @throws NexaError `invalid-message` with the place of what is wrong (`faults[3].forMs`), `unknown-version`.
 */
export function parsePlan(text: string, file = 'the plan'): Plan {
  if (text.length > PLAN_LIMITS.bytes) throw wrong('', `${file} has more than ${PLAN_LIMITS.bytes} characters`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new NexaError('invalid-message', `${file} is no JSON: ${(error as Error).message.slice(0, 200)}`, {
      where: { field: '' },
      fix: 'Correct the file, or take plan.json of a report.',
    });
  }
  return planFrom(value);
}

/** The same of plain data. @throws NexaError as {@link parsePlan}. */
export function planFrom(value: unknown): Plan {
  const given = record(value, '');
  if (given.version !== PLAN_VERSION)
    throw new NexaError('unknown-version', `a plan of version ${show(given.version)}; this release reads ${PLAN_VERSION}`, {
      where: { field: 'version' },
      fix: 'Run it with the release that wrote it.',
    });
  only(given, PLAN, '');
  for (const [field, check] of Object.entries(PLAN)) check(given[field], field);
  return structuredClone(given) as unknown as Plan;
}

/** A list of faults as a plan has it. @throws NexaError `invalid-message`. */
export function checkFaults(value: unknown): readonly Fault[] {
  faultList(value, 'faults', 1, { left: PLAN_LIMITS.faults });
  return structuredClone(value) as readonly Fault[];
}

type Check = (value: unknown, at: string) => void;
type Checks = Readonly<Record<string, Check>>;

const show = (value: unknown): string => (value === undefined ? 'nothing' : (JSON.stringify(value)?.slice(0, 60) ?? String(value)));
const wrong = (at: string, message: string): NexaError =>
  new NexaError('invalid-message', at === '' ? message : `${at}: ${message}`, {
    where: { field: at },
    ...(at === '' ? {} : { fix: `Correct ${at}.` }),
  });

function record(value: unknown, at: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw wrong(at, `${at === '' ? 'a plan' : 'it'} is an object, and not ${show(value)}`);
}
function only(given: Record<string, unknown>, fields: Checks, at: string, besides?: string): void {
  const stranger = Object.keys(given).find((name) => name !== besides && !Object.hasOwn(fields, name));
  if (stranger !== undefined) throw wrong(`${at}${at === '' ? '' : '.'}${stranger.slice(0, 60)}`, 'there is no such field');
}
const whole =
  (from: number, to: number): Check =>
  (value, at) => {
    if (!Number.isInteger(value) || (value as number) < from || (value as number) > to)
      throw wrong(at, `a whole number ${from} … ${to}, and not ${show(value)}`);
  };
const number =
  (from: number, to: number): Check =>
  (value, at) => {
    if (typeof value !== 'number' || !(value >= from && value <= to)) throw wrong(at, `a number ${from} … ${to}, and not ${show(value)}`);
  };
const oneOf =
  (...values: readonly unknown[]): Check =>
  (value, at) => {
    if (!values.includes(value)) throw wrong(at, `one of ${values.join(', ')}, and not ${show(value)}`);
  };
const optional =
  (check: Check): Check =>
  (value, at) => {
    if (value !== undefined) check(value, at);
  };
const flag: Check = oneOf(true, false);
const text =
  (pattern: RegExp, what: string): Check =>
  (value, at) => {
    if (typeof value !== 'string' || !pattern.test(value)) throw wrong(at, `${what}, and not ${show(value)}`);
  };
const name = text(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, 'a name of 1 … 64 letters, digits, dots, _ and -');

const target = text(
  /^(node|server|store-leader|store-follower|[ns][1-9][0-9]?)$/,
  'node, server, store-leader, store-follower, or a place by its name as n1 or s1',
);
const store = oneOf(...Object.keys(STORES));
const many = optional(oneOf('one', 'minority', 'majority', 'all'));
const lasting = whole(0, PLAN_LIMITS.forMs);
const percent = number(0, 100);
const anybody = optional(target);

/** What each fault says besides its name. */
const FAULTS: Readonly<Record<Exclude<FaultName, 'together'>, Checks>> = {
  kill: { target, many, silent: optional(flag), forMs: optional(lasting) },
  pause: { target, many, forMs: optional(lasting) },
  restart: { target, many, rolling: optional(flag), forMs: optional(lasting) },
  partition: {
    shape: oneOf('halves', 'minority', 'isolate', 'one-way', 'partial', 'ring', 'bridge', 'servers', 'stranded'),
    forMs: lasting,
  },
  loss: { percent, target: anybody, forMs: lasting },
  delay: { delayMs: whole(0, 60_000), jitterMs: optional(whole(0, 60_000)), target: anybody, forMs: lasting },
  slice: { bytes: whole(1, 65_536), target: anybody, forMs: lasting },
  reset: { target: anybody },
  'half-open': { target, forMs: lasting },
  'link-down': { target, forMs: lasting },
  'slow-consumer': { forMs: lasting },
  'clock-jump': { target: anybody, byMs: whole(-31_536_000_000, 31_536_000_000) },
  'clock-rate': { target: anybody, rate: number(0.1, 10), forMs: lasting },
  'disk-full': { target, many, forMs: lasting },
  'no-descriptors': { target: anybody, forMs: lasting },
  'block-loop': { target: anybody, forMs: lasting },
  'out-of-memory': { target: anybody, forMs: lasting },
  starve: { percent: number(1, 100), target: anybody, forMs: lasting },
  garbage: { count: whole(1, 100_000) },
  duplicates: { forMs: lasting },
  'lost-answers': { target: anybody, forMs: lasting },
  flap: { target: anybody, times: whole(1, 100), everyMs: whole(100, 60_000) },
  'join-storm': { count: whole(1, 10), forMs: lasting },
  poison: {},
  'roll-back': { target },
  'delete-stream': { stream: store },
  'change-stream': { stream: store },
  revoke: { target: anybody, forMs: lasting },
  wait: { forMs: lasting },
  heal: {},
};

/** `left` counts down over all of a plan, those inside others too. */
function faultList(value: unknown, at: string, depth: number, room: { left: number }): void {
  if (!Array.isArray(value)) throw wrong(at, `a list of faults, and not ${show(value)}`);
  if (depth > PLAN_LIMITS.depth) throw wrong(at, `faults are at most ${PLAN_LIMITS.depth} deep inside each other`);
  room.left -= value.length;
  if (room.left < 0) throw wrong(at, `there are more than ${PLAN_LIMITS.faults} faults`);
  for (const [index, each] of value.entries()) fault(each, `${at}[${index}]`, depth, room);
}
function fault(value: unknown, at: string, depth: number, room: { left: number }): void {
  const given = record(value, at);
  if (given.fault === 'together') {
    only(given, { faults: flag }, at, 'fault');
    faultList(given.faults, `${at}.faults`, depth + 1, room);
    return;
  }
  const known = typeof given.fault === 'string' && Object.hasOwn(FAULTS, given.fault);
  if (!known)
    throw wrong(`${at}.fault`, `there is no fault ${show(given.fault)}; there are ${[...Object.keys(FAULTS), 'together'].join(', ')}`);
  const fields = FAULTS[given.fault as keyof typeof FAULTS];
  only(given, fields, at, 'fault');
  for (const [field, check] of Object.entries(fields)) check(given[field], `${at}.${field}`);
}

const PLAN: Checks = {
  version: oneOf(PLAN_VERSION),
  drill: name,
  seed: whole(0, 2 ** 32 - 1),
  world: oneOf('simulation', 'processes'),
  nodes: whole(1, PLAN_LIMITS.nodes),
  servers: oneOf(1, 3),
  durationMs: whole(1, PLAN_LIMITS.durationMs),
  workloads: (value, at) => {
    if (!Array.isArray(value) || value.length > PLAN_LIMITS.workloads)
      throw wrong(at, `at most ${PLAN_LIMITS.workloads} names of workloads, and not ${show(value)}`);
    for (const [index, each] of value.entries()) name(each, `${at}[${index}]`);
  },
  faults: (value, at) => faultList(value, at, 1, { left: PLAN_LIMITS.faults }),
};
