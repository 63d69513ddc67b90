import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Fault } from '../../chaos/fault.ts';
import { PLAN_VERSION, type Plan } from '../../chaos/plan.ts';
import { formatPlan, PLAN_LIMITS, parsePlan } from '../../chaos/plan-file.ts';

const plan = (faults: readonly unknown[], more: object = {}): Plan =>
  ({
    ...{ version: PLAN_VERSION, drill: 'kill-node', seed: 7, world: 'simulation', nodes: 3, servers: 3 },
    ...{ durationMs: 60_000, workloads: ['counter'], faults },
    ...more,
  }) as Plan;
const thrown = (given: unknown): object => {
  try {
    parsePlan(typeof given === 'string' ? given : JSON.stringify(given));
  } catch (error) {
    const { code, where } = error as { code: string; where: object };
    return { code, ...where };
  }
  return { code: 'none' };
};
const nested = (depth: number): Fault => (depth === 0 ? { fault: 'wait', forMs: 1 } : { fault: 'together', faults: [nested(depth - 1)] });

test('a plan that is written is read as the same plan', () => {
  const faults: Fault[] = [
    { fault: 'kill', target: 'node', many: 'minority', silent: true, forMs: 3_000 },
    { fault: 'together', faults: [{ fault: 'partition', shape: 'bridge', forMs: 10 }, nested(1)] },
    { fault: 'clock-jump', byMs: -60_000 },
    { fault: 'clock-rate', rate: 1.5, forMs: 0 },
    { fault: 'delete-stream', stream: 'STATE' },
    { fault: 'heal' },
  ];
  expect(parsePlan(formatPlan(plan(faults)))).toEqual(plan(faults));
});

test.each([
  ['a fault that is none', plan([{ fault: 'earthquake' }]), 'faults[0].fault'],
  ['a fault that is a property of objects', plan([{ fault: 'constructor' }]), 'faults[0].fault'],
  ['a fault for too long', plan([{ fault: 'heal' }, { fault: 'wait', forMs: 600_001 }]), 'faults[1].forMs'],
  ['half a millisecond', plan([{ fault: 'wait', forMs: 0.5 }]), 'faults[0].forMs'],
  ['no time', plan([{ fault: 'wait' }]), 'faults[0].forMs'],
  ['a field that is none', plan([{ fault: 'heal', forMs: 3 }]), 'faults[0].forMs'],
  ['a target that is none', plan([{ fault: 'kill', target: '../n1' }]), 'faults[0].target'],
  ['a shape that is none', plan([{ fault: 'partition', shape: 'star', forMs: 1 }]), 'faults[0].shape'],
  ['a store that is none', plan([{ fault: 'change-stream', stream: 'MAIL' }]), 'faults[0].stream'],
  ['a place inside others', plan([{ fault: 'together', faults: [{ fault: 'reset', target: 7 }] }]), 'faults[0].faults[0].target'],
  ['no list', plan({} as never), 'faults'],
  ['too deep', plan([nested(PLAN_LIMITS.depth)]), 'faults[0].faults[0].faults[0].faults[0].faults'],
  ['a day and more', plan([], { durationMs: 86_400_001 }), 'durationMs'],
  ['no seed', plan([], { seed: 2 ** 32 }), 'seed'],
  ['two servers', plan([], { servers: 2 }), 'servers'],
  ['a workload that is none', plan([], { workloads: ['a b'] }), 'workloads[0]'],
  ['a name that leads elsewhere', plan([], { drill: '../etc' }), 'drill'],
  ['a stranger', plan([], { tier: 'moon' }), 'tier'],
])('%s is refused by its place', (_what, given, field) => {
  expect(thrown(given)).toEqual({ code: 'invalid-message', field });
});

test('a plan of another version is not read', () => {
  expect(thrown(plan([], { version: 2 }))).toEqual({ code: 'unknown-version', field: 'version' });
});

test('what is no JSON, no object or too large is refused', () => {
  for (const text of ['', '{', '[]', 'null', '7', '"plan"', ' '.repeat(PLAN_LIMITS.bytes + 1)])
    expect(['invalid-message', 'unknown-version']).toContain((thrown(text) as { code: string }).code);
});

test('more than a thousand faults are refused, wherever they stand', () => {
  const wait = { fault: 'wait', forMs: 1 };
  expect(thrown(plan(Array(PLAN_LIMITS.faults).fill(wait)))).toEqual({ code: 'none' });
  expect(thrown(plan([{ fault: 'together', faults: Array(PLAN_LIMITS.faults).fill(wait) }]))).toMatchObject({ field: 'faults[0].faults' });
});

test('whatever stands in a file is a plan or a typed error', () => {
  const nearly = fc.oneof(
    fc.json(),
    fc.json().map((text) => JSON.stringify(plan([JSON.parse(text)]))),
    fc
      .record({ fault: fc.constantFrom('kill', 'wait', 'together', '__proto__'), faults: fc.anything(), forMs: fc.anything() })
      .map((each) => {
        try {
          return JSON.stringify(plan([each]));
        } catch {
          return '';
        }
      }),
  );
  fc.assert(
    fc.property(nearly, (text) => {
      expect(['none', 'invalid-message', 'unknown-version']).toContain((thrown(text) as { code: string }).code);
    }),
    { numRuns: 300, seed: 1 },
  );
});
