import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Client, connect } from 'nexa';

const home = dirname(fileURLToPath(import.meta.resolve('nexa/package.json')));
const READY_MS = 60_000;

export interface DevCluster extends AsyncDisposable {
  readonly client: Client;
  /** The address of its server. */
  readonly nats: string;
  /** From the start of `nexa up` until it said that it is ready. */
  readonly readyMs: number;
  /** One more node, as `nexa node` starts it; ends with the cluster. */
  addNode(name: string): void;
}

/** `nexa up` as a user starts it, in a temporary folder and on a free port, with the agents of this folder. */
export async function devCluster(options: { readonly servers: 1 | 3; readonly nodes: number }): Promise<DevCluster> {
  const data = await mkdtemp(join(tmpdir(), 'nexa-bench-'));
  const port = await freePort();
  const flags = {
    '--servers': options.servers,
    '--nodes': options.nodes,
    '--nats-port': port,
    '--data': data,
    '--agents': join(home, 'bench/agents'),
  };
  const env = { ...process.env, NEXA_LOG: 'error', NEXA_NATS_URL: '', NEXA_CLUSTER: '' };
  const fromMs = performance.now();
  const child = spawn(process.execPath, [join(home, 'dist/bin/nexa.js'), 'up', ...Object.entries(flags).flat().map(String)], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env,
  });
  try {
    await readiness(child);
    const readyMs = performance.now() - fromMs;
    const nats = `127.0.0.1:${port}`;
    const client = await connect({ nats });
    const more: ChildProcess[] = [];
    return {
      client,
      nats,
      readyMs,
      addNode(name) {
        const args = [join(home, 'dist/bin/nexa.js'), 'node', '--name', name, '--nats', nats, '--agents', flags['--agents']];
        more.push(spawn(process.execPath, args, { stdio: 'ignore', env }));
      },
      async [Symbol.asyncDispose]() {
        await client[Symbol.asyncDispose]();
        await Promise.all(more.map(ended));
        await ended(child);
        await rm(data, { recursive: true, force: true });
      },
    };
  } catch (error) {
    await ended(child);
    await rm(data, { recursive: true, force: true });
    throw error;
  }
}

function readiness(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let said = '';
    const fail = (): void => reject(new Error(`nexa up did not come up:\n${said}`));
    const late = setTimeout(fail, READY_MS);
    child.once('exit', fail);
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      if (!/^ready after/m.test(said)) return;
      clearTimeout(late);
      child.off('exit', fail);
      resolve();
    });
  });
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await exit;
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => (typeof address === 'object' && address !== null ? resolve(address.port) : reject(new Error('no port'))));
    });
  });
}
