import { describe, expect, test } from 'vitest';
import { userWorkload } from '../../../chaos/workloads/user-workload.ts';
import { type Workload, workload } from '../../../chaos/workloads/workload.ts';
import { counterProtocol } from '../../../index.ts';
import { inSimulation } from './in-simulation.ts';

type Op = { readonly type: 'add'; readonly by: number };
type Result = { readonly value: number };
const counting = (more: Partial<Workload<Op, Result>> = {}): Workload<Op, Result> => ({
  name: 'counting',
  keys: 3,
  next: (random) => ({ type: 'add', by: 1 + Math.floor(random.next() * 3) }),
  async run(agents, key, op, options) {
    const ref = agents.agent(counterProtocol, `own${key}`);
    try {
      return await ref.ask(op, options);
    } catch (error) {
      if ((error as { readonly code?: string }).code !== 'no-such-actor') throw error;
      await (agents as unknown as { spawnRaw(request: object): Promise<unknown> }).spawnRaw({ agent: 'counter', id: `own${key}` });
      return ref.ask(op, options);
    }
  },
  check: (history) => history.flatMap((each) => (each.outcome === 'ok' && each.result.value < 1 ? [`key ${each.key} went down`] : [])),
  ...more,
});

describe('a user’s workload', () => {
  test('runs through a crash and is judged by its own check, under its own name', async () => {
    const { judged, recovered, record } = await inSimulation(userWorkload(counting()), { crash: true });
    expect(judged.map(({ promise, verdict }) => [promise, verdict.verdict])).toEqual([
      ['counting', 'ok'],
      ['M3', 'ok'],
    ]);
    expect(recovered).toBe(true);
    expect(new Set(record.operations.map(({ key }) => key))).toEqual(new Set([0, 1, 2]));
  });

  test('asks all of its keys, and no others, when there are more than are asked at a time', async () => {
    const { record } = await inSimulation(userWorkload(counting({ keys: 30 })), { forMs: 40_000 });
    expect([...new Set(record.operations.map(({ key }) => key))].sort((a, b) => a - b)).toEqual([...Array(30).keys()]);
  });

  test('fails with what its check names', async () => {
    const { judged } = await inSimulation(userWorkload(counting({ check: () => ['never negative'] })));
    expect(judged[0]).toEqual({ promise: 'counting', by: 'its own check', verdict: { verdict: 'bad', violations: ['never negative'] } });
  });

  test.each<[string, Partial<Workload<Op, Result>>]>([
    ['throws', { check: () => JSON.parse('{') }],
    ['answers no list', { check: () => 'fine' as never }],
    ['answers a list of something else', { check: () => [undefined] as never }],
  ])('whose check %s is an error and no pass', (_, more) => {
    const kind = userWorkload(counting(more));
    const record = { workload: 'counting', operations: [], asked: [], agents: {}, finals: null, notes: { lagMs: 0 }, untilMs: 0 };
    expect(() => kind.check(record)).toThrow(
      expect.objectContaining({ code: 'invalid-definition', where: { workload: 'counting', field: 'check' } }),
    );
  });

  test('whose next throws ends with that', async () => {
    const kind = userWorkload(
      counting({
        next: () => {
          throw new Error('nothing comes to mind');
        },
      }),
    );
    await expect(inSimulation(kind)).rejects.toMatchObject({ code: 'invalid-definition', where: { workload: 'counting', field: 'next' } });
  });

  test.each<[string, Partial<Record<keyof Workload<Op, Result>, unknown>>]>([
    ['name', { name: '' }],
    ['name', { name: 'a b' }],
    ['keys', { keys: 0 }],
    ['keys', { keys: 1_001 }],
    ['keys', { keys: 1.5 }],
    ['next', { next: undefined }],
    ['run', { run: 'it' }],
    ['check', { check: null }],
  ])('is refused for its %s', (field, more) => {
    expect(() => workload(counting(more as never))).toThrow(expect.objectContaining({ code: 'invalid-definition', where: { field } }));
  });
});
