import { type Address, formatAddress, parseAddress } from './actor/address.ts';
import type { Message } from './actor/message.ts';
import type { Cancel, StreamOptions } from './actor/ref.ts';
import { silentLogger } from './actor/safe-logger.ts';
import type { TellDurablyOptions } from './actor/tell-durably.ts';
import type { Agents, SpawnOptions } from './agent/agents.ts';
import type { AgentRef, Commands } from './agent/protocol.ts';
import { createCodec } from './cluster/codec.ts';
import { type Subjects, subjects } from './cluster/subject.ts';
import { validMessageId } from './durable/mail.ts';
import { type Caller, createCaller } from './edge/caller.ts';
import { type ClientReceptionist, clientReceptionist } from './edge/client-receptionist.ts';
import { type ClientSession, type ListedAs, openSession } from './edge/client-session.ts';
import { type ClientTopic, clientTopics } from './edge/client-topic.ts';
import type { AgentRow } from './edge/handlers.ts';
import { decodeEvent, type PublicEvent } from './edge/public-event.ts';
import { NexaError, toNexaError } from './errors.ts';
import type { Clock } from './ports/clock.ts';
import type { Logger } from './ports/logger.ts';
import type { Random } from './ports/random.ts';
import type { Transport } from './ports/transport.ts';
import { systemClock } from './system-clock.ts';
import { systemRandom } from './system-random.ts';

export { isAnsweredWithStream } from './actor/stream/streams.ts';
export type { PublicEvent } from './edge/public-event.ts';

export interface ConnectOptions {
  /** `host:port` or `nats://host:port`, several with commas or as a list. */
  readonly nats: string | readonly string[];
  /** Default: `nexa`. */
  readonly cluster?: string;
  /** How long the first connect is tried. Default 5,000. */
  readonly timeoutMs?: number;
  /** What the connection reports of itself. Default: nothing. */
  readonly log?: Logger;
  /** What `nexa clients` calls it: 1 … 64 of letters, digits, `_` and `-`. */
  readonly name?: string;
  /** How often it tells the cluster that it is there, 1,000 … 60,000; missing three it is not listed any more. Default 5,000. */
  readonly heartbeatMs?: number;
  /** Whether the cluster accepts and lists it before it does anything else. Default true; false is for a few requests and gone. */
  readonly listed?: boolean;
}
export interface RawOptions {
  readonly timeoutMs: number;
  /** A durable agent handles one id once. 1 … 64 visible ASCII characters. */
  readonly requestId?: string;
  /** W3C trace context. Default: a fresh one. */
  readonly traceparent?: string;
}
export interface RawSpawn {
  /** The agent's type. */
  readonly agent: string;
  readonly id?: string;
  readonly config?: unknown;
  readonly spawnId?: string;
  readonly placement?: SpawnOptions['placement'];
  readonly timeoutMs?: number;
}

/**
 * A program outside the cluster: typed access to agents, and what the command line shows. One connection, no lease, no member;
 * every call is a public message that any NATS client could send (docs/messages.md).
 */
