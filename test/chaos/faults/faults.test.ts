import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Act } from '../../../chaos/act.ts';
import type { Fault } from '../../../chaos/fault.ts';
import { recorded } from './recording.ts';

const names = (acts: readonly { readonly act: Act }[]): string[] => acts.map(({ act }) => act.act);
/** What was left cut, held or full. */
function leftOver(acts: readonly { readonly act: Act }[]): string[] {
  const open = new Set<string>();
  for (const { act } of acts) {
    if (act.act === 'cut') open.add(`${act.from} ${act.to}`);
    if (act.act === 'mend') open.delete(`${act.from} ${act.to}`);
    if (act.act === 'pause-node') open.add(act.node);
    if (act.act === 'resume-node') open.delete(act.node);
    if (act.act === 'link-down') open.add(act.place);
    if (act.act === 'link-up') open.delete(act.place);
    if (act.act === 'loss') act.percent === 0 ? open.delete(`loss ${act.from} ${act.to}`) : open.add(`loss ${act.from} ${act.to}`);
  }
  return [...open];
}
const cuts = (acts: readonly { readonly act: Act }[]): string[] =>
  acts.flatMap(({ act }) => (act.act === 'cut' ? [`${act.from}→${act.to}`] : [])).sort();

describe('killing', () => {
  test('one node is the seed’s, whatever else happens', async () => {
    const kill: Fault = { fault: 'kill', target: 'node' };
    const alone = await recorded([kill], { seed: 5 });
    const after = await recorded([{ fault: 'partition', shape: 'halves', forMs: 10 }, { fault: 'wait', forMs: 3 }, kill], { seed: 5 });
    expect(alone.acts).toHaveLength(1);
    expect(after.acts.at(-1)?.act).toEqual(alone.acts[0]?.act);
  });

  test.each([
    ['one', 1],
    ['minority', 2],
    ['majority', 3],
    ['all', 5],
  ] as const)('%s of five are %i', async (many, count) => {
    const { acts, met } = await recorded([{ fault: 'kill', target: 'node', many }], { nodes: 5 });
    expect(names(acts)).toEqual(Array(count).fill('kill-node'));
    expect(new Set(met).size).toBe(count);
  });

  test('what was killed for a time is started again', async () => {
    const { acts } = await recorded([{ fault: 'kill', target: 'n2', silent: true, forMs: 4_000 }]);
    expect(acts).toEqual([
      { atMs: 0, act: { act: 'kill-node', node: 'n2', silent: true } },
      { atMs: 4_000, act: { act: 'start-node', node: 'n2' } },
    ]);
  });

  test('the leader of the store is who leads when it happens, and a follower is another', async () => {
    const leader = await recorded([{ fault: 'kill', target: 'store-leader', forMs: 1 }], { leader: 's3' });
    expect(leader.acts[0]?.act).toEqual({ act: 'kill-server', server: 's3' });
    for (let seed = 1; seed <= 8; seed++) {
      const follower = await recorded([{ fault: 'pause', target: 'store-follower', forMs: 1 }], { leader: 's3', seed });
      expect(follower.acts[0]?.act).not.toMatchObject({ server: 's3' });
    }
  });

  test('where there are no servers, killing the leader is an election of 4 to 9 s', async () => {
    for (let seed = 1; seed <= 20; seed++) {
      const { acts } = await recorded([{ fault: 'kill', target: 'store-leader' }], { kind: 'simulation', seed });
      const ms = acts[0]?.act.act === 'election' ? acts[0].act.ms : undefined;
      expect(ms).toBeGreaterThanOrEqual(4_000);
      expect(ms).toBeLessThanOrEqual(9_000);
    }
  });
});

test('a rolling restart has one down at a time', async () => {
  const { acts } = await recorded([{ fault: 'restart', target: 'server', rolling: true, forMs: 500 }]);
  expect(names(acts)).toEqual(['stop-server', 'start-server', 'stop-server', 'start-server', 'stop-server', 'start-server']);
  const who = acts.map(({ act }) => (act as { server: string }).server);
  expect([who[0], who[2], who[4]]).toEqual([who[1], who[3], who[5]]);
  expect(new Set(who).size).toBe(3);
});

test('a node flaps as often as it says', async () => {
  const { acts } = await recorded([{ fault: 'flap', target: 'n1', times: 3, everyMs: 1_000 }]);
  expect(acts.map(({ atMs, act }) => `${atMs} ${act.act}`)).toEqual([
    '0 kill-node',
    '1000 start-node',
    '1000 kill-node',
    '2000 start-node',
    '2000 kill-node',
    '3000 start-node',
  ]);
});

test('those that join have names that nobody has, and leave again', async () => {
  const { acts } = await recorded([{ fault: 'join-storm', count: 2, forMs: 100 }]);
  expect(acts.map(({ act }) => `${act.act} ${(act as { node: string }).node}`)).toEqual([
    'start-node n4',
    'start-node n5',
    'stop-node n4',
    'stop-node n5',
  ]);
});

