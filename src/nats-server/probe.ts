import { connect, type Socket } from 'node:net';
import { NexaError } from '../errors.ts';

const LONGEST_BUFFER = 2 * 1_048_576;

/** What a server says of itself when one connects. */
export interface ServerInfo {
  readonly serverName: string;
  readonly version: string;
  readonly cluster?: string;
  readonly jetstream: boolean;
  readonly maxPayloadBytes: number;
}

/**
 * The least of the NATS protocol that a readiness check needs: connect, one request at a time, close. It keeps this folder free of
 * the client library, and is no client: no TLS, no credentials, no headers sent.
 */
export interface Probe extends Disposable {
  readonly info: ServerInfo;
  /** The body of the first answer. @throws NexaError `unavailable`: nobody there, no answer within `timeoutMs`, connection closed. */
  request(subject: string, payload: string, timeoutMs: number): Promise<string>;
}

/** @throws NexaError `disconnected` if there is no NATS server, or none that takes us, within `timeoutMs`. */
export async function probe(target: { readonly host: string; readonly port: number }, timeoutMs: number): Promise<Probe> {
  const where = { server: `${target.host}:${target.port}` };
  const socket = connect({ host: target.host, port: target.port, noDelay: true });
  let received = Buffer.alloc(0);
  let failure: NexaError | undefined;
  let wake = () => {};
  const fail = (message: string) => {
    failure ??= new NexaError('disconnected', message, { where });
    wake();
  };
  socket.on('error', (error) => fail(error.message));
  socket.on('close', () => fail('the server closed the connection'));
  socket.on('data', (chunk) => {
    received = Buffer.concat([received, chunk]);
    if (received.length > LONGEST_BUFFER) {
      fail('the answer is too long');
      socket.destroy();
    }
    wake();
  });

  /** Takes the next line, or the line and the body that its last number announces. */
  const take = (): { line: string; body: Buffer } | undefined => {
    const end = received.indexOf('\r\n');
    if (end < 0) return undefined;
    const line = received.toString('utf8', 0, end);
    const bodyBytes = /^H?MSG /.test(line) ? Number(line.slice(line.lastIndexOf(' '))) : 0;
    const whole = end + 2 + (bodyBytes > 0 || /^H?MSG /.test(line) ? bodyBytes + 2 : 0);
    if (received.length < whole) return undefined;
    const body = received.subarray(end + 2, end + 2 + bodyBytes);
    received = received.subarray(whole);
    return { line, body };
  };
  const nextWhere = async (wanted: (line: string) => boolean, withinMs: number): Promise<{ line: string; body: Buffer }> => {
    const deadline = performance.now() + withinMs;
    for (;;) {
      for (let next = take(); next !== undefined; next = take()) {
        if (next.line === 'PING') socket.write('PONG\r\n');
        else if (next.line.startsWith('-ERR')) fail(`the server refused: ${next.line.slice(5, 200)}`);
        else if (wanted(next.line)) return next;
      }
      if (failure !== undefined) throw failure;
      const leftMs = deadline - performance.now();
      if (leftMs <= 0) throw new NexaError('unavailable', `no answer within ${withinMs} ms`, { where });
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, leftMs);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  };

  try {
    const hello = await nextWhere((line) => line.startsWith('INFO '), timeoutMs);
    const info = parseInfo(hello.line.slice(5), where);
    const inbox = `_INBOX.nexa${Math.random().toString(36).slice(2)}`;
    socket.write(
      `CONNECT {"verbose":false,"pedantic":false,"headers":true,"no_responders":true,"name":"nexa probe","lang":"nexa","version":"1"}\r\nSUB ${inbox}.* 1\r\nPING\r\n`,
    );
    await nextWhere((line) => line === 'PONG', timeoutMs);
    let requests = 0;
    return {
      info,
      request: async (subject, payload, withinMs) => {
        const reply = `${inbox}.${++requests}`;
        socket.write(`PUB ${subject} ${reply} ${Buffer.byteLength(payload)}\r\n${payload}\r\n`);
        const answer = await nextWhere((line) => line.split(' ')[1] === reply, withinMs);
        if (!answer.line.startsWith('HMSG')) return answer.body.toString('utf8');
        const headerBytes = Number(answer.line.split(' ').at(-2));
        const status = answer.body.toString('utf8', 0, headerBytes).split('\r\n')[0] ?? '';
        if (/ 503\b/.test(status)) throw new NexaError('unavailable', `nobody answers on ${subject}`, { where });
        return answer.body.toString('utf8', headerBytes);
      },
      [Symbol.dispose]: () => hangUp(socket),
    };
  } catch (error) {
    hangUp(socket);
    throw error instanceof NexaError && error.code === 'unavailable'
      ? new NexaError('disconnected', error.message, { where, cause: error })
      : error;
  }
}

function hangUp(socket: Socket): void {
  socket.removeAllListeners('data');
  socket.destroy();
}

function parseInfo(text: string, where: Readonly<Record<string, string>>): ServerInfo {
  try {
    const info = JSON.parse(text) as Record<string, unknown>;
    return {
      serverName: String(info.server_name ?? ''),
      version: String(info.version ?? ''),
      ...(typeof info.cluster === 'string' ? { cluster: info.cluster } : {}),
      jetstream: info.jetstream === true,
      maxPayloadBytes: Number(info.max_payload ?? 0),
    };
  } catch (cause) {
    throw new NexaError('disconnected', 'what answers there is no NATS server', { where, cause });
  }
}
