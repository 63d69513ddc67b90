import { randomBytes, randomUUID } from 'node:crypto';
import type { Random } from './ports/random.ts';

/** Chance and ids of this process, from the system's own source. */
export const systemRandom: Random = {
  next: () => randomBytes(6).readUIntBE(0, 6) / 2 ** 48,
  id: () => randomUUID(),
};