export interface Client extends Agents, AsyncDisposable {
  /** By names alone, for whoever has no definition at hand. @throws as `ask` of a ref; `unavailable` when no node listens. */
  askRaw(type: string, id: string, command: unknown, options: RawOptions): Promise<unknown>;
  /** The items of a stream command, by names alone. @throws as `stream` of a ref. */
  streamRaw(type: string, id: string, command: unknown, options: StreamOptions): AsyncIterable<unknown>;
  /** At most once; resolves when it was sent. */
  tellRaw(type: string, id: string, command: unknown): Promise<void>;
  /** Resolves with its id once it is stored. @throws as `tellDurably` of a ref. */
  tellDurablyRaw(type: string, id: string, command: unknown, options: TellDurablyOptions): Promise<string>;
  spawnRaw(request: RawSpawn): Promise<{
    readonly type: string;
    readonly id: string;
    readonly node: string | null;
    readonly epoch: number;
    readonly created: boolean;
  }>;
  /** By which the cluster lists it; undefined if it does not. */
  readonly id: string | undefined;
  /** Services by key: who offers what. */
  readonly receptionist: ClientReceptionist;
  /** Messages by what they are about: publish to a name, subscribe to a name or pattern. @throws NexaError `bad-id`. */
  topic<T extends Message>(name: string): ClientTopic<T>;
  /** What it answers is what a node said, unchecked: it may be of another version. */
  readonly cluster: {
    list(filter?: { readonly type?: string; readonly id?: string; readonly limit?: number }): Promise<readonly AgentRow[]>;
    types(): Promise<unknown>;
    describe(type: string): Promise<unknown>;
    /** As one node sees them, or whichever answers. */
    nodes(node?: string): Promise<unknown>;
    tree(node: string): Promise<unknown>;
    /** Of one node, or of whichever answers. */
    status(node?: string): Promise<unknown>;
    /** It takes no new agents, or takes them again. */
    cordon(node: string, on: boolean, options?: { readonly timeoutMs?: number }): Promise<void>;
    /** Moves its agents to other nodes: how many moved, how many are left. @throws NexaError `unavailable`: nobody may take them. */
    drain(node: string, options?: { readonly timeoutMs?: number }): Promise<unknown>;
    /** Everything about one agent that its record and its owner say; its configuration without secrets. @throws NexaError `no-such-actor`. */
    inspect(type: string, id: string): Promise<unknown>;
    /** Where it has been and why, its last crash, messages to it that died. @throws NexaError `no-such-actor`. */
    why(type: string, id: string): Promise<unknown>;
    /** Stored messages that failed too often and were put aside: how many rows, of which agents, from which number on. */
    readonly dead: {
      list(filter?: { readonly type?: string; readonly id?: string; readonly after?: number; readonly limit?: number }): Promise<unknown>;
      /** With its message. @throws NexaError `no-such-actor`: there is none of that number. */
      show(number: number): Promise<unknown>;
      /** Puts another message in its place; its new number. @throws NexaError what its agent refuses the message with. */
      edit(number: number, message: unknown): Promise<unknown>;
      /** Stores it for its agent again; however often, it is handled once. */
      replay(number: number): Promise<unknown>;
      discard(number: number): Promise<void>;
    };
    /** Everything that a node measures of itself. */
    inspectNode(node: string): Promise<unknown>;
    /**
     * What a node logged: the newest `limit` lines from a level on; with `after` the oldest that came after that line, and how many
     * of those are lost. Default: info, 200.
     */
    logs(
      node: string,
      wanted?: { readonly level?: 'info' | 'warn' | 'error'; readonly limit?: number; readonly after?: number },
    ): Promise<unknown>;
    /** Which nodes listen to which topics, with how many subscribers; those that did not say are named. */
    topics(): Promise<unknown>;
    /** The programs that are connected, at most 1,000. */
    clients(): Promise<unknown>;
    /** Who offers a service, by its name, at most 1,000. */
    services(service: string): Promise<unknown>;
    /** It leaves gracefully; answered when it has begun to. */
    stopNode(node: string): Promise<void>;
    /** SIGKILL, by the node's launcher. */
    killNode(node: string): Promise<void>;
    /**
     * SIGSTOP, by the node's launcher, which lets it go on after so long, 1 … 60,000, whoever wanted it. Another pause in between sets a
     * new limit. @throws NexaError `unknown-command`: its launcher is of an older release.
     */
    pauseNode(node: string, forMs: number): Promise<void>;
    /** Before that time; of a node that is not held nothing happens. */
    resumeNode(node: string): Promise<void>;
    /**
     * What nodes tell as it happens, of one node and of some kinds (docs/events.md) or of all; at most once, and nothing of what
     * came before. @throws NexaError `bad-id`, `disconnected`.
     */
    events(wanted: { readonly node?: string; readonly kinds?: readonly string[] }, listener: (event: PublicEvent) => void): Cancel;
  };
}

const TIMEOUT_MS = 5_000;
const DRAIN_MS = 30_000;
const POLL_MS = 10;

