import { chmodSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { readLines } from '../lines.ts';

/**
 * A program that stands at a place of the net and carries connections from unix sockets, which programs outside reach, to where programs
 * at that place dial. On each line of its input one order, `{socket, host, port}`; each is answered with `ok` or with what is wrong. It ends
 * with its input.
 */
const MOST_CONNECTIONS = 512;
const LONGEST_LINE = 4_096;

function carry(path: string, host: string, port: number, done: (outcome: string) => void): void {
  const server = createServer({ noDelay: true }, (near) => {
    const far = connect({ host, port, noDelay: true });
    near.pipe(far).pipe(near);
    together(near, far);
  });
  server.maxConnections = MOST_CONNECTIONS;
  server.once('error', (error) => done(error.message));
  server.listen(path, () => {
    // Whoever may enter the folder of the run may knock.
    chmodSync(path, 0o666);
    done('ok');
  });
}

/** The end of one is the end of the other. A socket of the system's own cannot be reset: there a reset is an end. */
function together(near: Socket, far: Socket): void {
  near.on('error', () => far.resetAndDestroy());
  near.on('close', () => far.destroySoon());
  far.on('error', () => near.destroy());
  far.on('close', () => near.destroySoon());
}

process.stdin.on('end', () => process.exit(0));
process.stdout.on('error', () => process.exit(0));
readLines(process.stdin, LONGEST_LINE, (line) => {
  const answer = (outcome: string): void => void process.stdout.write(`${outcome.replaceAll('\n', ' ')}\n`);
  try {
    const { socket, host, port } = JSON.parse(line ?? '') as { readonly socket: string; readonly host: string; readonly port: number };
    carry(socket, host, port, answer);
  } catch (error) {
    answer(error instanceof Error ? error.message : String(error));
  }
});
