import { randomFillSync, randomUUID } from 'node:crypto';
import type { Random } from './ports/random.ts';

/** Drawn many at once: each look into the system's source costs as much as hundreds of numbers. */
const DRAW_BYTES = 6;
const pool = Buffer.alloc(512 * DRAW_BYTES);
let at = pool.length;

/** Chance and ids of this process, from the system's own source. */
export const systemRandom: Random = {
  next: () => {
    if (at === pool.length) {
      randomFillSync(pool);
      at = 0;
    }
    at += DRAW_BYTES;
    return pool.readUIntBE(at - DRAW_BYTES, DRAW_BYTES) / 2 ** 48;
  },
  id: () => randomUUID(),
};
