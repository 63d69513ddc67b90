import { describe, expect, test } from 'vitest';
import { type JudgeOptions, judge, verdictsOf } from '../../../chaos/checkers/judge.ts';
import type { Judged } from '../../../chaos/checkers/judged.ts';
import type { Operation } from '../../../chaos/history.ts';
import type { Run } from '../../../chaos/run.ts';
import type { WorkKind, WorkRecord } from '../../../chaos/workloads/work.ts';
import { sampleRun } from '../report/sample.ts';
import { failed } from '../support.ts';

const kind = (check: WorkKind['check']): JudgeOptions => ({
  workloads: { counter: { name: 'counter', about: '', start: () => Promise.reject(new Error('not started here')) as never, check } },
});
const fine = kind(() => [{ promise: 'C8', by: 'counted', verdict: { verdict: 'ok' } }]);
/** Without the move that the sample has for the report to find. */
const goodRun = (more: Partial<Run> = {}): Run => {
  const run = sampleRun();
  return { ...run, records: run.records.filter(({ cause }) => cause !== 'lease'), ...more };
};
const verdicts = (more: Partial<Run> = {}, options = fine) => {
  const run = goodRun(more);
  return verdictsOf(judge(run, options), run.incomplete);
};
const record = { agent: 'counter/c0', log: 'STATE', what: 'state 3' };
const [work] = sampleRun().works as [WorkRecord];
const worked = (change: (operation: Operation<unknown, unknown>) => Operation<unknown, unknown>): Partial<Run> => ({
  works: [{ ...work, operations: work.operations.map(change) }],
});

describe('a run is judged', () => {
  test('as good, promise by promise, when nothing speaks against it', () =>
    expect(verdicts()).toEqual({
      verdict: 'pass',
      promises: { L2: 'pass', C1: 'pass', C2: 'pass', C3: 'pass', C5: 'pass', C6: 'pass', C8: 'pass', C10: 'pass', B1: 'pass' },
      violations: [],
    }));
  test('without a word of what nobody looked at', () =>
    expect(verdicts({ records: [], placements: [], works: [] }).promises).not.toHaveProperty('C3'));
  test('by its records', () =>
    expect(
      verdicts({
        records: [
          { ...record, epoch: 9 },
          { ...record, epoch: 8 },
        ],
      }),
    ).toMatchObject({
      verdict: 'fail',
      promises: { C3: 'fail', C2: 'pass' },
      violations: ['C3 epochs of the records: counter/c0: state 3 of epoch 8 after state 3 of epoch 9'],
    }));
  test('by where agents went, as their records say', () => {
    const owner = (by: string, epoch: number) => ({ agent: 'counter/c0', log: 'AGENTS', by, epoch, cause: 'lease', atMs: epoch });
    expect(verdicts({ records: [owner('n1.1', 9), owner('n3.1', 10_500)] }).promises).toMatchObject({ C10: 'fail', C3: 'pass' });
  });
  test('by silence that no fault explains', () => {
    const silent = worked((each) =>
      each.key === 1 && each.invokedAtMs >= 4_000 && each.invokedAtMs < 7_000
        ? failed([each.invokedAtMs, each.endedAtMs], each.op, 'fail', { key: 1 })
        : each,
    );
    expect(verdicts(silent)).toMatchObject({
      verdict: 'fail',
      promises: { C5: 'fail' },
      violations: [
        'C5 availability, counter: key 1 was asked and did not answer for 3004 ms from 4000 ms on, beyond what any fault may cost',
      ],
    });
  });
  test('by a key that does not come back after the heal', () => {
    const dead = worked((each) =>
      each.key === 1 && each.invokedAtMs >= 15_000 ? failed([each.invokedAtMs, each.endedAtMs], each.op, 'fail', { key: 1 }) : each,
    );
    const options = { ...fine, recoveredWithinMs: 10_000 };
    expect(verdicts(dead, options)).toMatchObject({
      promises: { C6: 'fail' },
      violations: ['C6 convergence, counter: key 1 never answered after the heal'],
    });
  });
  test('not by a key that was worn out before the heal', () => {
    const worn = { works: [{ ...work, operations: work.operations.filter(({ key, invokedAtMs }) => key !== 1 || invokedAtMs < 15_000) }] };
    expect(verdicts(worn).promises).toMatchObject({ C6: 'pass' });
  });
  test('by what was never seen to recover', () => {
    const { recoveredAtMs: _, ...never } = goodRun();
    const judged = judge({ ...never, recoveredAtMs: undefined }, fine);
    expect(verdictsOf(judged)).toMatchObject({
      verdict: 'fail',
      violations: ['C6 recovery: not everything was seen to work again within 15490 ms of the heal'],
    });
    expect(verdictsOf(judge({ ...never, recoveredAtMs: undefined, incomplete: ['Ctrl-C'] }, fine), ['Ctrl-C'])).toMatchObject({
      verdict: 'unknown',
      violations: [],
    });
  });
  test('by views that differ and queues that are not empty', () => {
    expect(verdicts({ views: { n1: ['n1', 'n2'], n2: ['n2'] } }).promises).toMatchObject({ C6: 'fail' });
    expect(verdicts({ queues: { mail: 3 } }).promises).toMatchObject({ C6: 'fail' });
    expect(verdicts({ views: {} }).promises).toMatchObject({ C6: 'unknown' });
  });
  test('by processes that ended, and by what was left behind', () => {
    expect(verdicts({ exits: [{ place: 'n3', atMs: 3_000, code: 134, signal: null }] }).promises).toMatchObject({ L2: 'fail' });
    expect(verdicts({ leaks: ['a port'] }).promises).toMatchObject({ B1: 'fail' });
  });
  test('by the check of each workload; a check that fails itself, or is not known, leaves it open', () => {
    const found: Judged = { promise: 'C8', by: 'counted', verdict: { verdict: 'bad', violations: ['one is lost'] } };
    expect(
      verdicts(
        {},
        kind(() => [found]),
      ),
    ).toMatchObject({ verdict: 'fail', violations: ['C8 counted: one is lost'] });
    const broken = kind(() => {
      throw new TypeError('undefined is no function');
    });
    expect(verdicts({}, broken)).toMatchObject({ verdict: 'unknown', promises: { M3: 'unknown' } });
    expect(verdicts({}, { workloads: {} })).toMatchObject({ verdict: 'unknown', promises: { M3: 'unknown' } });
  });
});

