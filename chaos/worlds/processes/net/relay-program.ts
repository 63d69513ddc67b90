// Stands beside the programs of one place, in its namespace, and ends with the process that holds the net.
import { NexaError, toNexaError } from '../../../../src/errors.ts';
import { seededRandom } from '../../../../src/memory/random.ts';
import { systemClock } from '../../../../src/system-clock.ts';
import type { RelayOrder } from './place-relay.ts';
import { Relay } from './relay.ts';
import { Ways } from './ways.ts';

const [place = '', seed = '0'] = process.argv.slice(2);
const random = seededRandom(Number(seed)).fork(`relay:${place}`);
const ways = new Ways();
const relays = new Map<string, Promise<Relay>>();

async function obey({ order }: RelayOrder): Promise<string> {
  if ('act' in order) {
    ways.act(order.act);
    return '';
  }
  const { to, host, port } = order;
  const key = `${host}:${port}`;
  let relay = relays.get(key);
  if (relay === undefined) {
    const options = { from: place, to, target: { host, port }, ways, clock: systemClock, random: random.fork(`${to}:${port}`) };
    relay = Relay.open(options);
    relays.set(key, relay);
  }
  return (await relay).address;
}

if (process.send === undefined) throw new NexaError('invalid-message', 'this program is started by a net');
process.on('disconnect', () => process.exit(0));
process.on('message', (message: RelayOrder) => {
  obey(message).then(
    (said) => process.send?.({ id: message.id, said }),
    (thrown: unknown) => process.send?.({ id: message.id, failed: toNexaError(thrown, 'unavailable').message }),
  );
});
