import { WIDEST_WINDOW } from '../actor/address.ts';
import type { Cancel } from '../actor/ref.ts';
import { isAnsweredWithStream } from '../actor/stream/streams.ts';
import { createCodec } from '../cluster/codec.ts';
import { isSafeReply, QUEUE_GROUP, type Subjects } from '../cluster/subject.ts';
import { NexaError } from '../errors.ts';
import type { Clock } from '../ports/clock.ts';
import type { Logger } from '../ports/logger.ts';
import type { Inbound, Subject, Transport } from '../ports/transport.ts';
import { agentCommand } from './agent-fields.ts';
import { type Answer, decodeBody, type Encoding, encodeAnswer, encodingOf, publicError } from './answers.ts';
import { callOptions } from './call-options.ts';
import { flows } from './flows.ts';
import type { CallOptions, PublicDeadLetter, PublicHandlers } from './handlers.ts';
import { agentsRequest, controlRequest, spawnRequest } from './requests.ts';
import { serveConnect, serveServices } from './serve-clients.ts';

export interface PublicEdgeOptions {
  readonly transport: Transport;
  readonly subjects: Subjects;
  readonly clock: Clock;
  readonly log: Logger;
  /** This node's name. */
  readonly node: string;
  readonly handlers: PublicHandlers;
  readonly onDeadLetter: (letter: PublicDeadLetter) => void;
  /** Why the node takes no work at the moment, whatever it is; operators are answered all the same. Default: it does. */
  readonly sheds?: () => NexaError | undefined;
  /** Requests being answered at most. Default 1,024 and 64 MiB of them. */
  readonly mostInFlight?: number;
  readonly mostInFlightBytes?: number;
}

/** Since the start. */
export interface PublicCounters {
  requests: number;
  tells: number;
  /** Answered with an error. */
  refused: number;
  overloaded: number;
  /** Not carried out, because an answer may not be published where it should go. */
  unsafeReplies: number;
  /** Tells that nobody took. */
  deadLetters: number;
}

/** Where any NATS client, in any language, meets this node. Not an actor: bad input never reaches one. */
export interface PublicEdge {
  /** Joins the queue groups, so that this node answers for the cluster. Idempotent. */
  open(): void;
  /** Leaves them: suspended, draining, cordoned. What was asked is still answered, and the operators' `ctl` subjects stay. */
  shut(): void;
  readonly inFlight: number;
  readonly counters: Readonly<PublicCounters>;
  /** Resolves when everything is answered, or after `timeoutMs`, with how many are left without answer. */
  idle(options: { readonly timeoutMs: number }): Promise<number>;
  /** Hears nothing more; resolves as {@link idle} does. */
  close(options: { readonly timeoutMs: number }): Promise<number>;
}

/** A handler that does not settle loses its place this long after its caller stopped waiting. */
const GRACE_MS = 1_000;
/** Room for subject and headers in what a server takes. */
const MARGIN_BYTES = 4_096;

/** An answer, or the items of a stream, which are sent one by one. */
type Served =
  | Answer
  | { readonly ok: 'stream'; readonly options: CallOptions; readonly items: (signal: AbortSignal) => AsyncIterable<unknown> };
type Serve = (body: unknown, options: CallOptions, subject: string, signal: AbortSignal) => Promise<Served>;

