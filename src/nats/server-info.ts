import type { NatsLink } from './connection.ts';
import { unreadable } from './jet-stream.ts';

/** What the checks of a start need to know of the server a connection is at. */
export interface NatsServerInfo {
  readonly version: string;
  readonly name: string;
  readonly id: string;
  readonly maxPayloadBytes: number;
  /** Absent on a single server. */
  readonly cluster?: string;
  /** Addresses the server tells its clients of: 0 where it keeps them to itself. */
  readonly advertised: number;
  readonly jetStream: boolean;
}

/** Asks the server of this connection. @throws NexaError `unavailable` while there is none, or its store does not answer in time. */
export async function readServerInfo(link: NatsLink, options: { readonly timeoutMs: number }): Promise<NatsServerInfo> {
  const info = link.info();
  if (info === undefined) throw unreadable('$SYS', undefined);
  const base = {
    version: info.version,
    name: info.server_name,
    id: info.server_id,
    maxPayloadBytes: info.max_payload,
    advertised: info.connect_urls?.length ?? 0,
  };
  const cluster = info.cluster === undefined || info.cluster === '' ? {} : { cluster: info.cluster };
  // A server without JetStream knows that itself; one with it may have no leader yet.
  if (info.jetstream !== true) return { ...base, ...cluster, jetStream: false };
  const answer = await link.jetStream.api('INFO', undefined, options.timeoutMs);
  if (!answer.ok) throw unreadable('JetStream', answer.error);
  return { ...base, ...cluster, jetStream: true };
}
