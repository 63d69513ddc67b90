import { decodeId, encodeId } from '../actor/address.ts';
import { NexaError } from '../errors.ts';
import type { Subject } from '../ports/transport.ts';
import { decodeTopicName, encodeTopicName, encodeTopicPattern } from './topic-name.ts';

/**
 * Every name that reaches a NATS server is spelled here and nowhere else: subjects, queue group, inboxes, stream and bucket
 * names, keys. A client library that takes a name as it is lets a line break inject protocol commands and a `*` subscribe to
 * somebody else's traffic, so nothing gets into a name without passing {@link encodeId} or a pattern.
 */

export { decodeId, encodeId };

const CLUSTER = /^[A-Za-z0-9_-]{1,32}$/;
const NAME = /^[A-Za-z0-9_-]{1,64}$/;
const TOKEN = /^[A-Za-z0-9_-]{1,128}$/;
const LONGEST_REPLY_BYTES = 255;

/** Competing nodes share one queue group, so that one of them answers a public message. */
export const QUEUE_GROUP = 'nexa';

/** What a cluster keeps in the store: KV buckets, streams and one object store. */
export const STORES = {
  META: 'kv',
  AGENTS: 'kv',
  MEMBERS: 'kv',
  STATE: 'kv',
  REMINDERS: 'kv',
  SNAPSHOTS: 'kv',
  SERVICES: 'kv',
  JOURNAL: 'stream',
  MAILBOX: 'stream',
  DEAD: 'stream',
  BLOBS: 'objects',
} as const;
export type StoreName = keyof typeof STORES;

const checked = (what: string, name: string, pattern: RegExp): string => {
  if (pattern.test(name)) return name;
  throw new NexaError('bad-id', `${what} ${quote(name)} is not allowed`, {
    where: { [what]: name.slice(0, 128) },
    fix: `Use letters, digits, _ and -, as in ${pattern.source.slice(1, -1)}.`,
  });
};
const quote = (text: string): string => JSON.stringify(text.length > 64 ? `${text.slice(0, 64)}…` : text);

/** @throws NexaError `bad-id` unless 1 … 32 of letters, digits, `_` and `-`. */
export const validCluster = (name: string): string => checked('cluster', name, CLUSTER);
/** @throws NexaError `bad-id` unless 1 … 64 of letters, digits, `_` and `-`. */
export const validNode = (name: string): string => checked('node', name, NAME);
/** @throws NexaError `bad-id` unless 1 … 64 of letters, digits, `_` and `-`. */
export const validType = (name: string): string => checked('type', name, NAME);

/** The name of a queue group of subscribers. @throws NexaError `bad-id` unless 1 … 64 of letters, digits, `_` and `-`. */
export const validGroup = (name: string): string => checked('group', name, NAME);
/** The id of a program outside the cluster, as it or a node made it. @throws NexaError `bad-id` unless 1 … 128 of letters, digits, `_` and `-`. */
export const validClient = (id: string): string => checked('client', id, TOKEN);
/** What such a program calls itself. @throws NexaError `bad-id` unless 1 … 64 of letters, digits, `_` and `-`. */
export const validClientName = (name: string): string => checked('name', name, NAME);

const validIncarnation = (incarnation: number): number => {
  if (Number.isSafeInteger(incarnation) && incarnation > 0) return incarnation;
  throw new NexaError('bad-id', `incarnation ${incarnation} is no positive integer`);
};

const badId = (message: string, id: string) => new NexaError('bad-id', message, { where: { id: id.slice(0, 128) } });

