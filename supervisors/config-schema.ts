import { z } from 'zod';
import { CHECKS } from '../actors/index.ts';
import { ADMISSION, type AdmissionLimits } from '../src/cluster/admission.ts';
import { MOST_ACTIVE } from '../src/cluster/passivation.ts';
import { NexaError } from '../src/errors.ts';

/**
 * What nexa.config may say: one strict schema, from which the types, the checks and the table in docs/configuration.md are made.
 * `error` completes the sentence "expected …". `meta`: what it is for, its unit, its default, the flag and the variable that go
 * before it.
 */
const whole = (least: number, most: number) => {
  const error = `a whole number from ${least} to ${most}`;
  return z.int({ error }).min(least, { error }).max(most, { error });
};
const text = (error = 'a text') => z.string({ error }).min(1, { error });
const flag = () => z.boolean({ error: 'true or false' });
const oneOf = <const Values extends readonly [string, ...string[]]>(...values: Values) =>
  z.enum(values, { error: `one of ${values.join(', ')}` });
const list = <Item extends z.ZodType>(item: Item, most: number, what: string) =>
  z.array(item, { error: `a list of ${what}` }).max(most, { error: `at most ${most} ${what}` });
const byName = <Value extends z.ZodType>(value: Value, what: string) =>
  z.record(z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, { error: 'a name of letters, digits, _ and -, at most 64 of them' }), value, {
    error: `an object of ${what} by name`,
  });
const section = <Fields extends z.core.$ZodLooseShape>(fields: Fields) => z.strictObject(fields, { error: 'an object' });
const portNumber = whole(1, 65_535);
const labelName = z.string().min(1).max(64);

const processConfig = section({
  command: text('the program to run: a path, or a name on the PATH').meta({ description: 'the program; no shell reads it' }),
  args: list(z.string({ error: 'a text' }), 256, 'texts')
    .default([])
    .meta({ description: 'its arguments' }),
  cwd: text('a folder').optional().meta({ description: 'where it runs', default: "the configuration file's folder" }),
  env: z
    .record(z.string().min(1), z.string({ error: 'a text' }), { error: 'an object of texts' })
    .default({})
    .meta({ description: 'variables besides PATH, HOME, USER, LANG, LC_ALL, TZ and TMPDIR, which it inherits' }),
  restart: oneOf('permanent', 'transient', 'temporary')
    .default('permanent')
    .meta({ description: 'when it ended by itself: always again, only after a failure, never' }),
  instances: whole(1, 256).default(16).meta({ description: 'how many of it may run on this node at once' }),
  stopMs: whole(1, 4_000).default(3_000).meta({ description: 'from SIGTERM to the SIGKILL of its process group', unit: 'ms' }),
  maxOutputBytes: whole(1_024, 262_144).default(65_536).meta({ description: 'how much of its latest output is kept', unit: 'bytes' }),
});

const service = {
  name: text('a name').meta({ description: 'what the self-test calls it' }),
  required: flag().default(false).meta({ description: 'a node does not start without it; else it starts degraded' }),
  timeoutMs: whole(1, 60_000).default(2_000).meta({ description: 'how long it may take to answer', unit: 'ms' }),
};
const serviceConfig = z.discriminatedUnion(
  'kind',
  [
    section({
      ...service,
      kind: z.literal('tcp').meta({ description: '`tcp`: it takes a connection; `http`: it answers a GET' }),
      host: text('a host').meta({ description: 'of `tcp`' }),
      port: portNumber.meta({ description: 'of `tcp`' }),
    }),
    section({
      ...service,
      kind: z.literal('http').meta({ description: '`tcp`: it takes a connection; `http`: it answers a GET' }),
      url: z.url({ protocol: /^https?$/, error: 'a URL of http or https' }).meta({ description: 'of `http`' }),
      expectStatus: whole(100, 599).exactOptional().meta({ description: 'of `http`: the status it must have', default: 'any 2xx' }),
    }),
  ],
  { error: 'kind: tcp (host, port) or http (url)' },
);

const share = () => {
  const error = 'a share above 0 and at most 1';
  return z.number({ error }).gt(0, { error }).max(1, { error });
};
const admissionConfig = section({
  maxAgents: whole(1, 10_000_000)
    .default(ADMISSION.maxAgents)
    .meta({ description: 'agents of this node, active or put away; one more is refused as `overloaded`' }),
  memoryHigh: share()
    .default(ADMISSION.memoryHigh)
    .meta({ description: 'share of the heap, or of the memory, from which on idle agents are put away and no new ones taken' }),
  memoryLow: share().default(ADMISSION.memoryLow).meta({ description: 'below it new agents are taken again' }),
}).refine(({ memoryHigh, memoryLow }) => memoryLow < memoryHigh, { path: ['memoryLow'], error: 'a share below memoryHigh' });

const threshold = (unit: string, about: string, fallback: number) => {
  const error = 'a number above 0';
  return z
    .number({ error })
    .positive({ error })
    .exactOptional()
    .meta({ description: about, default: fallback, ...(unit === 'share' ? {} : { unit }) });
};
const healthConfig = section(
  Object.fromEntries(
    CHECKS.map(({ name, unit, warn, critical }) => [
      name,
      section({
        warn: threshold(unit, `\`${name}\` is a warning from here on`, warn),
        critical: threshold(unit, `\`${name}\` is critical from here on`, critical),
      }).exactOptional(),
    ]),
  ),
);

