import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { createCodec } from '../../src/cluster/codec.ts';
import { calmCluster } from '../simulation/cluster.ts';

const codec = createCodec();
/** Long enough for whoever falls silent to be missed. */
const NOTICED_MS = 8_000;

test('in a calm cluster everybody hears everybody, and is heard', async () => {
  await using cluster = await calmCluster();
  await cluster.world.run(NOTICED_MS);
  for (const node of ['n1', 'n2', 'n3']) {
    const { peers } = cluster.member(node).cluster;
    expect(peers.all().map(({ heard, hearsUs }) => [heard, hearsUs])).toEqual([
      [true, true],
      [true, true],
    ]);
    expect(peers.gaps()).toEqual([]);
  }
});

test('a one-way link is named by everyone who can know of it, and no more once it is mended', async () => {
  await using cluster = await calmCluster();
  const { world, member } = cluster;
  world.network.faults.cut('n1', 'n2');
  await world.run(NOTICED_MS);
  const oneWay = { from: 'n1', to: 'n2', oneWay: true, message: 'n1 hears n2, n2 does not hear n1' };
  // n1 hears n2 say so, n3 hears both.
  expect(member('n1').cluster.peers.gaps()).toEqual([oneWay]);
  expect(member('n3').cluster.peers.gaps()).toEqual([oneWay]);
  expect(member('n1').cluster.peers.of('n2')).toMatchObject({ heard: true, hearsUs: false });
  // n2 cannot know whether it is heard.
  expect(member('n2').cluster.peers.gaps()).toEqual([{ from: 'n1', to: 'n2', oneWay: false, message: 'n2 does not hear n1' }]);
  expect(member('n2').cluster.peers.of('n1')).toMatchObject({ heard: false, hearsUs: null });
  world.network.faults.heal();
  await world.run(NOTICED_MS);
  for (const node of ['n1', 'n2', 'n3']) expect(member(node).cluster.peers.gaps()).toEqual([]);
});

test('what a node says of itself is known to the others at its next beat', async () => {
  await using cluster = await calmCluster({ size: 2 });
  const { world, member } = cluster;
  await world.run(3_000);
  expect(member('n1').cluster.peers.of('n2')).toMatchObject({ ready: false, degraded: false });
  member('n2').cluster.peers.say({ ready: true, degraded: true });
  await world.run(1_000);
  expect(member('n1').cluster.peers.of('n2')).toMatchObject({ ready: true, degraded: true });
});

test('a member that never says anything but beats is unknown, not missed: it is of an older release', async () => {
  await using cluster = await calmCluster({ size: 2, onUp: ({ name }, { cluster }) => name === 'n2' && cluster.peers.stop() });
  await cluster.world.run(NOTICED_MS);
  expect(cluster.member('n1').cluster.peers.of('n2')).toMatchObject({ heard: null, hearsUs: null, ready: null });
  expect(cluster.member('n1').cluster.peers.gaps()).toEqual([]);
});

test('hints of strangers and of no member change nothing', async () => {
  await using cluster = await calmCluster({ size: 2 });
  const { world, member } = cluster;
  await world.run(NOTICED_MS);
  const before = member('n1').cluster.peers.all();
  const { transport } = world.network.connect('stranger');
  const incarnation = member('n2').cluster.self.incarnation;
  for (const hint of [
    null,
    {},
    [2, 'n2', incarnation, true, true, 0, []],
    [1, 'n9', 5, true, true, 0, []],
    [1, 'n2', incarnation + 1, true, true, 0, []],
    [1, 'n2', incarnation, true, true, 1, ['a b']],
    [1, 'n2', incarnation, true, true, 1, 'n1'],
    [1, '__proto__', incarnation, true, true, 0, []],
  ])
    transport.publish(world.subjects.event('peer'), codec.encode(hint));
  transport.publish(world.subjects.event('peer'), Uint8Array.of(0xc1));
  await world.run(100);
  expect(member('n1').cluster.peers.all()).toEqual(before);
});

test('a hint is written as it was recorded and still read', async () => {
  const recorded = readFileSync(new URL('../fixtures/hints/peer-1.hex', import.meta.url), 'utf8').trim();
  const hint = codec.decode(Uint8Array.from(Buffer.from(recorded, 'hex')));
  expect(hint).toEqual([1, 'n1', 1_767_225_600_000, true, false, 1, ['n2']]);
  await using cluster = await calmCluster({ size: 2 });
  const { world, member } = cluster;
  const heard: string[] = [];
  world.network.connect('listener').transport.subscribe(world.subjects.event('peer'), ({ payload }) => {
    heard.push(Buffer.from(payload).toString('hex'));
  });
  member('n1').cluster.peers.say({ ready: true, degraded: false });
  await world.run(1_000);
  const { incarnation } = member('n1').cluster.self;
  expect(heard).toContain(Buffer.from(codec.encode([1, 'n1', incarnation, true, false, 0, []])).toString('hex'));
});