/** A key of AGENTS, STATE and SNAPSHOTS. @throws NexaError `bad-id`. */
export const agentKey = (type: string, id: string): string => `${validType(type)}.${encodeId(id)}`;
/** A key of MEMBERS. @throws NexaError `bad-id`. */
export const memberKey = (node: string): string => validNode(node);
/** A key of REMINDERS. @throws NexaError `bad-id`. */
export const reminderKey = (type: string, id: string, name: string): string => `${agentKey(type, id)}.${encodeId(name)}`;
/** A key of SERVICES. @throws NexaError `bad-id`. */
export const serviceEntryKey = (service: string, instance: string): string => `${encodeId(service)}.${encodeId(instance)}`;
/** Back from {@link agentKey}. @throws NexaError `bad-id`. */
export function parseAgentKey(key: string): { readonly type: string; readonly id: string } {
  const [type, id, ...rest] = key.split('.');
  if (type === undefined || id === undefined || rest.length > 0) throw badId('not the key of an agent', key);
  return { type: validType(type), id: decodeId(id) };
}
/** Back from {@link reminderKey}. @throws NexaError `bad-id`. */
export function parseReminderKey(key: string): { readonly type: string; readonly id: string; readonly name: string } {
  const at = key.lastIndexOf('.');
  return { ...parseAgentKey(key.slice(0, Math.max(at, 0))), name: decodeId(key.slice(at + 1)) };
}

/** The inbox of a program outside the cluster; `random` names one connection. @throws NexaError `bad-id`. */
export function clientInbox(random: string): { readonly all: Subject; reply(id: string): Subject } {
  const prefix = `_INBOX.${checked('inbox', random, TOKEN)}`;
  return { all: `${prefix}.*` as Subject, reply: (id) => `${prefix}.${checked('inbox', id, TOKEN)}` as Subject };
}

/** The reply subject of a message as the server gave it. Ask {@link isSafeReply} before publishing to it. */
export const receivedReply = (text: string): Subject => text as Subject;

/** A subject as it was heard or stored; in drills also one that was made up, as no program of ours would. A connection still refuses one that would inject protocol. */
export const anySubject = (text: string): Subject => text as Subject;

/**
 * Whether an answer may be published there. Our rights are not the caller's: a reply subject in the server's own space (`$…`) or
 * in a cluster's would let anyone make us call an API or speak for a node.
 */
export function isSafeReply(reply: string): boolean {
  if (reply.length === 0 || reply.startsWith('$') || reply === 'nexa' || reply.startsWith('nexa.')) return false;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused
  if (/[\s*>\u0000-\u0020\u007f-\u009f]/u.test(reply) || !reply.isWellFormed()) return false;
  if (reply.startsWith('.') || reply.endsWith('.') || reply.includes('..')) return false;
  return Buffer.byteLength(reply) <= LONGEST_REPLY_BYTES;
}

/** The names of one cluster. */
export interface Subjects {
  readonly cluster: string;
  /** `nexa.<cluster>.v1`. */
  readonly prefix: string;
  /** Everything of this cluster that is no record, to listen to. */
  readonly all: Subject;
  /** The inbox of one incarnation of a node: every actor on it; the address is in the frame. */
  node(node: string, incarnation: number): Subject;
  /** Answers to one incarnation of a node: subscribe to `all`, ask with `reply(id)`. */
  replies(node: string, incarnation: number): { readonly all: Subject; reply(id: string): Subject };
  readonly spawn: Subject;
  agent(type: string, id: string): Subject;
  readonly agentAll: Subject;
  durable(type: string, id: string): Subject;
  readonly durableAll: Subject;
  readonly agents: Subject;
  /** Where programs outside the cluster are listed, and who offers what. */
  readonly connect: Subject;
  readonly services: Subject;
  /** To whichever node is free. */
  readonly ctl: Subject;
  ctlNode(node: string): Subject;
  /** Where every node hears which request is given up, and where one node hears how far the reader of a stream is. */
  readonly flow: Subject;
  flowNode(node: string): Subject;
  /** A {@link flowNode} that was named to us. @throws NexaError `bad-id` for any other subject. */
  parseFlow(text: string): Subject;
  /** The process that supervises a node's process, and can end it. */
  launcher(node: string): Subject;
  /** Hints among nodes: that a record is worth reading. */
  event(kind: string): Subject;
  readonly eventAll: Subject;
  /** What a node tells outsiders. Without a node or a kind: of all of them, to subscribe to. */
  events(node?: string, kind?: string): Subject;
  readonly beat: Subject;
  /** One topic, to publish to. @throws NexaError `bad-id` for a pattern too. */
  topic(name: string): Subject;
  /** One topic or all that match a pattern, to subscribe to. @throws NexaError `bad-id`. */
  topics(pattern: string): Subject;
  /** Back from {@link topic}. @throws NexaError `bad-id`. */
  parseTopic(subject: string): string;
  /** An agent's records in the streams JOURNAL, MAILBOX and DEAD, and all of one stream. */
  record(stream: 'journal' | 'mailbox' | 'dead', type: string, id: string): Subject;
  recordAll(stream: 'journal' | 'mailbox' | 'dead'): Subject;
  /** Of all agents of one type. */
  recordsOf(stream: 'journal' | 'mailbox' | 'dead', type: string): Subject;
  /** Of `agent` and `durable` subjects. @throws NexaError `bad-id`. */
  parseAgent(subject: string): { readonly type: string; readonly id: string };
  /** The stream or bucket of that name: `nexa_<cluster>_AGENTS`. */
  store(name: StoreName): string;
}