/**
 * Connects a client; resolves when the cluster has accepted and listed it.
 * @throws NexaError `disconnected` when no server answers in time, `denied` when one refuses us, `bad-id` for the cluster's name or
 *   the client's, `unknown-version`, `quota-exceeded`, and `unavailable` when no node accepts clients; then nothing is left of it.
 */
export async function connect(options: ConnectOptions): Promise<Client> {
  const servers = [options.nats]
    .flat()
    .flatMap((url) => url.split(','))
    .map((url) => url.trim())
    .filter((url) => url !== '');
  const names = subjects(options.cluster ?? 'nexa');
  const { connectNats } = await import('./nats/connection.ts');
  try {
    const link = await connectNats({
      servers,
      name: 'nexa client',
      role: 'client',
      clock: systemClock,
      random: systemRandom,
      log: options.log ?? silentLogger,
      connectWithinMs: options.timeoutMs ?? TIMEOUT_MS,
    });
    const client = clientOver({
      transport: link.transport(),
      subjects: names,
      clock: systemClock,
      random: systemRandom,
      ...(options.log === undefined ? {} : { log: options.log }),
      onClose: () => link.close(),
    });
    const { listed = true, timeoutMs = TIMEOUT_MS, name, heartbeatMs } = options;
    if (!listed) return client;
    try {
      await client.list({ ...(name === undefined ? {} : { name }), ...(heartbeatMs === undefined ? {} : { heartbeatMs }) }, { timeoutMs });
    } catch (error) {
      await client[Symbol.asyncDispose]();
      throw error;
    }
    return client;
  } catch (thrown) {
    const error = toNexaError(thrown, 'disconnected');
    if (error.code !== 'disconnected') throw error;
    throw new NexaError('disconnected', error.message, {
      cause: error,
      where: error.where,
      definite: true,
      fix: 'Start a cluster with `nexa up`, or name a running server with --nats <url>.',
    });
  }
}

/** What {@link clientOver} gives. */
export interface UnlistedClient extends Client {
  /** Has the cluster accept and list it, once. @throws NexaError as {@link connect}. */
  list(as: ListedAs, options: { readonly timeoutMs: number }): Promise<void>;
}

