import { z } from 'zod';
import type { MailboxOptions } from '../actor/props.ts';
import type { Strategy } from '../actor/strategy.ts';
import type { ActivationKind } from '../cluster/hosting.ts';
import { invalid } from './check.ts';
import type { EventSourcing } from './event-sourcing.ts';
import { deepFreeze } from './freeze.ts';
import { problemOf } from './problem.ts';

type Context = never;
/** What the runtime reads of a definition: checked, and with every default filled in. */
export interface Implementation {
  readonly handlers: Readonly<Record<string, (context: Context, fields: never) => unknown>>;
  readonly hooks: {
    readonly started?: (context: Context) => unknown;
    readonly stopping?: (context: Context) => unknown;
    readonly terminated?: (context: Context, terminated: never) => unknown;
  };
  readonly stateSchema: z.ZodType;
  /** Absent: it takes no config. */
  readonly configSchema: z.ZodType | undefined;
  /** The first state, checked and frozen. @throws NexaError `invalid-definition`, or what the user's function throws. */
  readonly initial: (spawned: { readonly id: string; readonly config: unknown }) => unknown;
  readonly storage: 'durable' | 'memory';
  readonly exclusive: boolean;
  /** From version n to n + 1: of a stored state; of an event-sourced agent that of a snapshot. */
  readonly upcast: ReadonlyMap<number, (state: unknown) => unknown>;
  /** Absent: its state is one record, the last value wins. */
  readonly eventSourcing?: EventSourcing;
  readonly limits: Required<MailboxOptions> & { readonly stateBytes: number; readonly handlerMs: number; readonly tries: number };
  /** For its children; absent: the default of Props. */
  readonly strategy: Strategy | undefined;
  readonly activation: ActivationKind;
  readonly restart: 'permanent' | 'transient' | 'temporary';
  /** Labels that an agent of this configuration needs besides. */
  readonly requires: (config: unknown) => Readonly<Record<string, string>>;
  readonly placement: { readonly strategy: 'least-loaded' | 'rendezvous' | 'local'; readonly labels: Readonly<Record<string, string>> };
}

/** Of a state that is one record; what a journal folds to is stored now and then only. */
const maxStateBytes = 262_144;
const maxFoldedBytes = 1_000_000;
const count = z.int().positive();
/** A day: whoever wants longer wants no limit. */
const longestMs = 86_400_000;
/** After which an idle agent of a durable on-demand type is put away. */
const defaultIdleMs = 600_000;
const fn = z.custom<(...args: never) => unknown>((value) => typeof value === 'function', 'expected a function');
const strategy = z.strictObject({
  scope: z.enum(['one', 'rest', 'all']),
  maxRestarts: z.int().nonnegative(),
  withinMs: count,
  backoff: z.strictObject({
    minMs: z.number().nonnegative(),
    maxMs: z.number().nonnegative(),
    factor: z.number().min(1),
    jitter: z.number().min(0).max(1),
  }),
  decide: fn,
});

// Strict: a misspelt option is an error, not a default.
const options = z.strictObject({
  type: z.unknown(),
  version: z.unknown(),
  commands: z.unknown(),
  state: z.unknown(),
  initial: z.unknown(),
  config: z.unknown().optional(),
  requires: fn.optional(),
  summary: z.string().max(1_000).default(''),
  storage: z.enum(['durable', 'memory']).default('durable'),
  exclusive: z.boolean().default(true),
  upcast: z.record(z.string(), fn).default({}),
  limits: z
    .strictObject({
      limit: count.max(1_000_000).default(1_000),
      limitBytes: count.default(8_388_608),
      overflow: z.enum(['reject', 'drop-oldest', 'drop-newest']).default('reject'),
      stateBytes: count.max(maxFoldedBytes).default(maxStateBytes),
      handlerMs: count.max(longestMs).default(1_000),
      tries: count.max(1_000).default(5),
    })
    .prefault({}),
  strategy: strategy.optional(),
  activation: z
    .union([
      z.literal('spawned'),
      z.strictObject({
        onDemand: z.boolean().default(false),
        idleMs: count.max(longestMs).optional(),
        mostActive: count.max(10_000_000).optional(),
      }),
    ])
    .default('spawned'),
  restart: z.enum(['permanent', 'transient', 'temporary']).default('permanent'),
  placement: z
    .strictObject({
      strategy: z.enum(['least-loaded', 'rendezvous', 'local']).default('least-loaded'),
      labels: z.record(z.string(), z.string()).default({}),
    })
    .prefault({}),
});

