import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { DRILLS } from '../../chaos/drills/index.ts';
import type { Fault, FaultName } from '../../chaos/fault.ts';
import { lacking } from '../../chaos/faults/index.ts';
import { faultNumber, faultText } from '../../chaos/report/fault-text.ts';
import { WORKLOADS } from '../../chaos/workloads/index.ts';
import { openSimulation } from '../../chaos/worlds/simulation.ts';

const page = await readFile(new URL('../../docs/drills.md', import.meta.url), 'utf8');
const cellsOf = (row: string): readonly string[] =>
  row
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim());
const rows = page
  .split('\n')
  .filter((line) => line.startsWith('|'))
  .map(cellsOf);

test('docs/drills.md lists every drill with its promises, workloads and minutes', () => {
  for (const { name, about, promises, workloads, minutes } of Object.values(DRILLS))
    expect(rows).toContainEqual([name, about, promises.join(' '), workloads.join(', '), `${minutes}`]);
});

test('docs/drills.md lists every workload', () => {
  for (const { name, about } of Object.values(WORKLOADS)) expect(rows).toContainEqual([name, about]);
});

const forMs = 1_000;
/** One of each. */
const faults: Readonly<Record<FaultName, readonly Fault[]>> = {
  kill: [
    { fault: 'kill', target: 'node' },
    { fault: 'kill', target: 'store-leader' },
  ],
  pause: [
    { fault: 'pause', target: 'n1', forMs },
    { fault: 'pause', target: 'server', forMs },
  ],
  restart: [
    { fault: 'restart', target: 'node' },
    { fault: 'restart', target: 'server', rolling: true },
  ],
  partition: (['halves', 'minority', 'isolate', 'one-way', 'partial', 'ring', 'bridge', 'servers', 'stranded'] as const).map((shape) => ({
    ...{ fault: 'partition', shape, forMs },
  })),
  loss: [{ fault: 'loss', percent: 1, forMs }],
  delay: [{ fault: 'delay', delayMs: 1, forMs }],
  slice: [{ fault: 'slice', bytes: 1, forMs }],
  reset: [{ fault: 'reset' }],
  'half-open': [{ fault: 'half-open', target: 'node', forMs }],
  'link-down': [{ fault: 'link-down', target: 'node', forMs }],
  'slow-consumer': [{ fault: 'slow-consumer', forMs }],
  'clock-jump': [{ fault: 'clock-jump', byMs: 1 }],
  'clock-rate': [{ fault: 'clock-rate', rate: 2, forMs }],
  'disk-full': [{ fault: 'disk-full', target: 'server', forMs }],
  'no-descriptors': [{ fault: 'no-descriptors', forMs }],
  'block-loop': [{ fault: 'block-loop', forMs }],
  'out-of-memory': [{ fault: 'out-of-memory', forMs }],
  starve: [{ fault: 'starve', percent: 1, forMs }],
  garbage: [{ fault: 'garbage', count: 1 }],
  duplicates: [{ fault: 'duplicates', forMs }],
  'lost-answers': [{ fault: 'lost-answers', forMs }],
  flap: [{ fault: 'flap', times: 1, everyMs: 100 }],
  'join-storm': [{ fault: 'join-storm', count: 1, forMs }],
  poison: [{ fault: 'poison' }],
  'roll-back': [{ fault: 'roll-back', target: 'server' }],
  'delete-stream': [{ fault: 'delete-stream', stream: 'AGENTS' }],
  'change-stream': [{ fault: 'change-stream', stream: 'AGENTS' }],
  revoke: [{ fault: 'revoke', forMs }],
  together: [{ fault: 'together', faults: [{ fault: 'poison' }] }],
  wait: [{ fault: 'wait', forMs }],
  heal: [{ fault: 'heal' }],
};

test('docs/drills.md says of every fault which number it has and whether it can be simulated', async () => {
  const world = await openSimulation({ seed: 1, nodes: 3, servers: 3 });
  try {
    for (const fault of Object.values(faults).flat()) {
      const number = faultNumber(fault);
      expect(faultText(fault), fault.fault).toMatch(/^[a-z]/);
      if (number === undefined) continue;
      const row = rows.find(([first]) => first === number) ?? [];
      expect(row[1], number).toContain(`\`${fault.fault}\``);
      if (fault.fault === 'partition') expect(row[1]).toContain(fault.shape);
      if (fault.fault === 'together') continue;
      const said = row[3]?.startsWith('yes') === true || row[3]?.includes(`\`${fault.fault}\``) === true;
      expect([fault.fault, said]).toEqual([fault.fault, lacking(fault, world) === undefined]);
    }
  } finally {
    await world.close();
  }
});
