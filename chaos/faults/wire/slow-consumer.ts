import { connect } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { NexaError } from '../../../src/errors.ts';
import { flushed, type WireScene } from './scene.ts';

/** Of what is published for it to drown in: on a topic of its own, to which nobody else listens. */
const FLOOD_BYTES = 65_536;
const FLOOD_FRAMES = 16;
const DIAL_MS = 5_000;

export interface Kicked {
  /** Whether the server closed the connection. */
  readonly kicked: boolean;
  /** How much was published until then. */
  readonly bytes: number;
}

/**
 * F12: somebody subscribes to all that a cluster says, and reads nothing. For `forMs`, or until the server has closed that connection:
 * it must, as it keeps what nobody takes. Real sockets and real time: there is nothing of it in a simulation.
 * @param url of a server, `nats://user:password@host:port`.
 * @throws NexaError `disconnected` when it cannot be reached.
 */
export async function slowConsumer(scene: WireScene, url: string, forMs: number, signal?: AbortSignal): Promise<Kicked> {
  const { link, subjects, clock } = scene;
  const { hostname, port, username, password } = new URL(url);
  const socket = connect({ host: hostname.replace(/^\[|\]$/g, ''), port: Number(port) });
  let closed = false;
  socket
    .on('error', () => undefined)
    .on('close', () => {
      closed = true;
    });
  try {
    await greeted(socket);
    const login = username === '' ? {} : { user: decodeURIComponent(username), pass: decodeURIComponent(password) };
    socket.write(`CONNECT ${JSON.stringify({ verbose: false, pedantic: false, protocol: 1, name: 'slow', ...login })}\r\n`);
    socket.write(`SUB ${subjects.all} 1\r\n`);
    socket.pause();
    const topic = subjects.topic('slow.consumer');
    const untilMs = clock.monotonicMs() + forMs;
    let bytes = 0;
    while (!closed && clock.monotonicMs() < untilMs && signal?.aborted !== true) {
      for (let frame = 0; frame < FLOOD_FRAMES; frame++) {
        link.transport.publish(topic, new Uint8Array(FLOOD_BYTES));
        bytes += FLOOD_BYTES;
      }
      await flushed(scene);
      // What is not read is not noticed either, not even the end: only a write says that nobody is there. And it is slow, not dead.
      socket.write('PONG\r\n');
      await setTimeout(10);
    }
    return { kicked: closed, bytes };
  } finally {
    socket.destroy();
  }
}

function greeted(socket: ReturnType<typeof connect>): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = () => reject(new NexaError('disconnected', 'no server greets there', { definite: true }));
    socket.setTimeout(DIAL_MS, fail).once('error', fail).once('close', fail);
    socket.once('data', () => {
      socket.setTimeout(0).off('close', fail).off('error', fail);
      resolve();
    });
  });
}
