import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { type DrillOptions, drill } from '../../chaos/drill.ts';
import { parsePlan } from '../../chaos/plan-file.ts';
import { workload } from '../../chaos/workloads/workload.ts';
import { account, accountAgent } from '../../examples/agents/account.ts';

type Op = { type: 'deposit'; cents: number };
const root = mkdtempSync(join(tmpdir(), 'nexa-drill-test-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
let made = 0;

const saving = (check: Parameters<typeof workload<Op, { readonly cents: number }>>[0]['check']) =>
  workload({
    name: 'saving',
    keys: 4,
    next: (random): Op => ({ type: 'deposit', cents: 1 + Math.floor(random.next() * 9) }),
    run: (agents, key, op, options) => agents.agent(account, `k${key}`).ask(op, options),
    check,
  });
const options = (more: Partial<DrillOptions<Op, { readonly cents: number }>> = {}): DrillOptions<Op, { readonly cents: number }> => ({
  plan: [
    { fault: 'kill', target: 'node', forMs: 2_000 },
    { fault: 'wait', forMs: 1_000 },
  ],
  workload: saving(() => []),
  agents: [accountAgent],
  world: 'simulation',
  durationMs: 5_000,
  folder: join(root, `${++made}`),
  ...more,
});

test('a drill of a list of faults says what held, and keeps its report in its folder', async () => {
  const report = await drill(options());
  expect(report).toMatchObject({ verdict: 'pass', violations: [], incomplete: [], promises: { C3: 'pass', M3: 'pass', saving: 'pass' } });
  expect(report.operations.ok).toBeGreaterThan(50);
  expect(report.folder).toBe(join(root, `${made}`));
  expect(report.replay).toBe(`npx nexa chaos run --script ${report.folder}/plan.json`);
  expect(parsePlan(await readFile(join(report.folder, 'plan.json'), 'utf8'))).toMatchObject({ seed: 1, nodes: 3, workloads: ['saving'] });
  expect(await readdir(report.folder)).toEqual(
    expect.arrayContaining(['history.jsonl', 'report.html', 'report.json', 'report.md', 'run.json']),
  );
});

test('a drill by name does what that one does, with the work of the user', { timeout: 60_000 }, async () => {
  const report = await drill(options({ plan: 'pause-past-lease', durationMs: 30_000, seed: 3 }));
  expect(report.incomplete).toEqual([]);
  expect(report.verdict).toBe('pass');
});

test('what the check of the user objects to fails, and is run again with no fault that it does not need', { timeout: 60_000 }, async () => {
  const gone = { fault: 'kill', target: 'node', silent: true, forMs: 4_000 } as const;
  const patient = saving((history) => (history.some(({ outcome }) => outcome === 'info') ? ['somebody got no answer'] : []));
  const report = await drill(
    options({ workload: patient, durationMs: 7_000, plan: [{ fault: 'wait', forMs: 500 }, gone, { fault: 'heal' }] }),
  );
  expect(report.verdict).toBe('fail');
  expect(report.violations).toEqual(['saving its own check: somebody got no answer']);
  expect(report.replay).toContain('smaller.json');
  expect(parsePlan(await readFile(join(report.folder, 'smaller.json'), 'utf8')).faults).toEqual([gone]);
});

test('a check that throws is no pass', async () => {
  const report = await drill(
    options({
      workload: saving(() => {
        throw new Error('oops');
      }),
    }),
  );
  expect(report.verdict).toBe('unknown');
});

test.each<[string, Partial<DrillOptions<Op, { readonly cents: number }>>, string]>([
  ['a folder of modules in a simulation', { agents: 'examples/agents' }, 'invalid-definition'],
  ['definitions for real nodes', { world: 'processes' }, 'invalid-definition'],
  ['a drill that is none', { plan: 'tsunami' }, 'invalid-message'],
  ['a fault that is none', { plan: [{ fault: 'tsunami' } as never] }, 'invalid-message'],
  ['a seed that is none', { seed: -1 }, 'invalid-message'],
  ['nodes that are too many', { nodes: 21 }, 'invalid-message'],
  ['a fault that a simulation cannot do', { plan: [{ fault: 'disk-full', target: 'server', forMs: 5 }] }, 'unavailable'],
])('%s is refused, and leaves nothing', async (_what, more, code) => {
  const given = options(more);
  await expect(drill(given)).rejects.toMatchObject({ code });
  await expect(readdir(given.folder ?? '')).rejects.toMatchObject({ code: 'ENOENT' });
});

test('a folder with something in it is not touched', async () => {
  const given = options();
  writeFileSync(given.folder ?? '', 'precious');
  await expect(drill(given)).rejects.toMatchObject({ code: 'conflict' });
  expect(await readFile(given.folder ?? '', 'utf8')).toBe('precious');
});
