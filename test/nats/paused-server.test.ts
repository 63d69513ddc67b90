import { afterAll, beforeAll, expect, it } from 'vitest';
import { connectNats, type NatsLink } from '../../src/nats/connection.ts';
import { startServers, type TestServers } from '../support/nats.ts';
import { bytes, realClock, realRandom, recordingLogger, subject, text, until } from '../support/real.ts';

const links: NatsLink[] = [];
let servers: TestServers;
beforeAll(async () => {
  servers = await startServers();
});
afterAll(async () => {
  await Promise.all(links.map((link) => link.close()));
  await servers?.stop();
});
const open = async (name: string): Promise<NatsLink> => {
  const { urls } = servers;
  const link = await connectNats({ servers: urls, name, clock: realClock, random: realRandom, log: recordingLogger(), role: 'control' });
  links.push(link);
  return link;
};
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

interface Connections {
  readonly connections: readonly { readonly name?: string }[];
}

// Each dial of a server that stands still times out with its socket open, and the server takes all of them up when it goes on.
it('a server that stood still has one connection of each client afterwards, and tells it each message once', {
  timeout: 60_000,
}, async () => {
  const [hears, says] = [(await open('hears')).transport(), (await open('says')).transport()];
  const states = [hears, says].map((transport) => {
    const state = { up: true };
    transport.onStatus((status) => {
      if (status !== 'slow-consumer') state.up = status === 'up';
    });
    return state;
  });
  const heard: string[] = [];
  hears.subscribe(subject('numbers'), ({ payload }) => void heard.push(text(payload) ?? ''));
  servers.pause(0);
  await until(() => states.every(({ up }) => !up), 20_000);
  // Long enough for several dials.
  await pause(5_000);
  servers.resume(0);
  await until(() => states.every(({ up }) => up), 20_000);
  // Longer than the server waits for a client that does not answer its pings.
  for (let number = 0; number < 160; number++) {
    says.publish(subject('numbers'), bytes(`${number}`));
    await pause(50);
  }
  let over = false;
  hears.subscribe(subject('over'), () => {
    over = true;
  });
  // Told until it is heard: what is under way when a connection breaks may be lost.
  await until(() => {
    says.publish(subject('over'), bytes(''));
    return over;
  });
  expect(heard).toEqual([...new Set(heard)]);
  expect(heard.length).toBeGreaterThan(0);
  const port = servers.servers[0]?.monitorPort;
  const connected = async () => {
    const { connections } = (await (await fetch(`http://127.0.0.1:${port}/connz`)).json()) as Connections;
    return connections.map(({ name }) => name).sort();
  };
  await expect.poll(connected, { timeout: 10_000 }).toEqual(['hears', 'says']);
});
