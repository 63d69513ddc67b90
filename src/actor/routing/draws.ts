import type { Random } from '../../ports/random.ts';

/** Uniform draws that cost next to nothing (mulberry32), begun from a real one: for choices that nobody gains by guessing. */
export function draws(random: Random): Pick<Random, 'next'> {
  let state = Math.floor(random.next() * 2 ** 32);
  return {
    next: () => {
      state = (state + 0x6d2b79f5) | 0;
      let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
      mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed);
      return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
    },
  };
}
