import { describe, expect, test } from 'vitest';
import { NexaError } from '../../src/errors.ts';
import { calmCluster } from '../simulation/cluster.ts';

type Cluster = Awaited<ReturnType<typeof calmCluster>>;
const IDS = Array.from({ length: 12 }, (_, index) => `a${index}`);

/** Adds one, again and again, at every agent from another node until told to stop; repeats only what is certain not to have happened. */
function load(cluster: Cluster, from: string) {
  const acknowledged = new Map<string, number>();
  const unknown: string[] = [];
  const refused: string[] = [];
  let over = false;
  const client = async (id: string): Promise<void> => {
    while (!over) {
      const asked = cluster.asking(from, `counter/${id}`, { type: 'add', by: 1 });
      await asked.done;
      const { came } = asked;
      if (came !== undefined && 'reply' in came) acknowledged.set(id, (acknowledged.get(id) ?? 0) + 1);
      else if (came?.error instanceof NexaError && came.error.definite) refused.push(came.error.code);
      else unknown.push(String(came?.error));
      await new Promise<void>((resolve) => void cluster.world.clock.after(5, resolve));
    }
  };
  const clients = Promise.all(IDS.map(client));
  return {
    acknowledged,
    unknown,
    refused,
    async end() {
      over = true;
      await cluster.world.until(clients);
      for (const id of IDS) {
        const { value } = (await cluster.ask(from, `counter/${id}`, { type: 'get' })) as { value: number };
        // Neither lost what was acknowledged nor executed what was refused.
        expect(value, id).toBe(acknowledged.get(id));
      }
      expect(unknown).toEqual([]);
    },
  };
}
const spawnAll = async (cluster: Cluster, node: string): Promise<void> => {
  for (const id of IDS) await cluster.spawn('counter', id, node);
};
const ownersOf = (cluster: Cluster, from: string): readonly (string | undefined)[] =>
  IDS.map((id) => cluster.member(from).cluster.places.get(`counter.${id}`)?.value.owner?.node);

describe('C7: a graceful stop moves agents away first and loses no acknowledged message', () => {
  test('a drain under load: everything moves, nothing acknowledged is lost, nothing refused was executed', async () => {
    await using cluster = await calmCluster();
    const { world, member } = cluster;
    await spawnAll(cluster, 'n1');
    const clients = load(cluster, 'n2');
    await world.run(1_000);
    const drained = await world.until(member('n1').cluster.drain({ timeoutMs: 10_000 }));
    expect(drained).toMatchObject({ moved: IDS.length, left: 0, lostMemory: 0 });
    expect(member('n1').cluster.state).toBe('up');
    expect(member('n1').cluster.serves).toBe(false);
    await world.run(1_000);
    expect(ownersOf(cluster, 'n3')).not.toContain('n1');
    await clients.end();
  });

  test('a node that leaves under load: the same, without waiting for any lease', async () => {
    await using cluster = await calmCluster({ relaunches: false });
    const { world } = cluster;
    await spawnAll(cluster, 'n1');
    const clients = load(cluster, 'n2');
    await world.run(1_000);
    await world.until(world.leave('n1'));
    await world.run(1_000);
    expect(cluster.seenBy('n2', 'n1')).toBe('gone');
    expect(ownersOf(cluster, 'n3')).not.toContain('n1');
    await clients.end();
  });

  test('the message that is being handled is finished, and what waits behind it is handled by the next owner', async () => {
    await using cluster = await calmCluster();
    const { world, member } = cluster;
    await cluster.spawn('counter', 'a0', 'n1');
    const asked = Array.from({ length: 50 }, () => cluster.asking('n3', 'counter/a0', { type: 'add', by: 1 }));
    await world.run(3);
    await world.until(member('n1').cluster.drain({ timeoutMs: 10_000 }));
    await world.until(Promise.all(asked.map(({ done }) => done)));
    expect(asked.every(({ came }) => came !== undefined && 'reply' in came)).toBe(true);
    expect(await cluster.ask('n2', 'counter/a0', { type: 'get' })).toEqual({ value: 50 });
  });

  test('a drain when nobody may take the agents changes nothing and says so', async () => {
    await using cluster = await calmCluster();
    const { world, member } = cluster;
    await spawnAll(cluster, 'n1');
    for (const name of ['n2', 'n3']) await world.until(member(name).cluster.cordon(true, { timeoutMs: 5_000 }));
    await world.run(1_000);
    const error = await world.until(
      member('n1')
        .cluster.drain({ timeoutMs: 5_000 })
        .catch((thrown: unknown) => thrown),
    );
    expect(error).toMatchObject({ code: 'unavailable', definite: true, where: { node: 'n1' }, fix: expect.stringMatching(/uncordon/) });
    expect(member('n1').cluster).toMatchObject({ cordoned: false, serves: true, admits: true });
    expect(ownersOf(cluster, 'n1')).toEqual(IDS.map(() => 'n1'));
  });

  test('what only this node may run stays and runs on; the rest moves', async () => {
    await using cluster = await calmCluster({ labels: { n1: { disk: 'ssd' } } });
    const { world, member } = cluster;
    await cluster.spawn('counter', 'bound', 'n1', { placement: { labels: { disk: 'ssd' } } });
    await cluster.spawn('counter', 'free', 'n1');
    const drained = await world.until(member('n1').cluster.drain({ timeoutMs: 3_000 }));
    expect(drained).toMatchObject({ moved: 1, left: 1, blocked: { id: 'bound' } });
    expect(await cluster.ask('n2', 'counter/bound', { type: 'add', by: 2 })).toEqual({ value: 2 });
  });

  test('a drained node takes no agents until it is uncordoned, and then its share again', async () => {
    await using cluster = await calmCluster();
    const { world, member } = cluster;
    await spawnAll(cluster, 'n1');
    await world.until(member('n1').cluster.drain({ timeoutMs: 5_000 }));
    for (let index = 0; index < 10; index++) {
      const spawned = await world.until(member('n1').agents.spawn({ type: 'counter', id: `later${index}`, timeoutMs: 5_000 }));
      expect(spawned.node).not.toBe('n1');
    }
    await world.until(member('n1').cluster.cordon(false, { timeoutMs: 5_000 }));
    await world.run(15_000);
    expect(member('n1').cluster.locals.count).toBeGreaterThanOrEqual(7);
    expect(member('n1').cluster).toMatchObject({ serves: true, admits: true });
  });
});
