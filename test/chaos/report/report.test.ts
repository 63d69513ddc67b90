import { expect, test } from 'vitest';
import type { Judged } from '../../../chaos/checkers/judged.ts';
import { markdown } from '../../../chaos/report/markdown.ts';
import { reportOf } from '../../../chaos/report/report.ts';
import { failed } from '../support.ts';
import { good, named, sampleRun } from './sample.ts';

const replay = 'npx nexa chaos run kill-node --seed 7';
const report = reportOf(sampleRun(), good, replay);
const bad = (promise: string, by: string, ...violations: string[]): Judged => ({ promise, by, verdict: { verdict: 'bad', violations } });

test('a promise passes if every check of it does, and one that nobody looked at is absent', () => {
  expect(report.verdict).toBe('pass');
  expect(Object.keys(report.promises)).toEqual(['M3', 'C3', 'C8']);
  expect(report.promises.C8).toMatchObject({ verdict: 'pass', checks: [{ verdict: 'ok' }, { verdict: 'ok' }] });
});

test('one violation fails the promise and the drill; a doubt is no pass, and neither is a run that was cut short or that nobody judged', () => {
  const broken = reportOf(sampleRun(), [...good, bad('C8', 'x of counter', 'key 1: doubled')], replay);
  expect([broken.verdict, broken.promises.C8?.verdict, broken.promises.M3?.verdict]).toEqual(['fail', 'fail', 'pass']);
  expect(broken.violations).toEqual(['C8 x of counter: key 1: doubled']);
  const doubt: Judged = { promise: 'M1', by: 'order', verdict: { verdict: 'unknown', reason: 'too many' } };
  expect(reportOf(sampleRun(), [...good, doubt], replay)).toMatchObject({ verdict: 'unknown', promises: { M1: { verdict: 'unknown' } } });
  expect(reportOf(sampleRun({ incomplete: ['stopped by hand'] }), good, replay)).toMatchObject({ verdict: 'unknown' });
  expect(reportOf(sampleRun(), [], replay).verdict).toBe('unknown');
  expect(reportOf(sampleRun({ incomplete: ['cut'] }), [bad('M1', 'x', 'y')], replay).verdict).toBe('fail');
});

test('operations are counted by outcome and error, with their rate and times', () => {
  expect(report.operations).toEqual({
    ok: 1_790,
    fail: 8,
    info: 2,
    repeats: 0,
    perSecond: 59.7,
    okMs: { p50: 7, p99: 10, max: 10 },
    failMs: { p50: 8, p99: 10, max: 10 },
    errors: { unavailable: 8, 'ask-timeout': 2 },
  });
  expect(report.workloads.counter).toEqual(report.operations);
});

test('of a fault: when it was seen, when each agent that lost its node was taken over and answered, who moved, and who need not have', () => {
  const [kill, skipped, heal] = report.faults;
  expect(kill).toMatchObject({
    number: 'F1',
    text: 'kill one node',
    detectedMs: 40,
    agents: 2,
    takenOverMs: { p50: 300, max: 300 },
    firstOkMs: { p50: 606, max: 606 },
    silent: 0,
    moved: 4,
    movedNeedlessly: 1,
  });
  expect(skipped).toMatchObject({ number: 'F15', skipped: 'no mounts here', agents: 0, detectedMs: null, takenOverMs: null });
  expect(heal).toMatchObject({ number: null, text: 'heal', agents: 0 });
});

test('an agent that was asked and never answered again is silent, and in no figure', () => {
  const run = sampleRun();
  const works = run.works.map((work) => ({
    ...work,
    operations: work.operations.filter((each) => each.key !== 3 || each.invokedAtMs < 10_500),
  }));
  expect(reportOf({ ...run, works }, good, replay).faults[0]).toMatchObject({ silent: 1, firstOkMs: { max: 411 } });
});

test('a fault of servers meets every agent: the store is everybody’s', () => {
  const sample = sampleRun();
  const faults = [{ fault: { fault: 'kill', target: 'store-leader' }, fromMs: 9_998, untilMs: 15_000, met: ['s1'] }] as const;
  const acts = [{ act: { act: 'kill-server', server: 's1' }, fromMs: 9_999, untilMs: 10_000 }] as const;
  expect(reportOf({ ...sample, faults, acts }, good, replay).faults[0]).toMatchObject({ agents: 6, silent: 0, firstOkMs: { max: 606 } });
});

