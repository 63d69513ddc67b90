import { describe, expect, test } from 'vitest';
import type { Stamped } from '../../../chaos/checkers/epochs.ts';
import { goneForGood } from '../../../chaos/checkers/gone-for-good.ts';

const owned = (agent: string, by: string, cause: string): Stamped => ({ agent, by, cause, epoch: 1, log: 'AGENTS' });

describe('who was declared gone', () => {
  test('may come back in its next life', () =>
    expect(goneForGood([owned('a', 'n1.7', 'spawn'), owned('a', 'n2.8', 'lease'), owned('b', 'n1.9', 'spawn')])).toEqual({
      verdict: 'ok',
    }));
  test('owns nothing any more in that life', () =>
    expect(goneForGood([owned('a', 'n1.7', 'spawn'), owned('a', 'n2.8', 'crash'), owned('b', 'n1.7', 'spawn')])).toEqual({
      verdict: 'bad',
      violations: ['n1.7 was gone when a was taken from it, and became the owner of b'],
    }));
  test('is not whoever gave an agent away', () =>
    expect(goneForGood([owned('a', 'n1.7', 'spawn'), owned('a', 'n2.8', 'rebalance'), owned('a', 'n1.7', 'drain')])).toEqual({
      verdict: 'ok',
    }));
});
