import type { NatsConnection } from 'nats';
import { ProtocolHandler } from 'nats/lib/nats-base-client/protocol.js';

interface Internals {
  readonly connected: boolean;
  readonly outbound: { size(): number };
  readonly servers: { getServers(): { readonly listen: string }[]; getCurrentServer(): { readonly listen: string }; clear(): void };
  readonly transport?: { readonly socket?: { readonly writableLength: number; destroy(): void } };
  readonly lastError?: { readonly message: string };
}

interface LibraryTransport {
  readonly socket?: { destroy(): void };
  peekInfo?(): Promise<unknown>;
  _closed?(): Promise<void>;
}
interface Dialling {
  readonly transport?: LibraryTransport;
  dial(server: unknown): Promise<unknown>;
}

/**
 * The library leaves the socket of a dial that timed out open. A server that stood still takes all of those up when it goes on, and ends them when
 * they do not answer; at each such end the library dials once more beside the connection that works, and from then on reads two sockets into
 * one parser: messages come twice, and those that meet in it are lost. So a dial that fails takes its socket with it.
 */
function endFailedDials(library: Dialling): void {
  const { dial } = library;
  library.dial = async function (this: Dialling, server) {
    try {
      return await dial.call(this, server);
    } catch (error) {
      if (this.transport !== undefined) abandon(this.transport);
      throw error;
    }
  };
}
function abandon(transport: LibraryTransport): void {
  // If it is not even connected: it ends as soon as it is.
  transport.peekInfo = () => Promise.reject(new Error('a later dial took its place'));
  transport._closed = () => Promise.resolve();
  transport.socket?.destroy();
}
// Of the class: the first dials of a connection are over before anybody sees it.
endFailedDials(ProtocolHandler.prototype as unknown as Dialling);

/**
 * What the client library knows and does not say, read in this one place: nats is pinned to an exact version for it. Everything here
 * has a safe answer when a field is missing.
 */
export function internalsOf(connection: NatsConnection) {
  const inside = (): Partial<Internals> => (connection as unknown as { readonly protocol?: Partial<Internals> }).protocol ?? {};
  return {
    connected: (): boolean => inside().connected !== false,
    bufferedBytes: (): number => (inside().outbound?.size() ?? 0) + (inside().transport?.socket?.writableLength ?? 0),
    lastError: (): string => inside().lastError?.message ?? '',
    /** The library's own disconnect first waits for the socket to drain, which a stopped server's never does. */
    dropSocket: (): void => inside().transport?.socket?.destroy(),
    /** After the first connect the library would dial the same server once more. */
    avoidCurrentServer: (): number => {
      const pool = inside().servers?.getServers();
      if (pool === undefined) return 0;
      const current = inside().servers?.getCurrentServer().listen;
      const first = pool[0];
      if (pool.length > 1 && first !== undefined && first.listen === current) pool.push(...pool.splice(0, 1));
      return pool.length;
    },
    stopDialling: (): void => inside().servers?.clear(),
  };
}