const urls = z.union([text(), list(text(), 32, 'URLs')], { error: 'a URL, or a list of URLs' });

export const configSchema = section({
  cluster: z
    .string({ error: 'a text' })
    .regex(/^[A-Za-z0-9_-]{1,32}$/, { error: 'letters, digits, _ and -, at most 32 of them' })
    .optional()
    .meta({ description: 'the name of the cluster', default: 'nexa', flag: '--cluster', variable: 'NEXA_CLUSTER' }),
  name: text().optional().meta({ description: "the node's name in the cluster", default: 'this host and the process', flag: '--name' }),
  nats: section({
    urls: urls
      .optional()
      .meta({ description: 'the servers to use', default: 'nats://127.0.0.1:4222', flag: '--nats', variable: 'NEXA_NATS_URL' }),
    servers: z
      .union([z.literal(1), z.literal(3)], { error: '1 or 3' })
      .optional()
      .meta({ description: 'how many nats-servers `nexa up` starts', default: 1, flag: '--servers' }),
    port: whole(1, 65_533).optional().meta({ description: 'where the first of them listens', default: 4222, flag: '--nats-port' }),
    data: text('a folder').optional().meta({ description: 'where they keep their data', default: '.nexa', flag: '--data' }),
    fsync: flag().optional().meta({ description: 'they acknowledge only what is on the disk', default: false, flag: '--fsync' }),
  }).optional(),
  labels: z
    .record(labelName, z.string({ error: 'a text' }).max(256), { error: 'an object of texts' })
    .optional()
    .meta({ description: 'what agents may ask for in a node', default: {}, flag: '--labels' }),
  capacity: whole(1, 1_000)
    .optional()
    .meta({ description: 'its share of the agents, relative to other nodes', default: 1, flag: '--capacity' }),
  mostActive: whole(1, 10_000_000).optional().meta({
    description: 'agents of types that passivate, active at once; beyond it the least recently used are put away',
    default: MOST_ACTIVE,
  }),
  admission: admissionConfig.optional().meta({ description: 'when this node takes no new agents' }),
  health: healthConfig.optional().meta({ description: 'when what a node looks at of itself is an alert' }),
  agents: text('a folder').optional().meta({ description: 'a folder of your own agent types', default: 'none', flag: '--agents' }),
  replicas: whole(1, 5)
    .optional()
    .meta({ description: 'servers that keep each record, when a node forms a new cluster', default: 1, flag: '--replicas' }),
  workers: whole(1, 32)
    .optional()
    .meta({ description: 'members under one launcher, a process each', default: '1; with `nexa up` 3', flag: '--workers, --nodes' }),
  log: section({
    level: oneOf('silent', 'debug', 'info', 'warn', 'error')
      .optional()
      .meta({ description: 'from which level on a node logs', default: 'warn', variable: 'NEXA_LOG' }),
  }).optional(),
  processes: byName(processConfig, 'processes').optional().meta({ description: 'the programs that `process` agents may run here' }),
  services: list(serviceConfig, 64, 'services').optional().meta({ description: 'what the node depends on; the self-test looks at it' }),
});

/** What a configuration file exports; see {@link defineConfig}. */
export type NexaConfig = z.input<typeof configSchema>;
/** The same, checked and with the defaults of its entries; whatever only has a flag or a variable stays absent. */
export type Config = z.output<typeof configSchema>;
/** One program that `process` agents may run on this node. */
export type ProcessConfig = z.output<typeof processConfig>;
/** One thing outside that the node depends on. */
export type ServiceConfig = z.output<typeof serviceConfig>;

/** What of it reaches every node as it stands. */
export type NodeSettings = { readonly [Key in (typeof SETTINGS)[number]]?: NonNullable<Config[Key]> };
const SETTINGS = ['admission', 'health', 'mostActive', 'processes', 'services'] as const;
export const nodeSettings = (from: Pick<Config, (typeof SETTINGS)[number]>): NodeSettings =>
  Object.fromEntries(SETTINGS.flatMap((key) => (from[key] === undefined ? [] : [[key, from[key]]])));

/** With the defaults. @throws NexaError `invalid-definition` naming what does not fit. */
export function admissionOf(given: NexaConfig['admission']): AdmissionLimits {
  const read = admissionConfig.safeParse(given ?? {});
  if (read.success) return read.data;
  const [{ path, message } = { path: [], message: '' }] = read.error.issues;
  throw new NexaError('invalid-definition', `admission: expected ${message}`, { where: { field: ['admission', ...path].join('.') } });
}

/** With the defaults. @throws NexaError `invalid-definition` naming what does not fit. */
export function processesOf(given: NexaConfig['processes']): Readonly<Record<string, ProcessConfig>> {
  const read = configSchema.shape.processes.safeParse(given);
  if (read.success) return read.data ?? {};
  const [{ path, message } = { path: [], message: '' }] = read.error.issues;
  throw new NexaError('invalid-definition', `processes: expected ${message}`, { where: { field: ['processes', ...path].join('.') } });
}

/** For nexa.config.ts: gives the types, and back what it was given. */
export const defineConfig = (config: NexaConfig): NexaConfig => config;
