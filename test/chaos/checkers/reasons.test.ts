import { describe, expect, test } from 'vitest';
import type { Act } from '../../../chaos/act.ts';
import { costOf } from '../../../chaos/checkers/budgets.ts';
import type { Stamped } from '../../../chaos/checkers/epochs.ts';
import { exits } from '../../../chaos/checkers/exits.ts';
import { gate, showsSending } from '../../../chaos/checkers/gate.ts';
import { granted } from '../../../chaos/checkers/granted.ts';
import { leaks } from '../../../chaos/checkers/leaks.ts';
import { metBy } from '../../../chaos/checkers/met.ts';
import { movedNeedlessly, movesBetween, movesOf } from '../../../chaos/checkers/moved-needlessly.ts';
import type { Fault } from '../../../chaos/fault.ts';
import type { FaultRun } from '../../../chaos/run.ts';

const ok = { verdict: 'ok' };
const bad = (...violations: string[]) => ({ verdict: 'bad', violations });
const acted = (act: Act, fromMs = 1_000) => ({ act, fromMs, untilMs: fromMs + 1 });
const met = (...acts: Act[]) => metBy({ faults: [], acts: acts.map((act) => acted(act)) });
const killed = met({ act: 'kill-node', node: 'n1', silent: false });
const serverKilled = met({ act: 'kill-server', server: 's1' });

describe('who met a fault', () => {
  const who = (...acts: Act[]) => met(...acts).map(({ place }) => place);
  test('is whom an act names', () => expect(who({ act: 'cut', from: 'n1', to: 's2' })).toEqual(['n1', 's2']));
  test('is nobody else when a server is killed', () => expect(who({ act: 'kill-server', server: 's1' })).toEqual(['s1']));
  test('is everybody when a server stands still, or is cut off from its peers', () => {
    expect(who({ act: 'pause-server', server: 's1' })).toEqual(['s1', '*']);
    expect(who({ act: 'cut', from: 's1', to: 's2' })).toEqual(['s1', 's2', '*']);
  });
  test('is everybody when an outage is longer than nodes wait', () => {
    const run = (untilMs: number): readonly FaultRun[] => [
      { fault: { fault: 'kill', target: 'server', many: 'majority' }, fromMs: 0, untilMs, met: ['s1', 's2'] },
    ];
    expect(metBy({ faults: run(20_000), acts: [] }).map(({ place }) => place)).toEqual(['s1', 's2']);
    expect(metBy({ faults: run(70_000), acts: [] }).at(-1)).toEqual({ place: '*', fromMs: 50_000, untilMs: 70_000 });
  });
  test('is not whom a fault that was left out would have met', () =>
    expect(
      metBy({ faults: [{ fault: { fault: 'kill', target: 'node' }, fromMs: 0, untilMs: 1, met: ['n1'], skipped: 'why' }], acts: [] }),
    ).toEqual([]));
});

describe('moves', () => {
  const owned = (agent: string, by: string, cause: string, atMs = 2_000): Stamped => ({ agent, by, cause, atMs, epoch: 1, log: 'AGENTS' });
  const judge = (records: Stamped[], places = killed) => movedNeedlessly(movesOf(records), places);
  test('away from a node that was killed are right', () =>
    expect(judge([owned('a', 'n1.7', 'spawn', 0), owned('a', 'n2.8', 'crash')])).toEqual(ok));
  test('away from a node that met nothing are found', () =>
    expect(judge([owned('a', 'n2.8', 'spawn', 0), owned('a', 'n3.9', 'lease')])).toEqual(
      bad('a moved from n2 to n3 at 2000 ms (lease), and nothing had been done to n2'),
    ));
  test('to even the load out are right, also to a node that came back', () =>
    expect(judge([owned('a', 'n2.8', 'spawn', 0), owned('a', 'n1.9', 'rebalance')])).toEqual(ok));
  test('are found when only a server died, but not to even the load out', () => {
    const moved = (cause: string) => judge([owned('a', 'n2.8', 'spawn', 0), owned('a', 'n1.9', cause)], serverKilled);
    for (const cause of ['lease', 'crash', 'reclaimed']) expect(moved(cause)).toMatchObject({ verdict: 'bad' });
    expect(moved('rebalance')).toEqual(ok);
  });
  test('are none when the same node takes it again in another life, or it is spawned anew elsewhere', () =>
    expect(judge([owned('a', 'n2.8', 'spawn', 0), owned('a', 'n2.9', 'crash'), owned('a', 'n3.9', 'spawn')])).toEqual(ok));
  test('are seen in places too, where why is not known', () => {
    const placements = (from: string, to: string) => [
      { atMs: 0, agents: [{ agent: 'a', node: from, epoch: 1 }] },
      { atMs: 1_500, agents: [{ agent: 'a', node: null, epoch: 1 }] },
      { atMs: 2_000, agents: [{ agent: 'a', node: to, epoch: 2 }] },
    ];
    expect(movedNeedlessly(movesBetween(placements('n2', 'n2')), serverKilled)).toEqual(ok);
    expect(movedNeedlessly(movesBetween(placements('n1', 'n2')), killed)).toEqual(ok);
    expect(movedNeedlessly(movesBetween(placements('n1', 'n2')), serverKilled)).toMatchObject({ verdict: 'unknown' });
  });
});

