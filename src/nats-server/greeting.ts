import { connect } from 'node:net';

/** What a server says of itself to whoever connects, before any password. */
export interface Greeting {
  readonly id: string;
  readonly name: string;
  readonly version: string;
}

const LONGEST_BYTES = 65_536;
const MOST_SERVERS = 16;
const DEFAULT_PORT = 4_222;

/** Of every server at these addresses that greets in time, each once. At most 16 are asked, all at once. */
export async function greetings(urls: readonly string[], options: { readonly timeoutMs: number }): Promise<readonly Greeting[]> {
  const asked = [...new Set(urls)].slice(0, MOST_SERVERS);
  const heard = await Promise.all(asked.map((url) => greeting(url, options.timeoutMs).catch(() => undefined)));
  return [...new Map(heard.flatMap((one) => (one === undefined ? [] : [[one.id, one]]))).values()];
}

function greeting(url: string, timeoutMs: number): Promise<Greeting> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(url.includes('://') ? url : `nats://${url}`);
    const socket = connect({ host: hostname.replace(/^\[|\]$/g, ''), port: port === '' ? DEFAULT_PORT : Number(port) });
    const timer = setTimeout(() => socket.destroy(new Error('late')), timeoutMs);
    let text = '';
    socket.setEncoding('utf8');
    socket.on('data', (chunk: string) => {
      text += chunk;
      const end = text.indexOf('\r\n');
      if (end < 0 && text.length < LONGEST_BYTES) return;
      try {
        const info = JSON.parse(text.slice('INFO '.length, end)) as Record<string, unknown>;
        resolve({ id: String(info.server_id ?? url), name: String(info.server_name ?? ''), version: String(info.version ?? '') });
      } catch (error) {
        reject(error);
      }
      socket.destroy();
    });
    socket.on('error', reject);
    socket.on('close', () => {
      clearTimeout(timer);
      reject(new Error('closed'));
    });
  });
}