/** @throws NexaError `bad-id` for a cluster name that is no token; so does every member for a name it cannot carry. */
export function subjects(cluster: string): Subjects {
  const prefix = `nexa.${validCluster(cluster)}.v1`;
  const subject = (...tokens: readonly (string | number)[]) => `${prefix}.${tokens.join('.')}` as Subject;
  return {
    cluster,
    prefix,
    all: subject('>'),
    node: (node, incarnation) => subject('node', validNode(node), validIncarnation(incarnation)),
    replies: (node, incarnation) => {
      const tokens = ['reply', validNode(node), validIncarnation(incarnation)] as const;
      return { all: subject(...tokens, '*'), reply: (id) => subject(...tokens, checked('reply', id, TOKEN)) };
    },
    spawn: subject('spawn'),
    agent: (type, id) => subject('agent', agentKey(type, id)),
    agentAll: subject('agent', '*', '*'),
    durable: (type, id) => subject('durable', agentKey(type, id)),
    durableAll: subject('durable', '*', '*'),
    agents: subject('agents'),
    connect: subject('connect'),
    services: subject('services'),
    ctl: subject('ctl'),
    ctlNode: (node) => subject('ctl', validNode(node)),
    flow: subject('flow'),
    flowNode: (node) => subject('flow', validNode(node)),
    parseFlow: (text) => {
      const start = `${prefix}.flow.`;
      if (!text.startsWith(start)) throw badId('not the subject of a flow', text);
      return subject('flow', validNode(text.slice(start.length)));
    },
    launcher: (node) => subject('ctl', validNode(node), 'launcher'),
    event: (kind) => subject('event', checked('event', kind, NAME)),
    eventAll: subject('event', '*'),
    events: (node, kind) =>
      subject('events', node === undefined ? '*' : validNode(node), kind === undefined ? '*' : checked('event', kind, NAME)),
    beat: subject('beat'),
    topic: (name) => subject('topic', encodeTopicName(name)),
    topics: (pattern) => subject('topic', encodeTopicPattern(pattern)),
    parseTopic: (text) => {
      const start = `${prefix}.topic.`;
      if (text.startsWith(start)) return decodeTopicName(text.slice(start.length));
      throw badId('not the subject of a topic', text);
    },
    record: (stream, type, id) => subject(stream, agentKey(type, id)),
    recordAll: (stream) => subject(stream, '>'),
    recordsOf: (stream, type) => subject(stream, validType(type), '*'),
    parseAgent: (text) => {
      for (const kind of ['agent', 'durable']) {
        const start = `${prefix}.${kind}.`;
        if (text.startsWith(start)) return parseAgentKey(text.slice(start.length));
      }
      throw badId('not the subject of an agent', text);
    },
    store: (name) => `nexa_${cluster}_${name}`,
  };
}