describe('ends of processes', () => {
  const end = (place: string, atMs: number, code: number | null, signal: string | null = null) => ({ place, atMs, code, signal });
  test('that left, whose time was over, or that were killed are right', () =>
    expect(exits([end('n1', 1_002, null, 'SIGKILL'), end('n2', 5_000, 75), end('n3', 9_000, 0)], killed)).toEqual(ok));
  test('by themselves are found', () => {
    expect(exits([end('n2', 5_000, 1)], killed)).toEqual(bad('n2 ended with 1 at 5000 ms by itself'));
    expect(exits([end('n2', 5_000, null, 'SIGSEGV')], killed)).toEqual(bad('n2 ended with SIGSEGV at 5000 ms by itself'));
  });
  test('as over are found when nothing had been done to anybody', () =>
    expect(exits([end('n2', 500, 75)], killed)).toEqual(bad('n2 ended with 75 at 500 ms before any fault')));
  test('of starts that fail while something is broken are tried again', () =>
    expect(exits([end('n1', 1_002, null, 'SIGKILL'), end('n1', 8_000, 1)], killed)).toEqual(ok));
  test('of a server that nobody had asked to leave it open', () => {
    expect(exits([end('s1', 1_002, null, 'SIGKILL')], serverKilled)).toEqual(ok);
    expect(exits([end('s2', 1_002, 1)], serverKilled)).toMatchObject({
      verdict: 'unknown',
      reason: 's2 ended with 1 at 1002 ms, and nobody had asked it to',
    });
  });
});

describe('writes', () => {
  const right: Stamped = { agent: 'a', epoch: 7, by: 'n1.1', log: 'AGENTS' };
  const write = (more: object = {}): Stamped => ({ agent: 'a', epoch: 7, what: 'state 3', log: 'STATE', ...more });
  test('by the epoch that made their node the owner are right', () => expect(granted([right, write()])).toEqual(ok));
  test('by an epoch that was not seen prove nothing', () => expect(granted([right, write({ epoch: 9 })])).toEqual(ok));
  test('by an epoch of nobody are found', () => {
    const { by: _, ...nobody } = right;
    expect(granted([nobody, write()])).toEqual(bad('a: state 3 in STATE is of epoch 7, by which nobody owned it'));
    expect(granted([nobody, write({ what: 'deletion 4' })])).toEqual(ok);
  });
  test('by an epoch of another agent are found', () =>
    expect(granted([{ ...right, agent: 'b' }, write()])).toEqual(bad('a: state 3 in STATE is of epoch 7, which was given to b')));
});

test('leaks are all that is left, by its name', () => {
  expect(leaks(['ports: 4223'])).toEqual(bad('left behind: ports: 4223'));
  expect(leaks([])).toEqual(ok);
});

describe('what a fault may cost', () => {
  const cost = (fault: Fault, metPlaces: string[] = ['n1']) =>
    costOf({ fault, fromMs: 1_000, untilMs: 21_000, met: metPlaces }).map((each) => [each.fromMs, each.untilMs]);
  test('is the takeover and the way back, where others take over while it lasts', () => {
    expect(cost({ fault: 'kill', target: 'node' })).toEqual([
      [1_000, 3_000],
      [21_000, 23_000],
    ]);
    expect(cost({ fault: 'kill', target: 'node', silent: true })[0]).toEqual([1_000, 11_000]);
    expect(cost({ fault: 'partition', shape: 'isolate', forMs: 1 })[0]).toEqual([1_000, 11_000]);
  });
  test('is all of it and what comes afterwards, where nobody can', () => {
    expect(cost({ fault: 'kill', target: 'store-leader' }, ['s1'])).toEqual([[1_000, 36_000]]);
    expect(cost({ fault: 'kill', target: 'store-leader' }, [])).toEqual([[1_000, 36_000]]);
    expect(cost({ fault: 'partition', shape: 'halves', forMs: 1 })).toEqual([[1_000, 36_000]]);
    expect(cost({ fault: 'kill', target: 'node', many: 'all' })).toEqual([[1_000, 81_000]]);
    expect(cost({ fault: 'together', faults: [{ fault: 'kill', target: 'node' }, { fault: 'heal' }] })).toEqual([[1_000, 41_000]]);
  });
});

describe('the gate', () => {
  const heard = (...senders: string[]) => senders.map((sender) => ({ receiver: 's', sender }));
  test('lets nothing of an older activation through after something of a newer one', () => {
    expect(gate(heard('a/x@3', 'a/x@3', 'a/y@9', 'client 1', 'a/x@7'))).toEqual(ok);
    expect(gate([...heard('a/x@7'), { receiver: 't', sender: 'a/x@3' }])).toEqual(ok);
    expect(gate(heard('a/x@7', 'a/x@3'))).toEqual(bad('a/x: a message of epoch 3 after a message of epoch 7'));
  });
  test('is not seen from where messages are held back', () => {
    expect(showsSending([acted({ act: 'kill-node', node: 'n1', silent: true })])).toBe(true);
    expect(showsSending([acted({ act: 'cut', from: 'n1', to: 'n2' })])).toBe(false);
  });
});
