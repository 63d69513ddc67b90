import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { storeCopy } from '../../../chaos/worlds/processes/stage/limits/store-copy.ts';
import { machines } from './support.ts';

test('a store that is rolled back holds what it held when it was copied, and nothing since', async () => {
  const done: string[] = [];
  using stage = machines({
    kill: async (server) => void done.push(`kill ${server}`),
    start: async (server) => void done.push(`start ${server}`),
  });
  const store = join(stage.serverFolder('s1'), 'store');
  mkdirSync(join(store, 'streams'), { recursive: true });
  writeFileSync(join(store, 'streams', 'a'), 'old');
  const limit = await storeCopy(stage);
  await expect(limit.apply({ act: 'roll-back', server: 's1' })).rejects.toMatchObject({ code: 'context-misused' });
  await limit.apply({ act: 'copy-store', server: 's1' });
  writeFileSync(join(store, 'streams', 'a'), 'new');
  writeFileSync(join(store, 'streams', 'b'), 'new');
  rmSync(join(store, 'streams', 'a'));
  await limit.apply({ act: 'roll-back', server: 's1' });
  expect(done).toEqual(['kill s1', 'start s1']);
  expect(readdirSync(join(store, 'streams'))).toEqual(['a']);
  expect(readFileSync(join(store, 'streams', 'a'), 'utf8')).toBe('old');
});
