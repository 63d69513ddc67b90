import { expect, test } from 'vitest';
import { NOT_OWNED, type OwnershipEffect, type OwnershipInput, ownership } from '../../src/cluster/ownership.ts';
import type { AgentRecord } from '../../src/cluster/place.ts';

const self = { node: 'n2', incarnation: 1 };
const record = (more: Partial<AgentRecord> = {}): AgentRecord => ({
  type: 'counter',
  id: 'alice',
  spawnId: '',
  config: { step: 1 },
  restart: 'permanent',
  placement: {},
  desired: 'running',
  prefer: undefined,
  version: 1,
  why: 'spawned',
  cause: 'spawn',
  moves: [],
  owner: { node: 'n1', incarnation: 1 },
  nonce: 'first',
  ...more,
});
/** A spawn on n2, after n1 is gone, over what is there at revision 7. */
function spawned(there: AgentRecord, wanted: Partial<AgentRecord> = {}): readonly OwnershipEffect[] {
  const step = ownership({ self, isGone: (node) => node === 'n1', versionOf: () => 1 });
  const inputs: OwnershipInput[] = [
    { request: 'spawn', token: 1, record: record({ owner: self, nonce: 'second', ...wanted }) },
    { input: 'written', outcome: 'no' },
    { input: 'read', found: { record: there, revision: 7 } },
    { input: 'written', outcome: 'yes', revision: 8 },
    { input: 'activated' },
  ];
  let state = NOT_OWNED;
  return inputs.flatMap((input) => {
    const [next, effects] = step(state, input, 0);
    state = next;
    return effects;
  });
}
const answerOf = (effects: readonly OwnershipEffect[]) => effects.find((effect) => effect.effect === 'answer-spawn')?.answer;
const claims = (effects: readonly OwnershipEffect[]) => effects.filter((effect) => effect.effect === 'write' && effect.revision === 7);

test('a spawn of an agent whose node is gone claims it at once, as it was, and answers created: false when it runs', () => {
  const effects = spawned(record());
  expect(claims(effects)).toMatchObject([{ record: { owner: self, nonce: 'second', config: { step: 1 } } }]);
  expect(effects).toContainEqual(expect.objectContaining({ effect: 'activate', epoch: 8 }));
  expect(answerOf(effects)).toEqual({ node: 'n2', epoch: 8, created: false });
});

test('it leaves to the others what runs elsewhere, wants another place, or does not come back', () => {
  for (const there of [
    record({ owner: { node: 'n3', incarnation: 1 } }),
    record({ placement: { labels: { zone: 'eu' } } }),
    record({ restart: 'temporary' }),
  ]) {
    const effects = spawned(there);
    expect(claims(effects)).toEqual([]);
    expect(answerOf(effects)).toMatchObject({ epoch: 7, created: false });
  }
});

test('another configuration is a conflict, also where nobody runs it', () => {
  const effects = spawned(record(), { config: { step: 2 } });
  expect(claims(effects)).toEqual([]);
  expect(answerOf(effects)).toMatchObject({ code: 'conflict' });
});
