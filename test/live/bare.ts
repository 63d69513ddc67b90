import { randomUUID } from 'node:crypto';
import { connect, type NatsConnection, headers as natsHeaders } from 'nats';

/** What a stranger gets back; `timeout` and `no-responders` are what its own client says. */
export type Answer =
  | {
      readonly ok: true;
      // biome-ignore lint/suspicious/noExplicitAny: a stranger reads JSON, and a test says what it expects in it
      readonly reply?: any;
      readonly agent?: { readonly type: string; readonly id: string; readonly node: string | null; readonly epoch: number };
      readonly created?: boolean;
    }
  | {
      readonly ok: false;
      readonly error: { readonly code: string; readonly message: string; readonly definite?: boolean; readonly retryable?: boolean };
    };

export interface Row {
  readonly type: string;
  readonly id: string;
  readonly node: string | null;
  readonly epoch: number;
  readonly state: string;
  readonly why: string;
}

/** What an election, a lapsed lease and a client's own reconnect may take together. */
const INSIST_MS = 60_000;

/**
 * Asks again while the answer is one that a caller may hear in between and is to repeat: `unavailable`, an outcome that the store did
 * not know, nobody there yet. @returns the first answer that is final, or the last one.
 */
export async function repeated(ask: () => Promise<Answer>): Promise<Answer> {
  const endMs = performance.now() + INSIST_MS;
  for (;;) {
    const answer = await ask();
    if (answer.ok || performance.now() > endMs) return answer;
    const { code, retryable } = answer.error;
    if (retryable !== true && code !== 'timeout' && code !== 'no-responders') return answer;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** A plain NATS connection and JSON, nothing of ours: what any language would send. */
export interface Bare {
  readonly nats: NatsConnection;
  /** `subject` is what follows the cluster's prefix. */
  ask(subject: string, body: object, options?: { readonly timeoutMs?: number; readonly requestId?: string }): Promise<Answer>;
  /**
   * Asks again, under one request id, what is worth repeating or has no known outcome: for what is to be there before a test begins,
   * or once something has healed. A spawn that is repeated may answer `created: false`. @returns the first answer that is final, or the
   * last one.
   */
  insist(subject: string, body: object, options?: { readonly timeoutMs?: number; readonly requestId?: string }): Promise<Answer>;
  list(): Promise<readonly Row[]>;
  close(): Promise<void>;
}

export async function bare(servers: readonly string[], cluster: string, name: string): Promise<Bare> {
  const nats = await connect({
    servers: [...servers],
    name,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 100,
    reconnectJitter: 50,
    pingInterval: 1_000,
    maxPingOut: 2,
    // A server that sleeps takes a connection and says nothing.
    timeout: 2_000,
    noAsyncTraces: true,
  });
  const ask: Bare['ask'] = async (subject, body, { timeoutMs = 5_000, requestId } = {}) => {
    // Its test is over: who asks until it is answered would do so for ever, and without a pause.
    if (nats.isClosed()) throw new Error('this client is closed');
    const headers = natsHeaders();
    headers.set('Nexa-Timeout-Ms', String(timeoutMs));
    if (requestId !== undefined) headers.set('Nexa-Request-Id', requestId);
    try {
      const answer = await nats.request(`nexa.${cluster}.v1.${subject}`, JSON.stringify(body), { timeout: timeoutMs + 250, headers });
      return JSON.parse(new TextDecoder().decode(answer.data)) as Answer;
    } catch (error) {
      const code = (error as { readonly code?: string }).code === '503' ? 'no-responders' : 'timeout';
      return { ok: false, error: { code, message: String(error), definite: code === 'no-responders' } };
    }
  };
  const insist: Bare['insist'] = (subject, body, { timeoutMs = 5_000, requestId = randomUUID() } = {}) =>
    repeated(() => ask(subject, body, { timeoutMs, requestId }));
  return {
    nats,
    ask,
    insist,
    async list() {
      const answer = await ask('agents', { type: 'list', limit: 10_000 });
      return answer.ok ? (answer.reply.agents as readonly Row[]) : [];
    },
    close: () => nats.close(),
  };
}
