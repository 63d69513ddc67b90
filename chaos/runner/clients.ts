import type { Client } from '../../src/client.ts';
import type { Link, World } from '../world.ts';

/** Programs outside the cluster, each at another server first. */
export interface Clients {
  readonly links: readonly Link[];
  of(key: number): Client;
  /** The key's next calls are another client's. */
  moveOn(key: number): void;
  close(): Promise<void>;
}

const COUNT = 3;

/** @throws NexaError `disconnected` */
export async function openClients(world: World): Promise<Clients> {
  const links: Link[] = [];
  for (let at = 0; at < COUNT; at++) links.push(await world.link(`client ${at + 1}`, at));
  /** How often each key has moved on; as many as there are keys. */
  const moved = new Map<number, number>();
  return {
    links,
    of: (key) => (links[(key + (moved.get(key) ?? 0)) % COUNT] as Link).client,
    moveOn: (key) => void moved.set(key, (moved.get(key) ?? 0) + 1),
    close: async () => void (await Promise.allSettled(links.map((link) => link.close()))),
  };
}
