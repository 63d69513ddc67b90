import type { Random } from '../ports/random.ts';

/** A {@link Random} that one number determines; `fork` gives an independent stream per concern, so that adding a draw to one leaves the others alone. */
export interface SeededRandom extends Random {
  readonly seed: number;
  fork(label: string): SeededRandom;
  /** An integer, both ends included. */
  between(low: number, high: number): number;
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
const ID_CHARACTERS = 22;

const hash = (seed: number, label: string): number => {
  let state = seed ^ 0x9e3779b9;
  for (let index = 0; index < label.length; index++) state = Math.imul(state ^ label.charCodeAt(index), 0x01000193);
  return (state ^ (state >>> 15)) >>> 0;
};

/** Reproducible randomness from a 32-bit seed (mulberry32): for simulations and tests, never for secrets. */
export function seededRandom(seed: number): SeededRandom {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000;
  };
  return {
    seed: seed >>> 0,
    next,
    id: () => Array.from({ length: ID_CHARACTERS }, () => ALPHABET[Math.floor(next() * 64)]).join(''),
    fork: (label) => seededRandom(hash(seed >>> 0, label)),
    between: (low, high) => low + Math.floor(next() * (high - low + 1)),
  };
}