interface Spec {
  readonly type: string;
  readonly version: number;
  readonly state: z.ZodType;
  readonly config?: z.ZodType;
  readonly initial: unknown;
}

/** Steps from version n to n + 1, by n. @throws NexaError `invalid-definition` for one from no older version. */
export function upcasts<Step>(
  { type, version }: { readonly type: string; readonly version: number },
  field: string,
  given: Readonly<Record<string, unknown>>,
): ReadonlyMap<number, Step> {
  const steps = Object.entries(given).map(([from, step]) => [Number(from), step as Step] as const);
  for (const [from] of steps) {
    if (!Number.isInteger(from) || from < 1 || from >= version) {
      throw invalid(`upcasts from version ${from}, but only 1 … ${version - 1} are older`, { type, field });
    }
  }
  return new Map(steps);
}

function activationOf(
  { type, config }: Spec,
  storage: 'durable' | 'memory',
  given: 'spawned' | { readonly onDemand: boolean; readonly idleMs?: number | undefined; readonly mostActive?: number | undefined },
): ActivationKind {
  if (given === 'spawned') return { onDemand: false, passivates: false, idleMs: undefined, mostActive: undefined };
  const { onDemand, mostActive } = given;
  if (onDemand && config !== undefined && !config.safeParse(undefined).success && !config.safeParse({}).success) {
    const fix = 'Give every field of its configuration a default, or have it spawned.';
    throw invalid('a message spawns it, so its configuration must be one that can be left out', { type, field: 'activation' }, fix);
  }
  // Memory is lost by it: only who says when, says that it may be.
  const idleMs = given.idleMs ?? (onDemand && storage === 'durable' ? defaultIdleMs : undefined);
  return { onDemand, passivates: idleMs !== undefined || mostActive !== undefined, idleMs, mostActive };
}

/**
 * Everything of an implementation but the behaviour and the events. `folded`: the state is the fold of a journal.
 * @throws NexaError `invalid-definition` naming the field.
 */
export function implement(spec: Spec, folded = false): Omit<Implementation, 'handlers' | 'hooks'> {
  const { type, initial } = spec;
  const read = options.safeParse(spec);
  if (!read.success) {
    const { field, message } = problemOf(read.error);
    throw invalid(message, { type, field });
  }
  const { storage, exclusive, upcast, limits, restart, placement } = read.data;
  if (!folded && limits.stateBytes > maxStateBytes)
    throw invalid(
      `at most ${maxStateBytes} bytes are stored as one record`,
      { type, field: 'limits.stateBytes' },
      'Lower it, or define it event-sourced.',
    );
  if (!exclusive && storage !== 'memory')
    throw invalid(
      'exclusive: false needs storage: memory',
      { type, field: 'exclusive' },
      "Add storage: 'memory', or remove exclusive: false.",
    );
  const checked = (state: unknown): unknown => {
    const fits = spec.state.safeParse(state);
    if (fits.success) return deepFreeze(fits.data);
    const { field, message } = problemOf(fits.error);
    throw invalid(`the initial state does not fit its schema: ${message}`, { type, field: field === '' ? 'initial' : `initial.${field}` });
  };
  const constant = typeof initial === 'function' ? undefined : { state: checked(initial) };
  return {
    stateSchema: spec.state,
    configSchema: spec.config,
    initial: (spawned) => (constant === undefined ? checked((initial as (spawned: object) => unknown)(spawned)) : constant.state),
    storage,
    exclusive,
    upcast: upcasts(spec, 'upcast', upcast),
    limits,
    activation: activationOf(spec, storage, read.data.activation),
    strategy: read.data.strategy as Strategy | undefined,
    restart,
    requires: (read.data.requires as Implementation['requires'] | undefined) ?? (() => ({})),
    placement,
  };
}
