import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type DrillRow, drills, runDrill } from '../../chaos/index.ts';
import { report as say } from './support.ts';

const MINUTES = 1;
const SEED = 1;

// Three servers and three nodes each, for a minute of faults. What fails is kept, and the message says how to run it again.
test.each(['kill-node', 'split-brain', 'kill-store-leader'])(
  'what %s breaks is mended, and no promise with it',
  { timeout: 300_000 },
  async (drill) => {
    const folder = await mkdtemp(join(tmpdir(), `nexa-live-${drill}-`));
    const { report } = await runDrill({ drill, seed: SEED, durationMs: MINUTES * 60_000, folder });
    const { verdict, operations, tier, replay, violations, incomplete, promises } = report;
    const again = `${replay}\n${folder}/report.md`;
    say(`${drill} (${tier}): ${operations.ok} ok, ${operations.fail} refused, ${operations.info} unknown`);
    expect(violations, again).toEqual([]);
    expect(incomplete, again).toEqual([]);
    expect(verdict, again).toBe('pass');
    const shown = drills().find(({ name }) => name === drill) as DrillRow;
    expect(Object.keys(promises), again).toEqual(expect.arrayContaining([...shown.promises]));
    expect(await readdir(join(folder, 'logs')), again).toContain('s1-server.log');
    await rm(folder, { recursive: true });
  },
);
