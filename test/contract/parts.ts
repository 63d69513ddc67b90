import { afterAll, beforeAll, describe } from 'vitest';
import { memoryNetwork } from '../../src/memory/network.ts';
import { connectNats, type NatsLink } from '../../src/nats/connection.ts';
import type { Stores } from '../../src/ports/stores.ts';
import type { Transport } from '../../src/ports/transport.ts';
import { startServers, type TestServers } from '../support/nats.ts';
import { realClock, realRandom, recordingLogger } from '../support/real.ts';

/** One implementation of the ports: every connection of one world reaches the same broker. */
export interface Part {
  connect(name: string): Promise<{ readonly transport: Transport; readonly stores: Stores }>;
}

/** The same tests over the memory part and over the NATS part with a real server. */
export function overBothParts(what: string, tests: (part: Part) => void): void {
  describe(`${what} in memory`, () => {
    const network = memoryNetwork({ clock: realClock, random: realRandom, maxPayloadBytes: 1_048_576 });
    tests({ connect: async (name) => network.connect(name) });
  });

  describe(`${what} on NATS`, () => {
    const log = recordingLogger();
    const links: NatsLink[] = [];
    let servers: TestServers;
    beforeAll(async () => {
      servers = await startServers({ count: 1 });
    });
    afterAll(async () => {
      await Promise.all(links.map((link) => link.close()));
      await servers?.stop();
    });
    tests({
      connect: async (name) => {
        const link = await connectNats({ servers: servers.urls, name, clock: realClock, random: realRandom, log, role: 'control' });
        links.push(link);
        return { transport: link.transport(), stores: link.stores() };
      },
    });
  });
}
