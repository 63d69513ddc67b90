import { describe, expect, test } from 'vitest';
import { receive } from '../../src/actor/behavior.ts';
import type { Request } from '../../src/actor/message.ts';
import type { ActorRef, AnyRef } from '../../src/actor/ref.ts';
import { createWire } from '../../src/cluster/wire.ts';
import { calmCluster } from '../simulation/cluster.ts';

/** n1 is of the release before this one: it advertises wire 1 only. n2 and n3 are of this one. */
const mixed = () => calmCluster({ wireVersionsOf: (name) => (name === 'n1' ? [1] : [2, 1]) });
type Cluster = Awaited<ReturnType<typeof mixed>>;
const versions = (cluster: Cluster, node: string) =>
  Object.fromEntries(
    cluster
      .member(node)
      .cluster.remote.peers()
      .map((peer) => [peer.node, peer.version]),
  );
const counters = (cluster: Cluster, node: string) => cluster.member(node).cluster.remote.counters;

describe('C9: nodes of two wire versions in one cluster', () => {
  test('spawn, ask and fail over whichever of them asks and owns', async () => {
    await using cluster = await mixed();
    for (const owner of ['n1', 'n2']) {
      for (const asker of ['n1', 'n2', 'n3']) {
        const id = `${owner}-${asker}`;
        expect(
          await cluster.world.until(
            cluster.member(asker).agents.spawn({ type: 'counter', id, placement: { node: owner }, timeoutMs: 5_000 }),
          ),
        ).toMatchObject({ node: owner });
        expect(await cluster.ask(asker, `counter/${id}`, { type: 'add', by: 2 })).toEqual({ value: 2 });
      }
    }
    cluster.world.crash('n1', 10);
    await cluster.world.run(3_000);
    for (const asker of ['n2', 'n3']) expect(await cluster.ask(asker, 'counter/n1-n2', { type: 'get' })).toEqual({ value: 2 });
    await cluster.world.until(cluster.world.start('n1'));
    await cluster.world.run(2_000);
    cluster.world.crash('n2', 10);
    await cluster.world.run(3_000);
    for (const asker of ['n1', 'n3']) expect(await cluster.ask(asker, 'counter/n2-n1', { type: 'get' })).toEqual({ value: 2 });
    expect([counters(cluster, 'n1').unknownVersion, counters(cluster, 'n3').unknownVersion]).toEqual([0, 0]);
  });

  test('each speaks with each in the highest version that both have', async () => {
    await using cluster = await mixed();
    for (const owner of ['n1', 'n2', 'n3']) {
      await cluster.spawn('counter', owner, owner);
      for (const asker of ['n1', 'n2', 'n3']) await cluster.ask(asker, `counter/${owner}`, { type: 'add' });
    }
    expect([versions(cluster, 'n1'), versions(cluster, 'n2'), versions(cluster, 'n3')]).toEqual([
      { n2: 1, n3: 1 },
      { n1: 1, n3: 2 },
      { n1: 1, n2: 2 },
    ]);
  });

  test('tells keep their order and watches hear their end, both ways', async () => {
    await using cluster = await mixed();
    type Told = { readonly type: 'n'; readonly n: number };
    type Watch = { readonly type: 'watch'; readonly target: AnyRef };
    for (const [near, far] of [
      ['n1', 'n2'],
      ['n2', 'n1'],
    ] as const) {
      const heard: unknown[] = [];
      const here = cluster.member(near).system;
      const there = cluster.member(far).system;
      const recorder = there.spawn<Told>({ behavior: () => receive<Told>((_context, { n }) => void heard.push(n)) });
      const across = here.unsafeRef<Told>(recorder.toJSON());
      const watcher = here.spawn<Watch>({
        behavior: () =>
          receive<Watch>(
            (context, { target }) => context.watch(target),
            (_context, signal) => void (signal.signal === 'terminated' && heard.push(signal.reason)),
          ),
      });
      watcher.tell({ type: 'watch', target: across });
      for (let n = 0; n < 300; n++) across.tell({ type: 'n', n });
      await cluster.world.run(1_000);
      there.stopActor(recorder);
      await cluster.world.run(1_000);
      expect(heard).toEqual([...Array.from({ length: 300 }, (_, n) => n), 'stopped']);
    }
  });

  test('what only the newer can is refused to the older by name: a message above 512 kB', async () => {
    await using cluster = await mixed();
    type Sized = Request<{ readonly type: 'size'; readonly text: string }, number>;
    const sized = (node: string): ActorRef<Sized> =>
      cluster
        .member(node)
        .system.spawn<Sized>({ behavior: () => receive<Sized>((context, message) => context.reply(message, message.text.length)) });
    const ask = (from: string, to: ActorRef<Sized>) =>
      cluster.world.until(
        cluster
          .member(from)
          .system.unsafeRef<Sized>(to.toJSON())
          .ask({ type: 'size', text: 'x'.repeat(2_000_000) }, { timeoutMs: 5_000 })
          .then(
            (value) => value,
            (error: { readonly code: string }) => error.code,
          ),
      );
    const [old, young] = [sized('n1'), sized('n2')];
    expect([await ask('n3', young), await ask('n3', old), await ask('n1', young)]).toEqual([
      2_000_000,
      'payload-too-large',
      'payload-too-large',
    ]);
  });

  test('a version that nobody here knows is refused, counted, and harms nobody', async () => {
    await using cluster = await mixed();
    await cluster.spawn('counter', 'alice', 'n2');
    const { incarnation } = cluster.member('n2').cluster.self;
    const { transport } = cluster.world.network.connect('stranger');
    const frame = createWire({ node: 'n9', incarnation: 1 }, [2]).speaks([2])?.resend() as Uint8Array;
    frame[1] = 3;
    transport.publish(cluster.world.subjects.node('n2', incarnation), frame);
    transport.publish(cluster.world.subjects.beat, frame);
    await cluster.world.run(1_000);
    expect(counters(cluster, 'n2').unknownVersion).toBe(1);
    expect(await cluster.ask('n1', 'counter/alice', { type: 'add', by: 1 })).toEqual({ value: 1 });
  });

  test('a message to a node with which there is no version in common is refused by name at once', async () => {
    await using cluster = await calmCluster({ wireVersionsOf: (name) => (name === 'n1' ? [1] : [2]) });
    const there = cluster.member('n2').system.spawn<never>({ behavior: () => receive<never>(() => undefined) });
    const asked = cluster
      .member('n1')
      .system.unsafeRef<Request<{ readonly type: 'x' }, null>>(there.toJSON())
      .ask({ type: 'x' }, { timeoutMs: 5_000 });
    await expect(cluster.world.until(asked)).rejects.toMatchObject({ code: 'unknown-version', definite: true, fix: expect.any(String) });
    expect(counters(cluster, 'n1').unknownVersion).toBeGreaterThan(0);
  });
});

test('C9: a node of a release that nobody here knows is refused when it joins, with the versions of both, and the cluster goes on', async () => {
  await using cluster = await calmCluster({ wireVersionsOf: (name) => (name === 'n9' ? [99] : [2, 1]) });
  await cluster.spawn('counter', 'alice', 'n2');
  await expect(cluster.world.until(cluster.world.start('n9'))).rejects.toMatchObject({
    code: 'unknown-version',
    definite: true,
    message: expect.stringMatching(/^this node speaks wire 99, and n[123] speaks 2 and 1$/),
    fix: expect.any(String),
  });
  expect(await cluster.ask('n1', 'counter/alice', { type: 'add', by: 1 })).toEqual({ value: 1 });
  expect(['n1', 'n2', 'n3'].map((name) => cluster.seenBy(name, 'n9'))).toEqual([undefined, undefined, undefined]);
});