describe('partitions', () => {
  test('a minority has at most one server, and nothing crosses', async () => {
    for (let seed = 1; seed <= 10; seed++) {
      const { acts, met } = await recorded([{ fault: 'partition', shape: 'minority', forMs: 10 }], { nodes: 5, seed });
      expect(met.filter((each) => each.startsWith('n'))).toHaveLength(2);
      expect(met.filter((each) => each.startsWith('s'))).toHaveLength(1);
      const others = ['n1', 'n2', 'n3', 'n4', 'n5', 's1', 's2', 's3', 'client'].filter((each) => !met.includes(each));
      expect(cuts(acts)).toEqual(met.flatMap((one) => others.flatMap((other) => [`${one}→${other}`, `${other}→${one}`])).sort());
    }
  });

  test('what one node sends is lost, and it hears everything', async () => {
    const { acts, met } = await recorded([{ fault: 'partition', shape: 'one-way', forMs: 10 }]);
    const [node] = met;
    expect(met).toHaveLength(1);
    expect(cuts(acts).every((way) => way.startsWith(`${node}→`))).toBe(true);
    expect(cuts(acts)).toHaveLength(6);
  });

  test('two nodes that do not reach each other both reach a third server', async () => {
    const { acts, met } = await recorded([{ fault: 'partition', shape: 'partial', forMs: 10 }]);
    const [a, b] = met as [string, string];
    const reach = (node: string): string[] => ['s1', 's2', 's3'].filter((server) => !cuts(acts).includes(`${node}→${server}`));
    expect(reach(a)).toHaveLength(1);
    expect(reach(b)).toHaveLength(1);
    expect(reach(a)).not.toEqual(reach(b));
    const [near, far] = [reach(a)[0], reach(b)[0]];
    expect(cuts(acts)).toContain(`${near}→${far}`);
    expect(cuts(acts).filter((way) => /^s\d→s\d$/.test(way))).toHaveLength(2);
  });

  test('a server is cut from its peers and not from its clients', async () => {
    const { acts } = await recorded([{ fault: 'partition', shape: 'servers', forMs: 10 }]);
    expect(cuts(acts)).toHaveLength(4);
    expect(cuts(acts).every((way) => /^s\d→s\d$/.test(way))).toBe(true);
  });

  test('what two faults cut is mended with the later one', async () => {
    const way = { fault: 'partition', shape: 'isolate' } as const;
    const { acts } = await recorded(
      [
        {
          fault: 'together',
          faults: [
            { ...way, forMs: 1_000 },
            { ...way, forMs: 3_000 },
            { ...way, forMs: 2_000 },
          ],
        },
      ],
      { nodes: 1 },
    );
    expect(leftOver(acts)).toEqual([]);
    expect(acts.filter(({ act }) => act.act === 'mend').every(({ atMs }) => atMs === 3_000)).toBe(true);
  });
});

test('what answers a node does not get, its servers still do', async () => {
  const { acts, met } = await recorded([{ fault: 'lost-answers', forMs: 10 }]);
  expect(cuts(acts)).toEqual(['s1', 's2', 's3'].map((server) => `${server}→${met[0]}`));
});

test('a fault that its world cannot do is left out and named, also inside others', async () => {
  const { acts, skipped } = await recorded(
    [
      { fault: 'clock-jump', byMs: 5 },
      {
        fault: 'together',
        faults: [
          { fault: 'wait', forMs: 1 },
          { fault: 'clock-jump', byMs: 5 },
        ],
      },
      { fault: 'kill', target: 'node' },
    ],
    { cannot: ['wall-jump'] },
  );
  expect(skipped).toEqual(['no wall-jump here', 'no wall-jump here', undefined]);
  expect(names(acts)).toEqual(['kill-node']);
});

test('what the time is over for, and what would go on long after it, is left out', async () => {
  const wait: Fault = { fault: 'wait', forMs: 600 };
  const late = 'it would not end in time';
  expect((await recorded([wait, wait, wait], { untilMs: 1_000 })).skipped).toEqual([undefined, undefined, late]);
  const long: Fault = { fault: 'wait', forMs: 8_000 };
  expect((await recorded([wait, long, wait], { untilMs: 1_000 })).skipped).toEqual([undefined, late, undefined]);
});

test('a fault that fails is named, and the next one is done', async () => {
  const { failures, acts } = await recorded(
    [
      { fault: 'kill', target: 'node' },
      { fault: 'pause', target: 'n1', forMs: 5 },
    ],
    { breaks: 'kill-node' },
  );
  expect(failures).toEqual(['fault 0 (kill): it does not give way']);
  expect(names(acts)).toEqual(['kill-node', 'pause-node', 'resume-node']);
});

test('everything that is for a time is undone, in both worlds and by any seed', async () => {
  const forMs = fc.integer({ min: 0, max: 5_000 });
  const fault: fc.Arbitrary<Fault> = fc.oneof(
    fc.record({ fault: fc.constant('pause' as const), target: fc.constant('node'), many: fc.constantFrom('one', 'all'), forMs }),
    fc.record({
      fault: fc.constant('partition' as const),
      shape: fc.constantFrom('halves', 'minority', 'isolate', 'one-way', 'partial', 'ring', 'bridge', 'servers', 'stranded'),
      forMs,
    }),
    fc.record({ fault: fc.constant('loss' as const), percent: fc.constant(30), forMs }),
    fc.record({ fault: fc.constant('link-down' as const), target: fc.constant('node'), forMs }),
    fc.record({ fault: fc.constant('lost-answers' as const), forMs }),
  ) as fc.Arbitrary<Fault>;
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.oneof(
          fault,
          fc.array(fault, { maxLength: 3 }).map((faults) => ({ fault: 'together' as const, faults })),
        ),
      ),
      fc.constantFrom('simulation' as const, 'processes' as const),
      fc.integer({ min: 1, max: 7 }),
      fc.nat(),
      async (faults, kind, nodes, seed) => {
        const { acts, failures } = await recorded(faults, { kind, nodes, seed });
        expect(failures).toEqual([]);
        expect(leftOver(acts)).toEqual([]);
      },
    ),
    { numRuns: 60, seed: 1 },
  );
});
