// A program at a place of a net: listens, dials and tells in JSON lines what its sockets see. What it hears as a listener, it says again.
import { connect, createServer } from 'node:net';
import { createInterface } from 'node:readline';

const tell = (event) => process.stdout.write(`${JSON.stringify(event)}\n`);
const sockets = new Map();

function follow(id, socket) {
  sockets.set(id, socket);
  socket.setNoDelay(true);
  socket.on('data', (bytes) => tell({ id, event: 'heard', text: bytes.toString() }));
  socket.on('end', () => tell({ id, event: 'ended' }));
  socket.on('error', ({ code }) => tell({ id, event: 'error', code }));
  socket.on('close', () => tell({ id, event: 'closed' }));
}

const orders = {
  listen({ id, host }) {
    let accepted = 0;
    const server = createServer((socket) => {
      accepted += 1;
      follow(`${id}.${accepted}`, socket);
      tell({ id: `${id}.${accepted}`, event: 'open' });
      socket.pipe(socket);
    });
    server.listen(0, host, () => tell({ id, event: 'open', port: server.address().port }));
  },
  dial({ id, address }) {
    const [host, port] = address.split(':');
    const socket = connect({ host, port: Number(port) }, () => tell({ id, event: 'open' }));
    follow(id, socket);
  },
  say: ({ id, text }) => sockets.get(id).write(text),
  end: ({ id }) => sockets.get(id).end(),
};

createInterface({ input: process.stdin }).on('line', (line) => {
  const order = JSON.parse(line);
  orders[order.do](order);
});
process.stdin.on('end', () => process.exit(0));
// Whoever started us is gone.
process.stdout.on('error', () => process.exit(1));
