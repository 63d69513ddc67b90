import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../src/memory/random.ts';

describe('seeded randomness', () => {
  it('repeats from its seed and differs from another', () => {
    const draw = (seed: number) => {
      const random = seededRandom(seed);
      return [random.next(), random.id(), random.between(3, 9), random.fork('net').next()];
    };
    expect(draw(5)).toEqual(draw(5));
    expect(draw(5)).not.toEqual(draw(6));
  });

  it('forks by label, whatever was drawn before', () => {
    const one = seededRandom(5);
    const other = seededRandom(5);
    one.next();
    expect(one.fork('plan').next()).toBe(other.fork('plan').next());
    expect(one.fork('plan').next()).not.toBe(one.fork('net').next());
  });

  it('covers its range evenly, ends included', () => {
    const random = seededRandom(1);
    const counts = new Map<number, number>();
    for (let index = 0; index < 6_000; index++) {
      const value = random.between(1, 6);
      counts.set(value, (counts.get(value) ?? 0) + 1);
    }
    expect([...counts.keys()].sort()).toEqual([1, 2, 3, 4, 5, 6]);
    expect(Math.min(...counts.values())).toBeGreaterThan(850);
  });

  it('makes ids that are safe in a subject and unlike each other', () => {
    const random = seededRandom(1);
    const ids = new Set(Array.from({ length: 1_000 }, () => random.id()));
    expect(ids.size).toBe(1_000);
    for (const id of ids) expect(id).toMatch(/^[A-Za-z0-9_-]{22}$/);
  });
});
