import { type Client, clientOver } from '../src/client.ts';
import { clockCheck } from '../src/clock-check.ts';
import { createCodec } from '../src/cluster/codec.ts';
import { codecCheck } from '../src/cluster/codec-check.ts';
import { createMissing, type FormationState, inspectFormation, LOST } from '../src/cluster/formation-check.ts';
import { type StoreName, subjects as subjectsOf } from '../src/cluster/subject.ts';
import { NexaError } from '../src/errors.ts';
import { connectNats, type NatsLink } from '../src/nats/connection.ts';
import { shownServers } from '../src/nats/login.ts';
import type { Check, CheckResult, Finding, SelfTest } from '../src/ports/check.ts';
import type { Logger } from '../src/ports/logger.ts';
import { systemClock as clock } from '../src/system-clock.ts';
import { systemRandom as random } from '../src/system-random.ts';
import { natsChecks } from './broker-checks.ts';
import { diagnosis, type SeenAgent, type SeenNode } from './diagnosis.ts';
import { selfTest } from './self-test.ts';
import { type ServiceOptions, serviceChecks } from './service-check.ts';

const CONNECT_MS = 3_000;
const STORE_MS = 2_000;
const LOOK_MS = 15_000;
const MOST_NODES = 64;
const MOST_AGENTS = 5_000;
const MOST_REASONS = 5;

export interface Diagnosed extends SelfTest {
  /** Stores that are missing, and that a repair would create. */
  readonly missing: readonly StoreName[];
}
export interface DoctorOptions {
  readonly nats: readonly string[];
  readonly cluster: string;
  readonly services: readonly ServiceOptions[];
  readonly log: Logger;
  readonly onResult?: (result: CheckResult) => void;
  /** Asked once for each missing store; true creates it, empty. Without it nothing is ever changed. */
  readonly repair?: (store: StoreName) => Promise<boolean>;
}

/**
 * Looks at a cluster from outside, whether it runs or not. Changes nothing but what `repair` is asked for. Of what is out of reach it says so.
 * @throws NexaError `bad-id` for the cluster's name, `invalid-definition` for a service.
 */
export async function diagnose(options: DoctorOptions): Promise<Diagnosed> {
  const subjects = subjectsOf(options.cluster);
  const codec = createCodec();
  const onResult = options.onResult ?? (() => {});
  let link: NatsLink | undefined;
  const nats: Check = {
    name: 'nats',
    required: true,
    timeoutMs: CONNECT_MS + 2_000,
    async run() {
      link = await connectNats({
        servers: options.nats,
        name: 'nexa doctor',
        role: 'client',
        clock,
        random,
        log: options.log,
        connectWithinMs: CONNECT_MS,
      });
      return { verdict: 'ok', message: `connected to ${link.info()?.server_name ?? shownServers(options.nats)}` };
    },
  };
  const first = await selfTest([codecCheck(codec), ...serviceChecks(options.services), nats], { clock, onResult });
  const connected = link as NatsLink | undefined;
  if (connected === undefined) {
    const local = await selfTest([clockCheck(clock)], { clock, onResult, before: first.checks });
    return { ...local, tookMs: first.tookMs + local.tookMs, missing: [] };
  }
  try {
    const parts = { stores: connected.stores(), subjects, codec, clock, storeMs: STORE_MS };
    let formed: FormationState | undefined;
    const stores: Check = {
      name: 'stores',
      required: true,
      timeoutMs: LOOK_MS,
      after: ['jetstream'],
      async run() {
        formed = await inspectFormation(parts);
        for (const { store } of formed.stores.filter(({ state }) => state === 'missing')) {
          if ((await options.repair?.(store)) !== true) continue;
          await createMissing(parts, store);
          formed = await inspectFormation(parts);
        }
        return formed.finding;
      },
    };
    const on = { replicas: () => formed?.formation?.replicas ?? 1, bucket: subjects.store('META'), durability: undefined };
    const [jetStream, ...rest] = natsChecks(connected, { ...on, servers: options.nats, clock, random });
    const seen = once(() => look(connected, subjects.cluster));
    // How long somebody thinks about a repair is not the check's time.
    const patient = options.repair === undefined ? stores : { ...stores, timeoutMs: 600_000 };
    const after = rest.map((check) => ({ ...check, after: ['jetstream', 'nats'] }));
    const before = jetStream === undefined ? first : await selfTest([jetStream, patient], { clock, onResult, before: first.checks });
    const asked = (['members', 'links', 'readiness', 'agents', 'versions', 'clocks', 'lag'] as const).map(
      (name): Check => ({
        name,
        required: true,
        timeoutMs: LOOK_MS,
        run: async () => (await seen())[name] as Finding,
      }),
    );
    const all = await selfTest([...after, ...asked], { clock, onResult, before: before.checks });
    const missing = formed?.stores.flatMap(({ store, state }) => (state === 'missing' ? [store] : [])) ?? [];
    return { ...all, tookMs: first.tookMs + before.tookMs + all.tookMs, missing };
  } finally {
    await connected.close();
  }
}

