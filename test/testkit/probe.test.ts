import { receive, stopped } from 'nexa';
import { testCluster } from 'nexa/testkit';
import { expect, test } from 'vitest';

type Note = { readonly type: 'note'; readonly n: number };

test('the next message, the next that fits, and the others later', async () => {
  await using world = await testCluster({ nodes: 1 });
  const probe = world.probe<Note>();
  for (const n of [1, 2, 3]) probe.ref.tell({ type: 'note', n });
  expect(await probe.expect()).toEqual({ type: 'note', n: 1 });
  expect(await probe.expect(({ n }) => n === 3)).toEqual({ type: 'note', n: 3 });
  expect(await probe.expect()).toEqual({ type: 'note', n: 2 });
  await probe.expectNothing(60_000);
});

test('time is moved to the message and no further', async () => {
  await using world = await testCluster({ nodes: 1 });
  const probe = world.probe<Note>();
  let firedAtMs = 0;
  const { clock } = await new Promise<{ clock: { monotonicMs(): number } }>((resolve) => {
    world.system.spawn({
      behavior: (context) => {
        context.after(2_500, { type: 'now' });
        resolve(context);
        return receive(() => {
          firedAtMs = context.clock.monotonicMs();
          probe.ref.tell({ type: 'note', n: 1 });
        });
      },
    });
    void world.settle();
  });
  await probe.expect();
  expect(clock.monotonicMs()).toBe(firedAtMs);
});

test('a failure says what there was instead, and the seed that gives the same run', async () => {
  await using world = await testCluster({ nodes: 1, seed: 99 });
  const probe = world.probe<Note>('p');
  probe.ref.tell({ type: 'note', n: 1 });
  await expect(probe.expect(({ n }) => n === 2, 500)).rejects.toMatchObject({
    code: 'ask-timeout',
    message: expect.stringMatching(/within 500 virtual ms; there is \{"type":"note","n":1\}; .*testCluster\(\{ seed: 99 \}\)/),
    where: { seed: '99' },
  });
  await expect(probe.expectNothing(0)).rejects.toMatchObject({ code: 'conflict', message: expect.stringContaining('"n":1') });
  await probe.expect();
  await probe.expectNothing(0);
});

test('a condition that throws is its own error, and the world goes on', async () => {
  await using world = await testCluster({ nodes: 1 });
  const probe = world.probe<Note>();
  probe.ref.tell({ type: 'note', n: 1 });
  await expect(
    probe.expect(() => {
      throw new TypeError('no');
    }),
  ).rejects.toMatchObject({ code: 'internal', cause: expect.any(TypeError) });
  expect(await probe.expect()).toMatchObject({ n: 1 });
});

test('the end of an actor comes once, also of one that had ended before', async () => {
  await using world = await testCluster();
  const ends = { behavior: () => receive<Note>(() => stopped) };
  const [first, second] = [world.system.spawn(ends), world.nodes[0]?.system.spawn(ends)];
  const probe = world.probe();
  probe.watch(first);
  probe.watch(first);
  await probe.expectNothing(100);
  first.tell({ type: 'note', n: 1 });
  expect(await probe.expectTerminated(first)).toMatchObject({ reason: 'stopped' });
  await probe.expectNothing(100);
  second?.tell({ type: 'note', n: 1 });
  await world.settle();
  const ref = world.system.unsafeRef<Note>(second?.toJSON() ?? '');
  expect(await probe.expectTerminated(ref)).toMatchObject({ signal: 'terminated' });
  const other = world.system.spawn(ends);
  await expect(probe.expectTerminated(other, 1_000)).rejects.toMatchObject({ code: 'ask-timeout' });
});