describe('verdicts', () => {
  const one = (promise: string, verdict: Judged['verdict']): Judged => ({ promise, by: 'somebody', verdict });
  const [good, doubt, bad] = [
    { verdict: 'ok' },
    { verdict: 'unknown', reason: 'why' },
    { verdict: 'bad', violations: ['that'] },
  ] as const satisfies Judged['verdict'][];
  test('are those of the worst checker, and one fail is the whole', () => {
    expect(verdictsOf([one('M3', good), one('M3', doubt)])).toMatchObject({ verdict: 'unknown', promises: { M3: 'unknown' } });
    expect(verdictsOf([one('M3', doubt), one('M3', bad), one('L1', good)])).toMatchObject({
      verdict: 'fail',
      promises: { M3: 'fail', L1: 'pass' },
    });
  });
  test('of what is incomplete are unknown, but never hide a fail', () => {
    expect(verdictsOf([one('M3', good)], ['broken off']).verdict).toBe('unknown');
    expect(verdictsOf([one('M3', bad)], ['broken off']).verdict).toBe('fail');
  });
  test('of nothing are unknown', () => expect(verdictsOf([])).toEqual({ verdict: 'unknown', promises: {}, violations: [] }));
  test('come in the order of the list of promises', () =>
    expect(
      Object.keys(verdictsOf([one('B1', good), one('C10', good), one('C2', good), one('M7', good), one('L1', good)]).promises),
    ).toEqual(['M7', 'L1', 'C2', 'C10', 'B1']));
  test('put what a user judged by himself last', () =>
    expect(Object.keys(verdictsOf([one('Mine', good), one('bank', good), one('B1', good), one('M7', good)]).promises)).toEqual([
      'M7',
      'B1',
      'Mine',
      'bank',
    ]));
});
