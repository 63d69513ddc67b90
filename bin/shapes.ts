/**
 * The JSON that commands print (docs/cli.md), made from what a node of this or another version answered: exactly these fields,
 * null where it said nothing.
 */
export interface AgentShape {
  readonly type: string;
  readonly id: string;
  readonly node: string | null;
  readonly epoch: number | null;
  readonly state: string;
  readonly mailbox: number | null;
  readonly restarts: number | null;
  /** Why it is where it is, or why it is nowhere. */
  readonly why: string;
}
export interface NodeShape {
  readonly node: string;
  readonly incarnation: number | null;
  readonly state: string;
  /** Null where it is not known: by the node that answered, or by its release. */
  readonly ready: boolean | null;
  readonly degraded: boolean | null;
  readonly suspended: boolean;
  readonly cordoned: boolean;
  /** Neither cordoned nor suspended, and takes no new agents all the same. */
  readonly full: boolean;
  readonly pid: number | null;
  readonly labels: Readonly<Record<string, string>>;
  readonly version: string;
  readonly agents: number | null;
  readonly lagMs: number | null;
}
export interface DrainedShape {
  readonly moved: number;
  readonly left: number;
  readonly lostMemory: number;
  readonly blocked: {
    readonly type: string;
    readonly id: string;
    readonly version: number | null;
    readonly labels: Readonly<Record<string, string>>;
  } | null;
}
export interface TreeShape {
  readonly name: string;
  readonly path: string;
  readonly state: string;
  readonly mailbox: number;
  readonly restarts: number;
  readonly lastReason: string | null;
  readonly children: readonly TreeShape[];
}
export interface TypeShape {
  readonly type: string;
  readonly version: number | null;
  readonly storage: string;
  readonly nodes: readonly string[];
  readonly summary: string;
}
export interface ClientShape {
  readonly client: string;
  readonly name: string | null;
  readonly node: string | null;
  readonly since: string | null;
  readonly heartbeatMs: number | null;
}
export interface ServiceShape {
  readonly service: string;
  readonly instance: string;
  readonly ref: string;
  readonly node: string | null;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly since: string | null;
}
export interface CommandShape {
  readonly summary: string;
  readonly input: unknown;
  readonly reply: unknown;
  readonly refusals: Readonly<Record<string, unknown>>;
}

export const record = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
export const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
export const text = (value: unknown): string => (typeof value === 'string' ? value : '');
const textOrNull = (value: unknown): string | null => (typeof value === 'string' ? value : null);
const labelsOf = (value: unknown): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(record(value)).map(([name, label]) => [name, String(label)]));
const flag = (value: unknown): boolean | null => (typeof value === 'boolean' ? value : null);
export const number = (value: unknown): number | null => (typeof value === 'number' ? value : null);

export const agentsOf = (rows: unknown): readonly AgentShape[] =>
  list(rows)
    .map(record)
    .map(({ type, id, node, epoch, state, mailbox, restarts, why }) => ({
      type: text(type),
      id: text(id),
      node: textOrNull(node),
      epoch: number(epoch),
      state: text(state),
      mailbox: number(mailbox),
      restarts: number(restarts),
      why: text(why),
    }));

export const nodesOf = (rows: unknown): readonly NodeShape[] =>
  list(rows)
    .map(record)
    .map(({ node, incarnation, state, ready, degraded, suspended, cordoned, admits, pid, labels, version, agents, lagMs }) => ({
      node: text(node),
      incarnation: number(incarnation),
      state: text(state),
      ready: flag(ready),
      degraded: flag(degraded),
      suspended: suspended === true,
      cordoned: cordoned === true,
      full: admits === false && suspended !== true && cordoned !== true && state === 'running' && number(agents) !== null,
      pid: number(pid),
      labels: labelsOf(labels),
      version: text(version),
      agents: number(agents),
      lagMs: number(lagMs),
    }));

export function drainedOf(value: unknown): DrainedShape {
  const { moved, left, lostMemory, blocked } = record(value);
  const { type, id, version, labels } = record(blocked);
  return {
    moved: number(moved) ?? 0,
    left: number(left) ?? 0,
    lostMemory: number(lostMemory) ?? 0,
    blocked: typeof type === 'string' ? { type, id: text(id), version: number(version), labels: labelsOf(labels) } : null,
  };
}

export function treeOf(value: unknown): TreeShape {
  const { name, path, state, mailbox, restarts, lastReason, children } = record(value);
  return {
    name: text(name),
    path: text(path),
    state: text(state),
    mailbox: number(mailbox) ?? 0,
    restarts: number(restarts) ?? 0,
    lastReason: textOrNull(lastReason),
    children: list(children).map(treeOf),
  };
}

export const typesOf = (rows: unknown): readonly TypeShape[] =>
  list(rows)
    .map(record)
    .map(({ type, version, storage, nodes, summary }) => ({
      type: text(type),
      version: number(version),
      storage: text(storage),
      nodes: list(nodes).map(text),
      summary: text(summary),
    }));

/** ISO 8601. What is no instant is null. */
const instant = (value: unknown): string | null =>
  typeof value === 'number' && Math.abs(value) <= 8.64e15 ? new Date(value).toISOString() : null;

export const clientsOf = (rows: unknown): readonly ClientShape[] =>
  list(rows)
    .map(record)
    .map(({ client, name, node, sinceMs, heartbeatMs }) => ({
      client: text(client),
      name: textOrNull(name),
      node: textOrNull(node),
      since: instant(sinceMs),
      heartbeatMs: number(heartbeatMs),
    }));

export const servicesOf = (rows: unknown): readonly ServiceShape[] =>
  list(rows)
    .map(record)
    .map(({ service, instance, ref, node, metadata, registeredAtMs }) => ({
      service: text(service),
      instance: text(instance),
      ref: text(ref),
      node: textOrNull(node),
      metadata: record(metadata),
      since: instant(registeredAtMs),
    }));

export const commandsOf = (described: unknown): Readonly<Record<string, CommandShape>> =>
  Object.fromEntries(
    Object.entries(record(record(described).commands)).map(([name, command]) => {
      const { summary, input, reply, refusals } = record(command);
      return [name, { summary: text(summary), input, reply, refusals: record(refusals) }];
    }),
  );
