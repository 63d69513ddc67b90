import type { Client, PublicEvent } from '../src/client.ts';
import { NexaError, toNexaError } from '../src/errors.ts';
import type { Clock } from '../src/ports/clock.ts';
import { systemClock } from '../src/system-clock.ts';
import { didYouMean } from '../supervisors/did-you-mean.ts';
import { LONGEST_HOLD_MS } from '../supervisors/hold.ts';
import { type Spread, spread } from './spread.ts';

/** What is done to one node of a cluster that somebody else runs. `forMs`: then it is mended, 1 … 60,000; by the launcher of the node itself for a pause. */
export type AttachOrder =
  | { readonly order: 'kill'; readonly node: string }
  | { readonly order: 'pause' | 'drain'; readonly node: string; readonly forMs: number };

/** What it is done to, looked at before anything is. */
export interface AttachTarget {
  readonly cluster: string;
  readonly node: string;
  /** Other nodes that are up and take agents. */
  readonly others: readonly string[];
  readonly agents: readonly string[];
}

/** What became of it. Milliseconds since the order was given. */
export interface Attached {
  readonly order: AttachOrder['order'];
  readonly node: string;
  /** Who carried it out, and how long that took. */
  readonly answeredBy: string;
  readonly answeredMs: number;
  /** That were on the node before. */
  readonly agents: number;
  /** Of those, how many were activated on which node. */
  readonly moved: Readonly<Record<string, number>>;
  /** Until they were; null if none was. */
  readonly movedMs: Spread | null;
  /** Of those, how many run nowhere now, as far as anybody says. */
  readonly nowhere: number;
  /** Until the node was up again and took agents; null: not seen. */
  readonly backMs: number | null;
  /** Ended before its time. */
  readonly stopped: boolean;
}

export interface AttachOptions {
  readonly client: Pick<Client, 'cluster'>;
  /** Default: that of this process. */
  readonly clock?: Clock;
  /** Ends it now, and mends what was done. */
  readonly signal: AbortSignal;
  readonly onProgress?: (line: string) => void;
}

const MOST_AGENTS = 5_000;
const LOOK_MS = 250;
/** How long it is watched, after it was mended. */
const WATCH_MS = 60_000;
const DRAIN_MS = 30_000;
export const LONGEST_ATTACH_MS = LONGEST_HOLD_MS;

/** @throws NexaError `no-such-actor`: no such node is up; what the cluster answers, when it cannot be asked. */
export async function attachTarget(client: Pick<Client, 'cluster'>, cluster: string, node: string): Promise<AttachTarget> {
  const nodes = await nodesOf(client);
  const found = nodes.find((row) => row.node === node);
  if (found === undefined || found.state === 'gone') {
    const meant = didYouMean(
      node,
      nodes.flatMap((row) => (row.state === 'gone' ? [] : [row.node])),
    );
    throw new NexaError('no-such-actor', 'no such node is up', {
      where: { node },
      fix: meant === undefined ? 'See `nexa nodes`.' : `Did you mean ${meant}? See \`nexa nodes\`.`,
    });
  }
  const others = nodes.filter((row) => row.node !== node && isUp(row)).map((row) => row.node);
  const agents = (await agentsOf(client)).filter((row) => row.node === node).map(nameOf);
  return { cluster, node, others, agents };
}

/**
 * Gives the order, watches what becomes of the agents, and mends it after its time, or when the signal says so; after that the node has a minute to be
 * back.
 * @throws NexaError `denied`, `unavailable`, `unknown-command` (its launcher is of an older release); nothing was done then.
 */
export async function attach(order: AttachOrder, options: AttachOptions): Promise<Attached> {
  const { client, clock = systemClock, signal, onProgress = () => undefined } = options;
  const { node } = order;
  const before = new Map((await agentsOf(client)).flatMap((row) => (row.node === node ? [[nameOf(row), row.epoch] as const] : [])));
  const [launched] = (await nodesOf(client)).filter((row) => row.node === node);
  const movedAt = new Map<string, { readonly node: string; readonly atMs: number }>();
  const sinceMs = clock.monotonicMs();
  const cancel = client.cluster.events({ kinds: ['activated'] }, (event) => {
    const agent = agentIn(event);
    const epoch = before.get(agent);
    if (epoch !== undefined && typeof event.epoch === 'number' && event.epoch > epoch && !movedAt.has(agent))
      movedAt.set(agent, { node: event.node, atMs: clock.monotonicMs() - sinceMs });
  });
  const pause = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      if (signal.aborted) return resolve();
      const done = (): void => {
        forget();
        signal.removeEventListener('abort', done);
        resolve();
      };
      const forget = clock.after(ms, done);
      signal.addEventListener('abort', done, { once: true });
    });

  try {
    const { answeredBy, mend } = await given(order, options);
    const answeredMs = clock.monotonicMs() - sinceMs;
    onProgress(`${answeredBy} answered after ${Math.round(answeredMs)} ms`);
    try {
      if (order.order !== 'kill') await pause(order.forMs);
    } finally {
      await mend();
    }
    const mendedMs = clock.monotonicMs();
    if (order.order !== 'kill') onProgress(`${node} ${order.order === 'pause' ? 'goes on' : 'takes agents again'}`);
    let backMs: number | null = null;
    let nowhere = before.size;
    while (clock.monotonicMs() - mendedMs < WATCH_MS) {
      const now = await looked(client);
      if (now !== undefined) {
        const row = now.nodes.find((each) => each.node === node);
        const anew = order.order !== 'kill' || (row?.incarnation ?? 0) > (launched?.incarnation ?? 0);
        if (backMs === null && anew && row !== undefined && isUp(row)) backMs = clock.monotonicMs() - sinceMs;
        const rows = new Map(now.agents.map((each) => [nameOf(each), each]));
        nowhere = 0;
        for (const [agent, epoch] of before) {
          const at = rows.get(agent);
          if (at?.node === undefined || at.node === null || (order.order === 'kill' && at.epoch <= epoch)) nowhere++;
          else if (at.epoch > epoch && !movedAt.has(agent)) movedAt.set(agent, { node: at.node, atMs: clock.monotonicMs() - sinceMs });
        }
        if (backMs !== null && nowhere === 0) break;
      }
      if (signal.aborted) break;
      await pause(LOOK_MS);
    }
    const moves = [...movedAt.values()];
    return {
      ...{ order: order.order, node, answeredBy, answeredMs: Math.round(answeredMs), agents: before.size },
      moved: counted(moves.map((each) => each.node)),
      movedMs: moves.length === 0 ? null : spread(moves.map(({ atMs }) => atMs)),
      nowhere,
      backMs: backMs === null ? null : Math.round(backMs),
      stopped: signal.aborted,
    };
  } finally {
    cancel();
  }
}

