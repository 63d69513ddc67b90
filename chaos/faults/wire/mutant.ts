import type { SeededRandom } from '../../../src/memory/random.ts';

export const MUTATIONS = ['cut', 'longer', 'flipped', 'version', 'zeroes', 'shifted'] as const;
export type Mutation = (typeof MUTATIONS)[number];

/** A frame with something wrong; the original is left as it is. */
export function mutated(original: Uint8Array, how: Mutation, random: SeededRandom): Uint8Array {
  // Not `slice`: that of a Buffer is the same bytes.
  const payload = Uint8Array.from(original);
  const at = Math.floor(random.next() * payload.length);
  switch (how) {
    case 'cut':
      return payload.slice(0, at);
    case 'longer':
      return Uint8Array.from([...payload, ...Array.from({ length: random.between(1, 16) }, () => random.between(0, 255))]);
    case 'flipped':
      for (let flips = random.between(1, 3); flips > 0; flips--) {
        const index = Math.floor(random.next() * payload.length);
        payload[index] = (payload[index] ?? 0) ^ (1 << random.between(0, 7));
      }
      return payload;
    case 'version':
      // The second byte of a frame between nodes; elsewhere just a byte.
      payload[Math.min(1, payload.length - 1)] = random.between(3, 127);
      return payload;
    case 'zeroes':
      return payload.fill(0, at, at + 8);
    case 'shifted':
      return payload.slice(Math.min(at, 4));
  }
}
