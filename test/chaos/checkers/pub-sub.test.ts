import { describe, expect, test } from 'vitest';
import { pubSub } from '../../../chaos/checkers/pub-sub.ts';
import type { HeardRun, Published, TopicNotes } from '../../../chaos/workloads/topics.ts';
import { failed, ok } from '../support.ts';

const run = (from: number, to: number, more: Partial<HeardRun> = {}): HeardRun => ({
  topic: 't',
  subscriber: 's',
  publisher: 'p',
  from,
  to,
  ...more,
});
const published = (n: number, more: Partial<Published> = {}): Published => ({
  topic: 't',
  publisher: 'p',
  n,
  atMs: n * 1_000,
  sent: true,
  ...more,
});
const ten = Array.from({ length: 10 }, (_, index) => published(index + 1));
const notes: TopicNotes = { published: ten, subscribers: [{ topic: 't', subscriber: 's', fromMs: 0, untilMs: null }], calmFromMs: 6_000 };
const said = (heard: readonly HeardRun[], more: Partial<TopicNotes> = {}): string => {
  const found = pubSub([], { heard }, { ...notes, ...more }, { untilMs: 20_000 });
  return found.verdict === 'bad' ? found.violations.join('\n') : found.verdict;
};

describe('what is right of a topic', () => {
  test('is all, in order', () => expect(said([run(1, 10)])).toBe('ok'));
  test('may be missing while something is broken', () => expect(said([run(1, 2), run(5, 10)])).toBe('ok'));
  test('may be missing when it was known to be lost', () => {
    const lost = ten.map((each) => (each.n === 7 ? { ...each, sent: false } : each));
    expect(said([run(1, 6), run(8, 10)], { published: lost })).toBe('ok');
  });
  test('is of each publisher for itself, in any mixture', () =>
    expect(said([run(1, 4), run(1, 1, { publisher: 'q' }), run(5, 10)], { published: [...ten, published(1, { publisher: 'q' })] })).toBe(
      'ok',
    ));
  test('may be missing before a subscription is known everywhere, after it ended, and at the end', () => {
    const there = (fromMs: number, untilMs: number | null) => ({ subscribers: [{ topic: 't', subscriber: 's', fromMs, untilMs }] });
    expect(said([run(9, 10)], there(6_500, null))).toBe('ok');
    expect(said([run(1, 7)], there(0, 9_500))).toBe('ok');
    expect(pubSub([], { heard: [run(1, 8)] }, notes, { untilMs: 10_500 })).toEqual({ verdict: 'ok' });
  });
});

describe('what is wrong of a topic', () => {
  test('is what comes out of order', () => expect(said([run(1, 5), run(7, 10), run(6, 6)])).toMatch('s heard 6 of p on t after 10'));
  test('is what comes twice', () => expect(said([run(1, 5), run(5, 10)])).toMatch('s heard 5 of p on t after 5'));
  test('is what nobody published', () => {
    expect(said([run(1, 11)])).toMatch('s heard 11 of p on t, who published 10');
    const asked = [
      ok([0, 1], { type: 'announce' } as const, { publisher: 'a@1', n: 1 }),
      failed([2, 3], { type: 'announce' } as const, 'fail'),
    ];
    const heard = [run(1, 10), run(1, 2, { publisher: 'a@1' })];
    expect(pubSub(asked, { heard }, notes, { untilMs: 20_000 })).toMatchObject({
      violations: ['s heard 2 of a@1 on t, and 1 were asked for of all'],
    });
  });
  test('is what was known to be lost', () => {
    const lost = ten.map((each) => (each.n === 3 ? { ...each, sent: false } : each));
    expect(said([run(1, 10)], { published: lost })).toMatch('s heard 3 of p on t, which was known to be lost');
  });
  test('is what is missing when all worked again', () =>
    expect(said([run(1, 6), run(8, 10)])).toMatch('s missed 7 of p on t, published when all worked again'));
});

test('without having been seen to work again it is unknown, but what is wrong is wrong', () => {
  expect(said([run(1, 10)], { calmFromMs: null })).toBe('unknown');
  expect(said([run(1, 5), run(5, 10)], { calmFromMs: null })).toMatch('after 5');
});
