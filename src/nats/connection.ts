import { type ConnectionOptions, connect, type NatsConnection, type ServerInfo } from 'nats';
import type { Cancel } from '../actor/ref.ts';
import { NexaError } from '../errors.ts';
import type { Clock } from '../ports/clock.ts';
import { inTime } from '../ports/in-time.ts';
import type { Logger } from '../ports/logger.ts';
import type { Random } from '../ports/random.ts';
import { assertPublishable } from '../ports/safe-name.ts';
import type { Stores } from '../ports/stores.ts';
import type { Traffic, Transport } from '../ports/transport.ts';
import { internalsOf } from './client-internals.ts';
import { type JetStream, jetStream } from './jet-stream.ts';
import { loginOf, shownServers } from './login.ts';
import { natsStores } from './stores.ts';
import { natsTransport } from './transport.ts';

export interface NatsOptions {
  /** `host:port`, `nats://host:port` or `nats://user:password@host:port`, at least one. */
  readonly servers: readonly string[];
  /** The first of them first; else any. */
  readonly inOrder?: boolean;
  /** What the server shows of this connection. */
  readonly name: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** Control carries leases and stores and notices a silent server first; data carries messages; a client is no member. */
  readonly role: 'control' | 'data' | 'client';
  /** Below which this connection makes an inbox of its own for the answers of the store; default `_INBOX`. */
  readonly inboxPrefix?: string;
  /** Keep to the given servers, as with a proxy before each. */
  readonly ignoreClusterUpdates?: boolean;
  /** How long the first connect is tried; default 5,000. */
  readonly connectWithinMs?: number;
  readonly user?: string;
  readonly pass?: string;
  readonly token?: string;
  readonly tls?: ConnectionOptions['tls'];
}

export type Status = 'up' | 'down' | 'slow-consumer';

/** One connection to NATS and the two ports over it. */
export interface NatsLink {
  transport(): Transport;
  stores(): Stores;
  /** What the server last said of itself. */
  info(): ServerInfo | undefined;
  readonly jetStream: JetStream;
  traffic(): Traffic;
  close(): Promise<void>;
}

/** The connection as the parts of this folder see it. */
export interface Wire {
  readonly connection: NatsConnection;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** Of this connection alone: answers come to one token below it, watches to two. */
  readonly inbox: string;
  connected(): boolean;
  bufferedBytes(): number;
  maxPayloadBytes(): number;
  onStatus(listener: (status: Status) => void): Cancel;
  /** Of a subject that the server does not let us publish to. */
  onDenied(listener: (subject: string) => void): Cancel;
  /** Once, when the connection is closed from this side. */
  onClose(cleanup: () => void): Cancel;
  reconnect(): void;
  close(): Promise<void>;
}

const PING_MS = { control: 500, data: 1_000, client: 2_000 } as const;
const DIAL_MS = 1_000;
const RETRY_MS = 200;
const FLUSH_MS = 1_000;

/**
 * Connects and stays connected: after the first connect it never gives up by itself, and a broken connection shows as `down`, as
 * messages lost and as writes `unknown`.
 * @throws NexaError `disconnected` when no server answered in time, `denied` when one refused us.
 */
export async function connectNats(options: NatsOptions): Promise<NatsLink> {
  if (options.servers.length === 0)
    throw new NexaError('invalid-definition', 'no NATS server was named', { fix: 'Name at least one server.' });
  const connection = await firstConnection(options);
  const wire = wireOf(connection, options);
  const js = jetStream(wire);
  const transport = natsTransport(wire);
  const stores = natsStores(wire, js);
  return {
    transport: () => transport,
    stores: () => stores,
    info: () => connection.info,
    jetStream: js,
    traffic: () => {
      const { inMsgs, outMsgs, inBytes, outBytes } = connection.stats();
      return { messagesIn: inMsgs, messagesOut: outMsgs, bytesIn: inBytes, bytesOut: outBytes };
    },
    close: () => wire.close(),
  };
}