const once = <T>(make: () => Promise<T>): (() => Promise<T>) => {
  let made: Promise<T> | undefined;
  return () => (made ??= make());
};

/** Asks any node for the members and agents, and each member how it is. */
async function look(link: NatsLink, cluster: string): Promise<Readonly<Record<string, Finding>>> {
  const client = clientOver({ transport: link.transport(), subjects: subjectsOf(cluster), clock, random });
  let rows: readonly Fields[];
  try {
    rows = list(await client.cluster.nodes()).slice(0, MOST_NODES);
  } catch (error) {
    if (!(error instanceof NexaError) || !['unavailable', 'ask-timeout'].includes(error.code)) throw error;
    return Object.fromEntries(
      Object.entries(diagnosis([], [])).map(([name, finding]) => [
        name,
        name === 'members' ? finding : { verdict: 'skipped', message: 'no node answers' },
      ]),
    );
  }
  const [nodes, agents] = await Promise.all([Promise.all(rows.map((row) => seenNode(client, row))), seenAgents(client)]);
  return diagnosis(nodes, agents);
}

async function seenNode(client: Client, row: Fields): Promise<SeenNode> {
  const node = String(row.node);
  const fromMs = clock.monotonicMs();
  const status = row.state === 'gone' ? undefined : await client.cluster.status(node).then(fields, () => undefined);
  const roundTripMs = clock.monotonicMs() - fromMs;
  const aheadMs = typeof status?.atMs === 'number' ? status.atMs - (clock.wallMs() - roundTripMs / 2) : undefined;
  return {
    node,
    state: String(row.state),
    suspect: row.suspect === true,
    version: String(row.version),
    answered: status !== undefined,
    ready: typeof status?.ready === 'boolean' ? status.ready : undefined,
    degraded: Array.isArray(status?.degraded) ? status.degraded.map(String) : [],
    lagMs: typeof status?.lagMs === 'number' ? status.lagMs : undefined,
    aheadMs,
    uncertainMs: roundTripMs / 2,
    gaps: list(status?.gaps).map(({ message, oneWay }) => ({ message: String(message), oneWay: oneWay === true })),
  };
}

async function seenAgents(client: Client): Promise<readonly SeenAgent[]> {
  const rows = await client.cluster.list({ limit: MOST_AGENTS });
  let reasons = 0;
  return Promise.all(
    rows.map(async ({ type, id, state }): Promise<SeenAgent> => {
      const wanted = (state === 'quarantined' || state === 'unplaced') && reasons++ < MOST_REASONS;
      const { why } = wanted ? await client.cluster.why(type, id).then(fields, () => fields(undefined)) : fields(undefined);
      return { type, id, state, why: typeof why === 'string' ? why : undefined };
    }),
  );
}

type Fields = Readonly<Record<string, unknown>>;
/** Of a node of any release: nothing is taken for granted. */
const fields = (value: unknown): Fields => (typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {});
const list = (value: unknown): readonly Fields[] => (Array.isArray(value) ? value.map(fields) : []);

/** In words, what an empty store of this name costs. */
export const whatIsLost = (store: string): string => (LOST as Readonly<Record<string, string>>)[store] ?? 'what was in it';
