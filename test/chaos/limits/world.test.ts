import { expect, test } from 'vitest';
import type { Act, ActName } from '../../../chaos/act.ts';
import { openProcesses } from '../../../chaos/worlds/processes/open.ts';
import { eventually, report } from '../../live/support.ts';

const LIMITS = [
  'wall-jump',
  'clock-rate',
  'fill-disk',
  'free-disk',
  'descriptors',
  'memory',
  'cpu',
  'copy-store',
  'roll-back',
  'revoke',
  'grant',
] as const satisfies readonly ActName[];

test('every limit that this machine allows is set on a cluster of three servers and nodes and ended; what was acknowledged is kept', async () => {
  const world = await openProcesses({ seed: 3, nodes: 3, servers: 3, needs: LIMITS });
  try {
    await world.run(async () => {
      const { client } = await world.link('client');
      const ids = ['a', 'b', 'c', 'd', 'e', 'f'];
      const added = new Map(ids.map((id) => [id, 0]));
      for (const id of ids)
        await eventually(`${id} is spawned`, 30_000, () =>
          client.spawnRaw({ agent: 'counter', id, spawnId: id }).then(
            () => true,
            () => false,
          ),
        );
      /** One acknowledged addition to each. */
      const all = (what: string) =>
        Promise.all(
          ids.map((id) => {
            const value = (added.get(id) ?? 0) + 1;
            added.set(id, value);
            return eventually(`${id} counts ${what}`, 90_000, () =>
              client.askRaw('counter', id, { type: 'add', by: 1 }, { timeoutMs: 3_000, requestId: `${id}-${value}` }).then(
                (reply) => {
                  expect(reply).toEqual({ value });
                  return true;
                },
                () => false,
              ),
            );
          }),
        );
      await all('before anything');
      const during: readonly (readonly [Act, Act | undefined])[] = [
        [
          { act: 'wall-jump', node: 'n1', byMs: 3_600_000 },
          { act: 'wall-jump', node: 'n1', byMs: -3_600_000 },
        ],
        [
          { act: 'clock-rate', node: 'n2', rate: 2 },
          { act: 'clock-rate', node: 'n2', rate: 1 },
        ],
        [
          { act: 'descriptors', node: 'n3', most: 20 },
          { act: 'descriptors', node: 'n3', most: null },
        ],
        [
          { act: 'cpu', node: 'n1', percent: 20 },
          { act: 'cpu', node: 'n1', percent: null },
        ],
        [
          { act: 'memory', node: 'n2', mostBytes: 60e6 },
          { act: 'memory', node: 'n2', mostBytes: null },
        ],
        [
          { act: 'fill-disk', server: 's2' },
          { act: 'free-disk', server: 's2' },
        ],
        [
          { act: 'revoke', node: 'n3' },
          { act: 'grant', node: 'n3' },
        ],
        [{ act: 'copy-store', server: 's3' }, undefined],
      ];
      for (const [on, off] of during) {
        const reason = world.cannot(on.act);
        if (reason !== undefined) {
          report(`${on.act}: ${reason}`);
          continue;
        }
        const fromMs = performance.now();
        await world.act(on);
        await all(`under ${on.act}`);
        if (on.act === 'memory')
          await eventually('the kernel kills it', 60_000, async () => {
            await all('meanwhile');
            return world.exits.some(({ place, signal, code }) => place === 'n2' && (signal === 'SIGKILL' || code === 137));
          });
        const underMs = performance.now();
        if (off !== undefined) await world.act(off);
        await all(`after ${on.act}`);
        report(
          `${on.act}: answered under it after ${Math.round(underMs - fromMs)} ms, after it ${Math.round(performance.now() - underMs)} ms`,
        );
      }
      await world.act({ act: 'heal' });
      await all('in the end');
      expect([...added.values()]).toEqual(ids.map(() => added.get('a')));
    });
  } finally {
    const left = await world.close();
    expect(left).toEqual([]);
  }
});
