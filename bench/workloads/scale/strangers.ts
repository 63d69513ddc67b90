// Clients that have nothing of ours: a socket each, that speaks as much NATS as it needs.
import { connect, type Socket } from 'node:net';
import { inFlight } from '../../suite/in-flight.ts';

const OPENED_AT_ONCE = 200;

export interface Stranger {
  /** Asks and gives the answer's body, on an inbox of its own. One at a time. */
  request(subject: string, body: object): Promise<{ readonly ok: boolean; readonly reply?: unknown }>;
  close(): void;
}

/** So many connections, each with a subject that nobody else hears. */
export async function strangers(url: string, count: number): Promise<readonly Stranger[]> {
  const { hostname, port } = new URL(url);
  const opened: Stranger[] = [];
  await inFlight(OPENED_AT_ONCE, count, async (index) => {
    opened.push(await stranger(connect(Number(port), hostname), index));
  });
  return opened;
}

async function stranger(socket: Socket, index: number): Promise<Stranger> {
  const inbox = `_INBOX.stranger-${process.pid}.${index}`;
  let heard: (body: string) => void = () => undefined;
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    const take = (line: string, body: string): void => {
      if (line === 'PING') socket.write('PONG\r\n');
      else if (line === 'PONG') resolve();
      else if (line.startsWith('-ERR')) socket.destroy(new Error(line));
      else if (body !== '') heard(body);
    };
    let left = '';
    // Bytes are characters here, so that lengths are what the server says.
    socket.setEncoding('latin1').on('data', (text: string) => {
      left = lines(left + text, take);
    });
    socket.write(`CONNECT {"verbose":false,"headers":true,"protocol":1}\r\nSUB ${inbox} 1\r\nPING\r\n`);
  });
  return {
    request(subject, body) {
      const payload = JSON.stringify(body);
      const answer = new Promise<string>((resolve) => {
        heard = resolve;
      });
      socket.write(`PUB ${subject} ${inbox} ${payload.length}\r\n${payload}\r\n`);
      return answer.then((text) => JSON.parse(text));
    },
    close: () => socket.destroy(),
  };
}

/** Each line with the body that belongs to it, without its headers; gives what is not complete yet. */
function lines(text: string, take: (line: string, body: string) => void): string {
  let from = 0;
  for (let end = text.indexOf('\r\n'); end >= 0; end = text.indexOf('\r\n', from)) {
    const line = text.slice(from, end);
    const sizes = /^MSG .* (\d+)$/.exec(line) ?? /^HMSG .* (\d+) (\d+)$/.exec(line);
    const [headers, total] = sizes?.[2] === undefined ? [0, Number(sizes?.[1] ?? -2)] : [Number(sizes[1]), Number(sizes[2])];
    const body = end + 2;
    if (text.length < body + total + 2) break;
    from = body + total + 2;
    take(line, total < 0 ? '' : text.slice(body + headers, body + total));
  }
  return text.slice(from);
}
