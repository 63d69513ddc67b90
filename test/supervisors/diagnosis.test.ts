import { expect, test } from 'vitest';
import { diagnosis, type SeenAgent, type SeenNode } from '../../supervisors/diagnosis.ts';

const node = (name: string, more: Partial<SeenNode> = {}): SeenNode => ({
  ...{ node: name, state: 'running', suspect: false, version: '0.1.0', answered: true, ready: true },
  ...{ degraded: [], lagMs: 3, aheadMs: 1, uncertainMs: 1, gaps: [], ...more },
});
const nodes = [node('n1'), node('n2'), node('n3')];
const wrong = (seen: readonly SeenNode[], agents: readonly SeenAgent[] = []) =>
  Object.entries(diagnosis(seen, agents)).flatMap(([name, { verdict, message, fix }]) => {
    if (verdict !== 'ok') expect(fix, name).toEqual(expect.any(String));
    return verdict === 'ok' ? [] : [`${name} ${verdict}: ${message}`];
  });

test('a cluster that is well has nothing wrong', () => {
  expect(wrong(nodes)).toEqual([]);
  expect(wrong([...nodes, node('old', { state: 'gone', answered: false, ready: undefined, version: '0.0.9' })])).toEqual([]);
});

const oneWay = { oneWay: true, message: 'n1 hears n2, n2 does not hear n1' };
test.each<[string, Partial<SeenNode>, string]>([
  ['does not answer', { answered: false, suspect: true }, 'members failed: n2 does not answer and is not heard of'],
  ['is not ready', { ready: false }, 'readiness warning: n2 is not ready'],
  ['is degraded', { degraded: ['service:db'] }, 'readiness warning: n2 is degraded: service:db'],
  ['is of another version', { version: '0.2.0' }, 'versions warning: several versions: n1 n3 0.1.0; n2 0.2.0'],
  ['has a clock of its own', { aheadMs: 90_000 }, 'clocks failed: the wall clock of n2 is 89999 ms ahead of that of n1'],
  ['is a second off', { aheadMs: -1_000 }, 'clocks warning: the wall clock of n3 is 1001 ms ahead of that of n2'],
  ['is off by less than can be told', { aheadMs: 1_000, uncertainMs: 600 }, ''],
  ['blocks its loop', { lagMs: 5_000 }, 'lag failed: the event loop of n2 is 5000 ms late'],
  ['knows of a one-way link', { gaps: [oneWay] }, `links failed: ${oneWay.message}`],
])('when a node %s it is named', (_, more, expected) => {
  expect(wrong([node('n1'), node('n2', more), node('n3')])).toEqual(expected === '' ? [] : [expected]);
});

test('a broken way is told once, as the node tells it that knows most', () => {
  const half = { oneWay: false, message: 'n2 does not hear n1' };
  const seen = [node('n1', { gaps: [oneWay] }), node('n2', { gaps: [half] }), node('n3', { gaps: [oneWay] })];
  expect(wrong(seen)).toEqual([`links failed: ${oneWay.message}`]);
});

test('agents that nobody runs are named with their reason, and what to do about each kind', () => {
  const agents: SeenAgent[] = [
    { type: 'counter', id: 'a', state: 'running', why: undefined },
    { type: 'counter', id: 'b', state: 'unplaced', why: undefined },
    { type: 'moody', id: 'c', state: 'quarantined', why: 'crashed: boom' },
  ];
  const { agents: finding } = diagnosis(nodes, agents);
  expect(finding).toMatchObject({
    verdict: 'failed',
    message: 'counter/b is unplaced; moody/c is quarantined (crashed: boom)',
    fix: expect.stringMatching(/labels.*nexa why/),
  });
});

test('without nodes there is nothing to say but that', () => {
  expect(Object.entries(diagnosis([], [])).flatMap(([name, { verdict }]) => (verdict === 'warning' ? [name] : []))).toEqual(['members']);
});