/** The same client over any transport, not listed yet; `onClose` ends what the caller opened for it. */
export function clientOver(options: {
  readonly transport: Transport;
  readonly subjects: Subjects;
  readonly clock: Clock;
  readonly random: Random;
  /** Default: nothing is logged. */
  readonly log?: Logger;
  readonly onClose?: () => Promise<void>;
}): UnlistedClient {
  const { transport, subjects: names, clock, random, log = silentLogger } = options;
  const codec = createCodec({
    refOf: (text) => {
      const address = parseAddress(text);
      // Only named agents can be reached from outside.
      return address.kind === 'agent' ? refTo(address.type, address.id) : text;
    },
  });
  const caller = createCaller({ transport, subjects: names, codec, clock, random });
  const refTo = (type: string, id: string): AgentRef<Commands> =>
    new ClientRef(caller, names, clock, random, type, id) as unknown as AgentRef<Commands>;
  const within = { timeoutMs: TIMEOUT_MS };
  const agents = async (body: object, waiting = within) =>
    (await caller.request(names.agents, body, waiting)).reply as Record<string, unknown> | undefined;
  const services = async (body: object) =>
    (await caller.request(names.services, body, within)).reply as Record<string, unknown> | undefined;
  const ctl = async (node: string | undefined, type: string, waiting = within, fields: object = {}) =>
    (await caller.request(node === undefined ? names.ctl : names.ctlNode(node), { type, ...fields }, waiting)).reply as
      | Record<string, unknown>
      | undefined;

  let session: ClientSession | undefined;
  const receptionist = clientReceptionist({
    caller,
    subjects: names,
    clock,
    refOf: (text) => {
      const address = parseAddress(text);
      return address.kind === 'agent' ? refTo(address.type, address.id) : undefined;
    },
  });

  const topics = clientTopics({ transport, subjects: names, codec, log });

  const client: UnlistedClient = {
    get id() {
      return session?.client;
    },
    receptionist,
    topic: topics.topic,
    async list(as, { timeoutMs }) {
      session ??= await openSession({ caller, transport, subjects: names, clock, random, as, timeoutMs });
    },
    agent: ((protocol: { readonly type: string }, id: string) => refTo(protocol.type, id)) as Client['agent'],
    spawn: (async (definition: { readonly type: string }, wanted: SpawnOptions & { readonly config?: unknown } = {}) => {
      const { type, id, node, epoch, created } = await client.spawnRaw({ agent: definition.type, ...wanted });
      return { ref: refTo(type, id), node, epoch, created };
    }) as Client['spawn'],
    stopAgent: async (ref, { forget = false, timeoutMs = TIMEOUT_MS } = {}) => {
      await agents({ type: 'stop', agent: ref.type, id: ref.id, forget }, { timeoutMs });
    },
    askRaw: async (type, id, command, options) => (await caller.request(names.agent(type, id), command, { ...options, once: true })).reply,
    streamRaw: (type, id, command, options) => caller.stream(names.agent(type, id), command, options),
    tellDurablyRaw: (type, id, command, { timeoutMs, messageId = random.id() }) =>
      tellDurably(caller, names, type, id, command, { timeoutMs, messageId: validMessageId(messageId) }),
    tellRaw: async (type, id, command) => {
      caller.send(names.agent(type, id), command);
    },
    spawnRaw: async ({ agent: type, timeoutMs = TIMEOUT_MS, id, config, spawnId, placement }) => {
      const { agent, created } = await caller.request(names.spawn, { type, id, config, spawnId, placement }, { timeoutMs });
      const { id: given, node, epoch } = (agent ?? {}) as { readonly id?: unknown; readonly node?: unknown; readonly epoch?: unknown };
      if (typeof given !== 'string' || typeof epoch !== 'number')
        throw new NexaError('invalid-message', 'the answer names no agent', { definite: false });
      return { type, id: given, node: typeof node === 'string' ? node : null, epoch, created: created === true };
    },
    cluster: {
      list: async ({ type, id, limit } = {}) =>
        ((await agents({ type: 'list', agent: type, id, limit }))?.agents ?? []) as readonly AgentRow[],
      types: async () => (await agents({ type: 'types' }))?.types,
      describe: (type) => agents({ type: 'describe', agent: type }),
      nodes: async (node) => (await ctl(node, 'nodes'))?.nodes,
      tree: async (node) => (await ctl(node, 'tree'))?.tree,
      status: (node) => ctl(node, 'status'),
      cordon: async (node, on, { timeoutMs = TIMEOUT_MS } = {}) => void (await ctl(node, on ? 'cordon' : 'uncordon', { timeoutMs })),
      drain: (node, { timeoutMs = DRAIN_MS } = {}) => ctl(node, 'drain', { timeoutMs }),
      inspect: (type, id) => agents({ type: 'inspect', agent: type, id }),
      why: (type, id) => agents({ type: 'why', agent: type, id }),
      dead: {
        list: ({ type, ...filter } = {}) => agents({ type: 'dead-list', agent: type, ...filter }),
        show: (number) => agents({ type: 'dead-show', number }),
        edit: (number, message) => agents({ type: 'dead-edit', number, message }),
        replay: (number) => agents({ type: 'dead-replay', number }),
        discard: async (number) => void (await agents({ type: 'dead-discard', number })),
      },
      inspectNode: (node) => ctl(node, 'inspect'),
      logs: (node, wanted = {}) => ctl(node, 'logs', within, wanted),
      topics: () => ctl(undefined, 'topics'),
      clients: async () => (await services({ type: 'clients' }))?.clients,
      services: async (service) => (await services({ type: 'find', service, limit: 1_000 }))?.services,
      stopNode: async (node) => void (await ctl(node, 'stop')),
      killNode: async (node) => {
        await caller.request(names.launcher(node), { type: 'kill' }, within);
      },
      pauseNode: async (node, forMs) => {
        await caller.request(names.launcher(node), { type: 'pause', forMs }, within);
      },
      resumeNode: async (node) => {
        await caller.request(names.launcher(node), { type: 'resume' }, within);
      },
      events: ({ node, kinds = [] }, listener) => {
        const wanted = kinds.length === 0 ? [names.events(node)] : kinds.map((kind) => names.events(node, kind));
        const cancels = wanted.map((subject) =>
          transport.subscribe(subject, ({ payload }) => {
            const event = decodeEvent(payload);
            if (event !== undefined) listener(event);
          }),
        );
        return () => {
          for (const cancel of cancels) cancel();
        };
      },
    },
    [Symbol.asyncDispose]: async () => {
      topics.close();
      receptionist.close();
      await session?.close();
      caller.close();
      await options.onClose?.();
    },
  };
  return client;
}