async function firstConnection(options: NatsOptions): Promise<NatsConnection> {
  const { clock, random } = options;
  const untilMs = clock.monotonicMs() + (options.connectWithinMs ?? 5_000);
  const login = loginOf(options.servers);
  const { user = login.user, pass = login.pass } = options;
  const given: ConnectionOptions = {
    servers: [...login.servers],
    noRandomize: options.inOrder === true,
    name: options.name,
    maxReconnectAttempts: -1,
    // Credentials that are refused now may be good again: after the first connect nothing is given up.
    ignoreAuthErrorAbort: true,
    pingInterval: PING_MS[options.role],
    maxPingOut: 2,
    timeout: DIAL_MS,
    reconnectDelayHandler: () => 50 + Math.floor(random.next() * 50),
    noAsyncTraces: true,
    ignoreClusterUpdates: options.ignoreClusterUpdates === true,
    ...(user === undefined ? {} : { user }),
    ...(pass === undefined ? {} : { pass }),
    ...(options.token === undefined ? {} : { token: options.token }),
    ...(options.tls === undefined ? {} : { tls: options.tls }),
  };
  for (;;) {
    try {
      return await connect(given);
    } catch (cause) {
      const code = (cause as { readonly code?: string } | undefined)?.code ?? '';
      const where = { servers: shownServers(options.servers) };
      if (/AUTH|PERMISSIONS/.test(code))
        throw new NexaError('denied', 'the NATS server refused our credentials', {
          cause,
          where,
          fix: 'Check user, password, token or TLS of the NATS connection.',
        });
      if (clock.monotonicMs() + RETRY_MS >= untilMs)
        throw new NexaError('disconnected', 'no NATS server answers', {
          cause,
          where,
          definite: true,
          fix: 'Start NATS, or name the servers that run.',
        });
      await new Promise<void>((resolve) => clock.after(RETRY_MS, resolve));
    }
  }
}

function wireOf(connection: NatsConnection, options: NatsOptions): Wire {
  const { clock, random, log } = options;
  const inside = internalsOf(connection);
  const inbox = `${options.inboxPrefix ?? '_INBOX'}.${random.id()}`;
  assertPublishable(inbox);
  inside.avoidCurrentServer();
  const listeners = new Set<(status: Status) => void>();
  const denials = new Set<(subject: string) => void>();
  const cleanups = new Set<() => void>();
  let closed = false;
  let up = true;
  /** Leaving a server: which, and how often the dial may still come back to it. */
  let leaving: { readonly serverId: string | undefined; tries: number } | undefined;

  const tell = (status: Status): void => {
    for (const listener of [...listeners]) {
      try {
        listener(status);
      } catch (error) {
        log.error({ error, status }, 'a status listener failed');
      }
    }
  };
  const setUp = (now: boolean): void => {
    if (up === now) return;
    up = now;
    tell(now ? 'up' : 'down');
  };
  const leave = (): void => {
    inside.avoidCurrentServer();
    inside.dropSocket();
  };
  const onReconnect = () => {
    // A server may be known under several names.
    if (leaving !== undefined && leaving.serverId === connection.info?.server_id && leaving.tries-- > 0) return leave();
    leaving = undefined;
    setUp(true);
  };
  const watch = async (): Promise<void> => {
    for await (const status of connection.status()) {
      if (closed) return;
      if (status.type === 'disconnect') setUp(false);
      else if (status.type === 'reconnect') onReconnect();
      else if (status.type === 'staleConnection') inside.dropSocket();
      else if (status.type === 'error') {
        log.warn({ error: status.data, detail: inside.lastError() }, 'the NATS server reported an error');
        if (/slow consumer/i.test(inside.lastError())) tell('slow-consumer');
        if (status.permissionContext?.operation === 'publish') for (const denied of [...denials]) denied(status.permissionContext.subject);
      }
    }
  };
  watch().catch((error) => log.error({ error }, 'the NATS connection no longer reports its status'));
  connection.closed().then(
    (error) => {
      if (closed) return;
      log.error({ error }, 'the NATS connection was given up');
      setUp(false);
    },
    () => undefined,
  );

  return {
    connection,
    clock,
    random,
    log,
    inbox,
    connected: () => !closed && !connection.isClosed() && inside.connected(),
    bufferedBytes: inside.bufferedBytes,
    maxPayloadBytes: () => connection.info?.max_payload ?? 1_048_576,
    onStatus: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    onDenied: (listener) => {
      denials.add(listener);
      return () => void denials.delete(listener);
    },
    onClose: (cleanup) => {
      cleanups.add(cleanup);
      return () => void cleanups.delete(cleanup);
    },
    reconnect: () => {
      if (closed || connection.isClosed() || !inside.connected()) return;
      leaving = { serverId: connection.info?.server_id, tries: inside.avoidCurrentServer() - 1 };
      leave();
    },
    close: async () => {
      if (closed) return;
      closed = true;
      if (!connection.isClosed() && inside.connected()) {
        await inTime(clock, FLUSH_MS, connection.flush(), () => new Error('late')).catch(() => undefined);
      }
      listeners.clear();
      denials.clear();
      for (const cleanup of [...cleanups]) cleanup();
      inside.stopDialling();
      await connection.close().catch((error) => log.debug({ error }, 'closing the NATS connection'));
      inside.dropSocket();
    },
  };
}
