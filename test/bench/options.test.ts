import { expect, test } from 'vitest';
import { options, usage } from '../../bench/suite/options.ts';
import type { Workload } from '../../bench/suite/workload.ts';

const workload = (name: string): Workload => ({ name, about: '', measures: {}, cases: ['a', 'b'], contenders: {}, reach: [] });
const sections = { local: [workload('tell'), workload('ask')], life: [workload('spawn')] };
const names = (...argv: string[]) => options(argv, sections)?.workloads.map(({ name }) => name);

test('workloads are named by themselves or by their section, and run in their order', () => {
  expect(names()).toEqual(['tell', 'ask', 'spawn']);
  expect(names('spawn', 'tell')).toEqual(['tell', 'spawn']);
  expect(names('local', 'tell')).toEqual(['tell', 'ask']);
});
test('a full run has five rounds unless it is said, a quick one has one', () => {
  expect(options([], sections)).toMatchObject({ rounds: 5, scale: 1, write: false });
  expect(options(['--rounds', '3'], sections)).toMatchObject({ rounds: 3 });
  expect(options(['--quick'], sections)).toMatchObject({ rounds: 1, scale: 0.02 });
});
test('what can be measured is told to who asks', () => {
  expect(options(['--list'], sections)).toBe(undefined);
  expect(usage(sections)).toContain('life\n  spawn              a · b');
});
test.each([
  [['tall'], 'no measurement tall'],
  [['--rounds', '0'], '--rounds 0 is no number of rounds'],
  [['--rounds', '1.5'], '--rounds 1.5 is no number of rounds'],
  [['--round', '2'], "Unknown option '--round'"],
  [['tell', '--write'], '--write wants a whole run'],
  [['--quick', '--write'], 'say nothing'],
  [['--quick', '--compare', 'x'], 'say nothing'],
  [['--from', 'x', '--rounds', '2'], '--from measures nothing'],
])('%j is misuse', (argv, why) => expect(() => options(argv, sections)).toThrow(why));