/** An error that leaves it open whether the message is stored names the id to repeat it with. */
async function tellDurably(
  caller: Caller,
  names: Subjects,
  type: string,
  id: string,
  message: unknown,
  { timeoutMs, messageId }: { readonly timeoutMs: number; readonly messageId: string },
): Promise<string> {
  try {
    await caller.request(names.durable(type, id), message, { timeoutMs, requestId: messageId });
    return messageId;
  } catch (thrown) {
    const error = toNexaError(thrown, 'internal');
    if (error.definite) throw error;
    const { code, message: why, retryable, where } = error;
    const fix = 'Repeat it with the same message id: it is stored once.';
    throw new NexaError(code, why, { where: { ...where, messageId }, definite: false, retryable, fix, cause: error });
  }
}

/** A named agent as seen from outside: every use is one public message. */
class ClientRef {
  readonly type: string;
  readonly id: string;
  readonly address: Address;
  private readonly caller: Caller;
  private readonly names: Subjects;
  private readonly clock: Clock;
  private readonly random: Random;

  /** @throws NexaError `bad-id` */
  constructor(caller: Caller, names: Subjects, clock: Clock, random: Random, type: string, id: string) {
    names.agent(type, id);
    this.caller = caller;
    this.names = names;
    this.clock = clock;
    this.random = random;
    this.type = type;
    this.id = id;
    this.address = { kind: 'agent', type, id };
  }

  tell(message: unknown): boolean {
    try {
      return this.caller.send(this.names.agent(this.type, this.id), message);
    } catch (thrown) {
      // What is wrong with the message is the sender's; that nobody takes it now is what tell does not say.
      if (thrown instanceof NexaError && (thrown.code === 'not-encodable' || thrown.code === 'payload-too-large')) throw thrown;
      return false;
    }
  }
  async ask(
    message: unknown,
    options: { readonly timeoutMs: number; readonly signal?: AbortSignal; readonly requestId?: string; readonly traceparent?: string },
  ): Promise<unknown> {
    return (await this.caller.request(this.names.agent(this.type, this.id), message, { ...options, once: true })).reply;
  }
  stream(message: unknown, options: StreamOptions): AsyncIterable<unknown> {
    return this.caller.stream(this.names.agent(this.type, this.id), message, options);
  }
  async tellDurably(message: unknown, { timeoutMs, messageId = this.random.id() }: TellDurablyOptions): Promise<void> {
    await tellDurably(this.caller, this.names, this.type, this.id, message, { timeoutMs, messageId: validMessageId(messageId) });
  }
  async ready({ timeoutMs, signal }: { readonly timeoutMs: number; readonly signal?: AbortSignal }): Promise<void> {
    const untilMs = this.clock.monotonicMs() + timeoutMs;
    while (!this.caller.hasRoom()) {
      if (signal?.aborted === true) throw new NexaError('cancelled', 'the wait was given up', { cause: signal.reason });
      if (this.clock.monotonicMs() >= untilMs)
        throw new NexaError('ask-timeout', 'no room within the deadline', { where: { to: this.toJSON() } });
      await new Promise<void>((resolve) => void this.clock.after(POLL_MS, resolve));
    }
  }
  toJSON(): string {
    return formatAddress(this.address);
  }
  toString(): string {
    return this.toJSON();
  }
}