test('an agent that nobody asked until long after is in no figure', () => {
  const run = sampleRun();
  const works = run.works.map((work) => ({
    ...work,
    operations: work.operations.filter((each) => each.key !== 3 || each.invokedAtMs < 10_000 || each.invokedAtMs > 15_000),
  }));
  expect(reportOf({ ...run, works }, good, replay).faults[0]).toMatchObject({ agents: 2, silent: 0, firstOkMs: { max: 411 } });
});

test('what nodes told is counted: fenced commits, moves by cause, dead letters by reason, ends of processes', () => {
  expect(report.seen).toEqual({
    fenced: 1,
    suspended: 0,
    quarantined: 0,
    moves: { crash: 2, rebalance: 1 },
    deadLetters: { 'no-actor': 1 },
    exits: { 'n2 SIGKILL': 1 },
  });
  expect(report.recoveredMs).toBe(1_250);
});

test('who was asked and had no answer for more than 300 ms is named, with the fault that explains it', () => {
  expect(report.silence).toMatchObject({ windows: 2, unexplained: 0, longestMs: 605 });
  expect(report.silence.worst).toMatchObject([
    { workload: 'counter', key: 3, agent: 'counter/c3', fromMs: 10_000, untilMs: 10_605, during: ['F1'], explained: true },
    { key: 2, untilMs: 10_410 },
  ]);
  const slow = sampleRun({ faults: [] });
  expect(reportOf({ ...slow, healedAtMs: 0 }, good, replay).silence).toMatchObject({ unexplained: 0 });
  // Under 2 s it is no violation (C5), and named all the same.
  expect(reportOf({ ...slow, healedAtMs: -60_000 }, good, replay).silence).toMatchObject({
    unexplained: 2,
    worst: [{ key: 3, explained: false }, {}],
  });
  const [work] = slow.works;
  const silent = { ...work, operations: work?.operations.filter(({ invokedAtMs, key }) => key !== 0 || invokedAtMs < 25_000) };
  const hung = failed([25_000, 29_000], { type: 'add', by: 1 }, 'info', { key: 0 });
  const works = [{ ...silent, operations: [...(silent.operations ?? []), hung] }] as typeof slow.works;
  expect(reportOf({ ...slow, faults: [], healedAtMs: 0, works }, good, replay).silence).toMatchObject({
    unexplained: 1,
    worst: [{ agent: 'counter/c0', during: [], explained: false }, {}, {}],
  });
});

test('the counter-example is the smallest drawing of a violation', () => {
  const two = bad('C2', 'linearizable of register', 'key 4 is not\n a\n b\n c', 'key 5 is not\n a');
  const { counterExample } = reportOf(sampleRun(), [bad('C8', 'exactly once of counter', 'key 1: lost'), two], replay);
  expect(counterExample).toMatchObject({ promise: 'C2', text: 'key 5 is not\n a' });
});

test('a violation in words is shown with the calls of its key, up to the request that it names', () => {
  const { counterExample } = reportOf(sampleRun(), [bad('C8', 'exactly once of counter', 'key 2: request 2-99 was doubled')], replay);
  const lines = counterExample?.text.split('\n') ?? [];
  expect(lines).toHaveLength(26);
  expect(lines.at(-1)).toMatch(/^\* \[?.*\] 9900\.0 ms \{"type":"add","by":1\} → \{"value":99\}$/);
  const plain = reportOf(sampleRun(), [bad('C10', 'moved needlessly', 'counter/c5 moved')], replay);
  expect(plain.counterExample?.text).toBe('counter/c5 moved');
});

test('report.md says all of it, and nothing that it was given is markup', () => {
  const hostile = '</td><script>alert(1)</script>|\n# x `y` ![z](http://a)\u001b[2J';
  const events = [
    { atMs: 11_000, event: { event: 'dead-letter', node: 'n1', incarnation: 1, n: 2, atMs: 0, agent: named(2), reason: hostile } },
  ];
  const text = markdown(reportOf(sampleRun({ events, leaks: [hostile] }), [...good, bad('M1', hostile, `${hostile}\nsecond`)], replay));
  expect(text).toContain('# kill-node, seed 7: fail');
  expect(text).toContain('| M3 | pass |');
  expect(text).toContain('F1 kill one node');
  expect(text).toContain('606 ms');
  for (const line of text.split('\n').filter((each) => !each.startsWith('    '))) expect(line).not.toContain('<script');
  expect(text).not.toContain('\u001b');
  expect(text).not.toMatch(/^# x/m);
  for (const line of text.split('\n').filter((each) => each.startsWith('|')))
    expect(line.replaceAll('\\|', '').split('|').length, line).toBeOneOf([4, 5, 8, 12, 17]);
});
