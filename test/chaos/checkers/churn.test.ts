import { describe, expect, test } from 'vitest';
import { createdOnce, liveSet, noOrphans } from '../../../chaos/checkers/churn.ts';
import type { Verdict } from '../../../chaos/checkers/verdict.ts';
import type { Operation } from '../../../chaos/history.ts';
import type { ChurnOp, ChurnResult, Present } from '../../../chaos/workloads/churn.ts';
import { failed, ok } from '../support.ts';

type Seen = Operation<ChurnOp, ChurnResult>;
type Times = readonly [number, number];
const agent = 'h/a';
const spawn = (spawnId: string): ChurnOp => ({ type: 'spawn', agent, spawnId });
const spawned = (times: Times, spawnId: string, created = true, epoch = 7): Seen =>
  ok(times, spawn(spawnId), { created, node: 'n1', epoch });
const stopped = (times: Times, absent = false): Seen => ok(times, { type: 'stop', agent }, { absent });
const born = (times: Times, child: string, epoch = 7): Seen => ok(times, { type: 'bear', agent, child }, { epoch });
const here = (child: string | null = null, epoch = 7): Present => ({ agent, epoch, child });
const row = (node: string | null = 'n1', epoch = 7) => ({ agent, node, epoch, state: node === null ? 'stopped' : 'running' });
const said = (found: Verdict): string => (found.verdict === 'bad' ? found.violations.join('\n') : found.verdict);

describe('created once', () => {
  const judge = (...history: Seen[]): string => said(createdOnce(history));
  test('is right for repeats, and for new ids after a stop', () =>
    expect(
      judge(spawned([0, 1], 'x'), spawned([2, 3], 'x', false), stopped([4, 5]), spawned([6, 7], 'x', false), spawned([8, 9], 'y')),
    ).toBe('ok'));
  test('is right for another id while it runs', () => expect(judge(spawned([0, 1], 'x'), spawned([2, 3], 'y', false))).toBe('ok'));
  test('is open after what nobody knows, as long as that may still happen', () =>
    expect(judge(failed([0, 1], spawn('x'), 'info'), spawned([2, 3], 'y', false), stopped([4, 5]), spawned([6, 7], 'z', false))).toBe(
      'ok',
    ));
  test('twice by one id is found', () =>
    expect(judge(spawned([0, 1], 'x'), stopped([2, 3]), spawned([4, 5], 'x'))).toMatch('spawn id x created 2 times'));
  test('anew while it runs is found', () =>
    expect(judge(spawned([0, 1], 'x'), spawned([2, 3], 'y'))).toMatch('h/a ran, and spawn id y created it anew'));
  test('not at all after a stop is found', () =>
    expect(judge(spawned([0, 1], 'x'), stopped([2, 3]), spawned([4, 5], 'y', false))).toMatch(
      'was stopped, and the new spawn id y created nothing',
    ));
  test('and then not there for who asks is found', () => {
    expect(judge(spawned([0, 1], 'x'), stopped([2, 3], true))).toMatch('"stop" was told that there is no such agent');
    expect(judge(spawned([0, 1], 'x'), ok([2, 3], { type: 'bear', agent, child: 'c' }, { absent: true }))).toMatch('"bear" was told');
  });
});

describe('the registry', () => {
  const judge = (history: Seen[], registry: ReturnType<typeof row>[] | null, present: Present[] | null): string =>
    said(liveSet(history, { registry, present }));
  const lives = [spawned([0, 1], 'x')];
  test('that names what lives, where nothing else does, is right', () => {
    expect(judge(lives, [row()], [here(), here('c1')])).toBe('ok');
    expect(judge([...lives, stopped([2, 3])], [row(null)], [])).toBe('ok');
  });
  test('need not be known', () => expect(judge(lives, null, [here()])).toBe('ok'));
  test('may say either of what nobody knows', () => {
    const unknown: Seen[] = [...lives, failed([2, 3], { type: 'stop', agent }, 'info')];
    expect([judge(unknown, [row()], [here()]), judge(unknown, [row(null)], [])]).toEqual(['ok', 'ok']);
  });
  test('is not judged when the roll never came to rest', () => expect(judge(lives, [row()], null)).toBe('unknown'));
  test('that places what does not live is found', () =>
    expect(judge(lives, [row()], [])).toMatch('h/a is placed by its record, and does not live'));
  test('that does not place what lives is found', () =>
    expect(judge(lives, [row(null)], [here()])).toMatch('h/a lives, and no record places it'));
  test('of another epoch is found', () =>
    expect(judge(lives, [row('n1', 9)], [here()])).toMatch('h/a lives in epoch 7, and its record says 9'));
  test('of what lives twice is found', () =>
    expect(judge(lives, [row()], [here(), here(null, 6)])).toMatch('h/a lives 2 times, in epochs 7 and 6'));
  test('that agrees with itself, but not with what clients were told, is found', () => {
    expect(judge(lives, [row(null)], [])).toMatch('h/a was spawned, and does not live');
    expect(judge([...lives, stopped([2, 3])], [row()], [here()])).toMatch('h/a was stopped, or never spawned, and lives');
    expect(judge([failed([0, 1], spawn('x'), 'fail')], [row()], [here()])).toMatch('h/a was stopped, or never spawned, and lives');
  });
});

describe('actors under an agent', () => {
  const judge = (history: Seen[], present: Present[]): string => said(noOrphans(history, { registry: null, present }));
  test('that live as long as their agent does are right', () => {
    expect(judge([born([0, 1], 'c1')], [here(), here('c1')])).toBe('ok');
    expect(judge([born([0, 1], 'c1', 3)], [here()])).toBe('ok');
    expect(judge([failed([0, 1], { type: 'bear', agent, child: 'c1' }, 'info')], [here(), here('c1')])).toBe('ok');
  });
  test('that outlive it are found', () => {
    expect(judge([born([0, 1], 'c1')], [here('c1')])).toMatch('c1 lives, and h/a of epoch 7, who made it, does not');
    expect(judge([born([0, 1], 'c1', 3)], [here(), here('c1', 3)])).toMatch('h/a of epoch 3, who made it, does not');
  });
  test('that are missing are found', () =>
    expect(judge([born([0, 1], 'c1')], [here()])).toMatch('c1 was made by h/a of epoch 7, which lives, and does not live'));
  test('that were definitely refused, or never asked for, are found', () => {
    expect(judge([failed([0, 1], { type: 'bear', agent, child: 'c1' }, 'fail')], [here(), here('c1')])).toMatch('was definitely refused');
    expect(judge([], [here(), here('c1')])).toMatch('nobody asked for it');
  });
});