export function publicEdge(options: PublicEdgeOptions): PublicEdge {
  const { transport, subjects, clock, log, node, handlers } = options;
  const mostInFlight = options.mostInFlight ?? 1_024;
  const mostInFlightBytes = options.mostInFlightBytes ?? 67_108_864;
  // Refs from strangers stay text: a live one could name any actor of a node.
  const codec = createCodec();
  const counters: PublicCounters = { requests: 0, tells: 0, refused: 0, overloaded: 0, unsafeReplies: 0, deadLetters: 0 };
  const waiting = new Set<() => void>();
  let inFlight = 0;
  let inFlightBytes = 0;
  let groups: readonly Cancel[] = [];

  const mostBytes = transport.maxPayloadBytes - MARGIN_BYTES;
  const streams = flows({ transport, subjects, codec, clock, node, mostBytes });

  const answer = (to: Subject, encoding: Encoding, what: Answer): void => {
    if (!what.ok) counters.refused++;
    try {
      transport.publish(to, encodeAnswer(codec, encoding, what, mostBytes));
    } catch (error) {
      log.debug({ error }, 'an answer could not be published');
    }
  };
  const release = (bytes: number): void => {
    inFlight--;
    inFlightBytes -= bytes;
    settledOne();
  };
  const settledOne = (): void => {
    if (inFlight === 0 && streams.open === 0) for (const settled of [...waiting]) settled();
  };

  /** Runs one request under its deadline; its place is free again when it settles or has outlived its caller. */
  const run = (serve: Serve, message: Inbound, done: (served: Served, decoded: boolean) => void): void => {
    const bytes = message.payload.length;
    inFlight++;
    inFlightBytes += bytes;
    let open = true;
    let decoded = false;
    let forget: Cancel = () => {};
    const gaveUp = new AbortController();
    const listening = message.reply === undefined ? () => {} : streams.onGiveUp(message.reply, () => gaveUp.abort());
    const settle = (what: Served): void => {
      if (!open) return;
      open = false;
      forget();
      listening();
      done(what, decoded);
      release(bytes);
    };
    const fail = (thrown: unknown): void => {
      const error = publicError(thrown);
      if (error !== thrown) log.error({ error: thrown, subject: message.subject }, 'a public request failed');
      settle({ ok: false, error });
    };
    try {
      const body = decodeBody(codec, message.payload);
      decoded = true;
      const given = callOptions(message.headers);
      forget = clock.after(given.timeoutMs + GRACE_MS, () =>
        settle({ ok: false, error: new NexaError('ask-timeout', 'no answer within the deadline') }),
      );
      serve(body, given, message.subject, gaveUp.signal).then(settle, fail);
    } catch (thrown) {
      fail(thrown);
    }
  };

  const listener =
    (serve: Serve, { onTell, isWork = false }: { readonly onTell?: (message: Inbound) => void; readonly isWork?: boolean } = {}) =>
    (message: Inbound): void => {
      if (message.noResponders) return;
      const { reply } = message;
      if (reply !== undefined && !isSafeReply(reply)) {
        counters.unsafeReplies++;
        log.debug({ subject: message.subject }, 'a public message with an unsafe reply subject was not carried out');
        return;
      }
      if (reply === undefined && onTell !== undefined) {
        counters.tells++;
        onTell(message);
        return;
      }
      counters.requests++;
      const error = (isWork ? options.sheds?.() : undefined) ?? tooMuch(message.payload.length);
      if (error !== undefined) {
        counters.overloaded++;
        if (reply === undefined) lost(message, error);
        else answer(reply, encodingOf(message.payload), { ok: false, error });
        return;
      }
      run(serve, message, (what, decoded) => {
        // What cannot be decoded was hardly msgpack on purpose: JSON can be read by whoever typed it.
        if (reply === undefined) {
          if (what.ok === false) lost(message, what.error);
          return;
        }
        const encoding = decoded ? encodingOf(message.payload) : 'json';
        if (what.ok !== 'stream') return answer(reply, encoding, what);
        const { timeoutMs: idleTimeoutMs, window = WIDEST_WINDOW } = what.options;
        void streams.serve({ reply, encoding, window, idleTimeoutMs, items: what.items }).then((end) => {
          if (!end.ok) answer(reply, encoding, end);
          settledOne();
        });
      });
    };
  /** Nobody waits for the answer, so nobody hears that there is none. */
  const lost = ({ subject }: Inbound, error: NexaError): void => {
    counters.refused++;
    if (!subject.startsWith(`${subjects.prefix}.durable.`)) return;
    counters.deadLetters++;
    options.onDeadLetter({ subject, ...named(subject), message: undefined, error });
  };
  const named = (subject: string): { readonly type: string; readonly id: string } => {
    try {
      return subjects.parseAgent(subject);
    } catch {
      return { type: '', id: '' };
    }
  };
  const tooMuch = (bytes: number): NexaError | undefined =>
    inFlight >= mostInFlight || inFlightBytes + bytes > mostInFlightBytes
      ? new NexaError('overloaded', `this node is answering ${inFlight} requests already`, { where: { node } })
      : undefined;
  const spawn: Serve = async (body, given) => ({ ok: true, ...(await handlers.spawn(spawnRequest(body), given)) });
  const ask: Serve = async (body, given, subject, signal) => {
    const { type, id } = subjects.parseAgent(subject);
    const command = agentCommand(body);
    const { window = WIDEST_WINDOW } = given;
    try {
      // What the caller did not say, the agent knows.
      if (given.window === undefined || window === 0) return { ok: true, reply: await handlers.ask(type, id, command, given, signal) };
    } catch (thrown) {
      if (window === 0 || !isAnsweredWithStream(thrown)) throw thrown;
    }
    return { ok: 'stream', options: given, items: (left) => handlers.stream(type, id, command, { ...given, window }, left) };
  };
  const durable: Serve = async (body, given, subject) => {
    const { type, id } = subjects.parseAgent(subject);
    return { ok: true, stored: true, ...(await handlers.tellDurably(type, id, agentCommand(body), given)) };
  };
  const tell = (message: Inbound): void => {
    let to = { type: '', id: '' };
    let body: unknown;
    try {
      to = subjects.parseAgent(message.subject);
      // Before anything of it is read: what has no room costs as little as it can.
      const shed = options.sheds?.();
      if (shed !== undefined) {
        counters.overloaded++;
        throw shed;
      }
      body = decodeBody(codec, message.payload);
      handlers.tell(to.type, to.id, agentCommand(body), callOptions(message.headers));
    } catch (thrown) {
      counters.deadLetters++;
      const error = publicError(thrown);
      if (error !== thrown) log.error({ error: thrown, subject: message.subject }, 'a public message failed');
      options.onDeadLetter({ subject: message.subject, ...to, message: body, error });
    }
  };
  const agents: Serve = async (body, given) => {
    const request = agentsRequest(body);
    switch (request.type) {
      case 'list':
        return { ok: true, reply: await handlers.list(request.filter) };
      case 'types':
        return { ok: true, reply: { types: await handlers.types() } };
      case 'describe':
        return { ok: true, reply: await handlers.describe(request.agent) };
      case 'dead':
        return { ok: true, reply: await handlers.dead(request.wanted, given) };
      case 'inspect':
        return { ok: true, reply: await handlers.inspect(request.agent, request.id) };
      case 'why':
        return { ok: true, reply: await handlers.why(request.agent, request.id) };
      case 'stop':
        await handlers.stop(request.agent, request.id, { ...given, forget: request.forget });
        return { ok: true };
    }
  };
  const control =
    (named: boolean): Serve =>
    async (body, given) => {
      const request = controlRequest(body, named);
      switch (request.type) {
        case 'nodes':
          return { ok: true, reply: { nodes: await handlers.nodes() } };
        case 'status':
          return { ok: true, reply: await handlers.status() };
        case 'topics':
          return { ok: true, reply: await handlers.topics() };
        case 'tree':
          return { ok: true, reply: { tree: await handlers.tree() } };
        case 'inspect':
          return { ok: true, reply: await handlers.inspectNode() };
        case 'logs':
          return { ok: true, reply: await handlers.logs(request.wanted) };
        case 'stop':
          handlers.stopNode();
          return { ok: true };
        case 'cordon':
        case 'uncordon':
          await handlers.cordon(request.type === 'cordon', given);
          return { ok: true };
        case 'drain':
          return { ok: true, reply: await handlers.drain(given) };
      }
    };

  // Operators are answered also while this node takes nothing else: that is when they ask.
  const own = [
    transport.subscribe(subjects.ctlNode(node), listener(control(true))),
    transport.subscribe(subjects.ctl, listener(control(false)), { group: QUEUE_GROUP }),
  ];
  const shut = (): void => {
    for (const cancel of groups) cancel();
    groups = [];
  };
  const idle: PublicEdge['idle'] = async ({ timeoutMs }) => {
    if (inFlight + streams.open === 0) return 0;
    return new Promise((resolve) => {
      const settled = (): void => {
        waiting.delete(settled);
        forget();
        resolve(inFlight + streams.open);
      };
      const forget = clock.after(timeoutMs, settled);
      waiting.add(settled);
    });
  };
  return {
    open: () => {
      if (groups.length > 0) return;
      const group = { group: QUEUE_GROUP };
      groups = [
        transport.subscribe(subjects.spawn, listener(spawn, { isWork: true }), group),
        transport.subscribe(subjects.agentAll, listener(ask, { onTell: tell, isWork: true }), group),
        transport.subscribe(subjects.durableAll, listener(durable, { isWork: true }), group),
        transport.subscribe(subjects.agents, listener(agents), group),
        transport.subscribe(subjects.connect, listener(serveConnect(handlers)), group),
        transport.subscribe(subjects.services, listener(serveServices(handlers)), group),
      ];
    },
    shut,
    get inFlight() {
      return inFlight;
    },
    counters,
    idle,
    close: (within) => {
      shut();
      for (const cancel of own) cancel();
      streams.close();
      return idle(within);
    },
  };
}
