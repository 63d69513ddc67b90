import { connect, type Msg, type NatsConnection, headers as natsHeaders } from 'nats';

/**
 * A stranger's program: a plain NATS connection and JSON, as it could be written in any language. It imports nothing of ours on
 * purpose; docs/messages.md says what it sends.
 */
export interface Bare {
  request(subject: string, body: object, options: { readonly timeoutMs: number; readonly requestId?: string }): Promise<Answer>;
  close(): Promise<void>;
}
/** What came back; `timeout` when nothing did, `no-responders` when nobody listens. */
export type Answer =
  | {
      readonly ok: true;
      readonly reply?: unknown;
      readonly agent?: { readonly node: string | null; readonly epoch: number };
      readonly created?: boolean;
    }
  | { readonly ok: false; readonly error: { readonly code: string; readonly message: string; readonly definite?: boolean } };

export async function bareNats(servers: readonly string[], name: string): Promise<Bare> {
  const connection: NatsConnection = await connect({
    servers: [...servers],
    name,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 100,
    noAsyncTraces: true,
  });
  return {
    async request(subject, body, { timeoutMs, requestId }) {
      const headers = natsHeaders();
      headers.set('Nexa-Timeout-Ms', String(timeoutMs));
      if (requestId !== undefined) headers.set('Nexa-Request-Id', requestId);
      let answer: Msg;
      try {
        answer = await connection.request(subject, JSON.stringify(body), { timeout: timeoutMs + 250, headers });
      } catch (error) {
        const code = (error as { readonly code?: string }).code === '503' ? 'no-responders' : 'timeout';
        return { ok: false, error: { code, message: String(error) } };
      }
      return JSON.parse(new TextDecoder().decode(answer.data)) as Answer;
    },
    close: () => connection.close(),
  };
}