/** Resolves once it is carried out; `mend` undoes it, however often. */
async function given(
  order: AttachOrder,
  { client, clock = systemClock, signal }: AttachOptions,
): Promise<{ readonly answeredBy: string; readonly mend: () => Promise<void> }> {
  const { node } = order;
  if (order.order === 'kill') {
    await client.cluster.killNode(node);
    return { answeredBy: `the launcher of ${node}`, mend: async () => undefined };
  }
  if (order.order === 'pause') {
    await client.cluster.pauseNode(node, order.forMs);
    // Its launcher ends it by itself; this is for who was faster.
    return { answeredBy: `the launcher of ${node}`, mend: () => client.cluster.resumeNode(node).catch(() => undefined) };
  }
  const uncordon = (): Promise<void> => client.cluster.cordon(node, false);
  const hurry = (): void => void uncordon().catch(() => undefined);
  signal.addEventListener('abort', hurry, { once: true });
  try {
    await client.cluster.drain(node, { timeoutMs: Math.min(order.forMs, DRAIN_MS) });
  } catch (thrown) {
    // Refused: nothing has happened. Of anything else nobody knows, and to take agents again harms nobody.
    if (!toNexaError(thrown).definite) await uncordon().catch(() => undefined);
    throw thrown;
  } finally {
    signal.removeEventListener('abort', hurry);
  }
  return { answeredBy: node, mend: () => again(clock, uncordon) };
}

const TRIES = 5;
/** A node that somebody else keeps busy may be late. @throws NexaError as the last try. */
async function again(clock: Clock, mend: () => Promise<void>): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      return await mend();
    } catch (thrown) {
      if (tries === TRIES) throw thrown;
      await new Promise<void>((resolve) => clock.after(LOOK_MS, resolve));
    }
  }
}

/** Undefined while nobody answers. */
async function looked(client: Pick<Client, 'cluster'>) {
  try {
    const [nodes, agents] = await Promise.all([nodesOf(client), agentsOf(client)]);
    return { nodes, agents };
  } catch {
    return undefined;
  }
}

interface NodeRow {
  readonly node: string;
  readonly incarnation: number;
  readonly state: string;
  readonly suspended?: boolean;
  readonly cordoned?: boolean;
}
const isUp = ({ state, suspended, cordoned }: NodeRow): boolean => state === 'running' && suspended !== true && cordoned !== true;
const isNode = (row: unknown): row is NodeRow =>
  typeof row === 'object' && row !== null && 'node' in row && typeof row.node === 'string' && 'state' in row;
async function nodesOf(client: Pick<Client, 'cluster'>): Promise<readonly NodeRow[]> {
  const rows = await client.cluster.nodes();
  return Array.isArray(rows) ? rows.filter(isNode) : [];
}

interface AgentRow {
  readonly type: string;
  readonly id: string;
  readonly node: string | null;
  readonly epoch: number;
}
const agentsOf = async (client: Pick<Client, 'cluster'>): Promise<readonly AgentRow[]> =>
  (await client.cluster.list({ limit: MOST_AGENTS })) as readonly AgentRow[];
const nameOf = ({ type, id }: AgentRow): string => `${type}/${id}`;
const agentIn = ({ agent }: PublicEvent): string => (agent === undefined ? '' : `${agent.type}/${agent.id}`);

function counted(names: readonly string[]): Readonly<Record<string, number>> {
  const times = new Map<string, number>();
  for (const name of names) times.set(name, (times.get(name) ?? 0) + 1);
  return Object.fromEntries([...times].sort(([a], [b]) => (a < b ? -1 : 1)));
}
