import { randomFillSync } from 'node:crypto';
import type { Random } from './ports/random.ts';

/** Drawn many at once: each look into the system's source costs as much as hundreds of numbers. */
const DRAW_BYTES = 6;
const ID_BYTES = 16;
const pool = Buffer.alloc(512 * DRAW_BYTES);
let at = pool.length;

/** Where so many fresh bytes begin. */
function drawn(bytes: number): number {
  if (at + bytes > pool.length) {
    randomFillSync(pool);
    at = 0;
  }
  at += bytes;
  return at - bytes;
}

/** Chance and ids of this process, from the system's own source. */
export const systemRandom: Random = {
  next: () => pool.readUIntBE(drawn(DRAW_BYTES), DRAW_BYTES) / 2 ** 48,
  // Letters and digits alone: an id also becomes a name on a command line, of a process, of a consumer.
  id: () => {
    const from = drawn(ID_BYTES);
    return pool.toString('hex', from, from + ID_BYTES);
  },
};
