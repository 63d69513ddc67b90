import type { NatsConnection } from 'nats';

interface Internals {
  readonly connected: boolean;
  readonly outbound: { size(): number };
  readonly servers: { getServers(): { readonly listen: string }[]; getCurrentServer(): { readonly listen: string }; clear(): void };
  readonly transport?: { readonly socket?: { readonly writableLength: number; destroy(): void } };
  readonly lastError?: { readonly message: string };
}

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
